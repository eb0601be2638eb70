package repository

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const otherID = "20260301T000009Z-00000f"

// A backup goes whole, and nothing else with it.
func TestRemove(t *testing.T) {
	r, _ := newRepository(t)
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("x"), "config.tar": []byte("y")})
	store1(t, r, otherID, map[string][]byte{"swarm.tar": []byte("z")})
	for range 2 { // the second time there is nothing
		if err := r.Remove(ctx, testID); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := r.List(ctx); err != nil || len(left) != 1 || left[0].ID != otherID || left[0].Problem != nil {
		t.Errorf("left: %+v, %v", left, err)
	}
	if names, err := r.store.names(ctx, "prod/"); err != nil || slices.Contains(names, testID) {
		t.Errorf("left: %v, %v", names, err)
	}
	if err := r.Remove(ctx, "../prod"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Wherever a removal is cut, the backup is whole or is none, and what is left goes
// by removing it again, or by a sweep.
func TestRemoveCut(t *testing.T) {
	for _, how := range []string{"again", "sweep"} {
		for at := 1; ; at++ {
			r, _ := newRepository(t)
			store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("x"), "config.tar": []byte("y")})
			whole := r.store
			r.store = &faulty{store: whole, fail: at, faultKind: faultKind{err: errors.New("cut"), sticky: true}}
			err := r.Remove(ctx, testID)
			r.store = whole
			list, listed := r.List(ctx)
			if listed != nil || len(list) > 1 || len(list) == 1 && list[0].Problem != nil {
				t.Fatalf("cut %d: %+v, %v", at, list, listed)
			}
			if err == nil {
				break
			}
			if !strings.Contains(err.Error(), "cut") {
				t.Errorf("cut %d: %v", at, err)
			}
			if how == "sweep" && len(list) == 0 {
				_, err = r.Sweep(ctx, nil, time.Hour, time.Now().Add(2*time.Hour))
			} else {
				err = r.Remove(ctx, testID)
			}
			if names, _ := r.store.names(ctx, "prod/"); err != nil || slices.Contains(names, testID) {
				t.Errorf("cut %d, then %s: %v, %v", at, how, err, names)
			}
		}
	}
}
