package repository

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// slow lets nobody read a manifest before enough are being read.
type slow struct {
	store
	mu      sync.Mutex
	waiting int
	enough  chan struct{}
}

func (s *slow) open(ctx context.Context, key string) (io.ReadCloser, error) {
	s.mu.Lock()
	if s.waiting++; s.waiting == manifestsAtOnce {
		close(s.enough)
	}
	s.mu.Unlock()
	select {
	case <-s.enough:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.store.open(ctx, key)
}

// A repository of thousands of backups is listed before an observation gives it up:
// what each manifest waits for the others wait for at the same time.
func TestManifestsAreReadSideBySide(t *testing.T) {
	t.Parallel()
	r, _ := newRepository(t)
	for i := range manifestsAtOnce + 3 {
		id := fmt.Sprintf("20260301T0310%02dZ-0a1b2c", i)
		w, err := r.Create(ctx, id)
		if err == nil {
			_, err = w.Put(ctx, "swarm.tar", strings.NewReader("x"), nil)
		}
		m := manifest()
		m.TakenAt = taken.Add(time.Duration(i) * time.Second)
		if err == nil {
			err = w.Commit(ctx, m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.store = &slow{store: r.store, enough: make(chan struct{})}
	call, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	list, err := r.List(call)
	if err != nil || len(list) != manifestsAtOnce+3 {
		t.Fatalf("%d are listed (%v)", len(list), err)
	}
	for i := 1; i < len(list); i++ {
		if list[i].Problem != nil || !list[i-1].TakenAt.After(list[i].TakenAt) {
			t.Errorf("%s follows %s: %+v", list[i].ID, list[i-1].ID, list[i].Problem)
		}
	}
}
