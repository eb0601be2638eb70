//go:build lab

package objectstore

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

func init() {
	roles["remover"] = remover
}

// remover removes the backup REMOVE of the repository at UPLOAD_URL.
func remover() {
	ctx := context.Background()
	r, err := repository.Open(ctx, repository.Options{Name: "offsite", URL: os.Getenv("UPLOAD_URL"), Cluster: "prod", Plaintext: true})
	if err == nil {
		err = r.Remove(ctx, os.Getenv("REMOVE"))
	}
	fmt.Println(err)
}

// aged stores so many backups, each of several objects, and gives their IDs, oldest
// first.
func aged(t *testing.T, r *repository.Repository, n int) (ids []string) {
	t.Helper()
	for i := range n {
		at := time.Date(2026, 3, 1+i, 4, 0, 0, 0, time.UTC)
		b := state.Backup{ID: fmt.Sprintf("%s-%06x", at.Format("20060102T150405Z"), i), FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod",
			Backup: "state", SwarmID: "swarm1", TakenAt: at, UploadedAt: at, Verified: state.LevelRaft}
		w, err := r.Create(t.Context(), b.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"swarm.tar", "volume-a.tar", "volume-b.tar", "volume-c.tar"} {
			if _, err := w.Put(t.Context(), name, strings.NewReader(b.ID+name), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.ID)
	}
	return ids
}

// A removal that is killed leaves a backup that is whole, or none; another removal takes
// the rest.
func TestKilledRemoval(t *testing.T) {
	s := newServer(t)
	slow := newLine(t, s.address)
	r := repositoryAt(t, s.url())
	ids := aged(t, r, 2)
	there := func() int { return strings.Count(s.objects(), ids[0]) }
	all := there()
	slow.slow.Store(int64(20 * time.Millisecond))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=remover", "UPLOAD_URL="+urlAt(slow.address), "REMOVE="+ids[0])
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); there() == all; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was ever removed")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	left := there()
	t.Logf("of %d objects %d were left", all, left)
	if list, err := r.List(t.Context()); err != nil || len(list) != 1 || list[0].ID != ids[1] || list[0].Problem != nil {
		t.Errorf("listed are %v, %v", list, err)
	}
	if err := r.Remove(t.Context(), ids[0]); err != nil || there() != 0 {
		t.Errorf("%d objects are left: %v", there(), err)
	}
	if err := r.VerifyObjects(t.Context(), ids[1]); err != nil {
		t.Error(err)
	}
}
