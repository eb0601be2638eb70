package effects

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// kept makes a world whose repository holds so many backups, and gives their IDs,
// oldest first.
func kept(t *testing.T, n int) (*World, string, []string) {
	t.Helper()
	root := t.TempDir()
	o := repository.Options{Name: "local", URL: "file://" + root, Cluster: "prod", Plaintext: true}
	repo, err := repository.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	var ids []string
	for i := range n {
		at := time.Date(2026, 3, 1+i, 4, 0, 0, 0, time.UTC)
		b := state.Backup{ID: fmt.Sprintf("%s-%06x", at.Format("20060102T150405Z"), i), FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod",
			Backup: "state", SwarmID: "swarm1", TakenAt: at, UploadedAt: at, Verified: LevelRaft}
		w, err := repo.Create(t.Context(), b.ID)
		if err != nil {
			t.Fatal(err)
		}
		object, err := w.Put(t.Context(), "swarm.tar", strings.NewReader(b.ID), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Stored = []state.StoredObject{object}
		if err := w.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.ID)
	}
	return New(Options{Repositories: map[string]repository.Options{"local": o}, Now: time.Now}), filepath.Join(root, "prod"), ids
}

func TestRemoveWhileAnotherStays(t *testing.T) {
	w, dir, ids := kept(t, 4)
	q := func(id string) apply.Removal {
		return apply.Removal{Repository: "local", ID: id, Backup: "state", SwarmID: "swarm1", Keeps: ids[3]}
	}
	for i, want := range []bool{true, false} {
		if removed, err := w.Remove(t.Context(), q(ids[0])); removed != want || err != nil {
			t.Errorf("call %d: %v, %v", i+1, removed, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ids[0])); !os.IsNotExist(err) {
		t.Errorf("something is left: %v", err)
	}
	// What a cut removal left has no manifest, and goes too.
	if err := os.Remove(filepath.Join(dir, ids[1], "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if removed, err := w.Remove(t.Context(), q(ids[1])); removed || err != nil {
		t.Error(removed, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ids[1])); !os.IsNotExist(err) {
		t.Errorf("something is left of what was cut: %v", err)
	}
	for what, change := range map[string]func(*apply.Removal){
		"another swarm's":                      func(q *apply.Removal) { q.SwarmID = "another" },
		"another block's":                      func(q *apply.Removal) { q.Backup = "weekly" },
		"which stays":                          func(q *apply.Removal) { q.ID = q.Keeps },
		"of a repository that is not declared": func(q *apply.Removal) { q.Repository = "nas" },
	} {
		r := q(ids[2])
		change(&r)
		if removed, err := w.Remove(t.Context(), r); removed || err == nil {
			t.Errorf("one is removed %s: %v, %v", what, removed, err)
		}
	}
	for what, empty := range map[string]func() error{
		"an object is gone":    func() error { return os.Remove(filepath.Join(dir, ids[3], "swarm.tar.zst")) },
		"the manifest is gone": func() error { return os.Remove(filepath.Join(dir, ids[3], "manifest.json")) },
		"all of it is gone":    func() error { return os.RemoveAll(filepath.Join(dir, ids[3])) },
	} {
		if err := empty(); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		var gone *apply.NotKeptError
		if removed, err := w.Remove(t.Context(), q(ids[2])); removed || !errors.As(err, &gone) || gone.ID != ids[3] {
			t.Errorf("%s: %v, %v", what, removed, err)
		}
	}
	if _, found, err := w.Find(t.Context(), "local", ids[2]); !found || err != nil {
		t.Errorf("the one that was to be removed: %v, %v", found, err)
	}
}

func TestSweepTakesWhatIsOld(t *testing.T) {
	w, dir, ids := kept(t, 2)
	left := filepath.Join(dir, "20260301T000002Z-000002")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "swarm.tar.zst"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		later time.Duration
		gone  bool
	}{{0, false}, {2 * time.Hour, true}} {
		w.o.Now = func() time.Time { return time.Now().Add(c.later) }
		if err := w.Sweep(t.Context(), "local"); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(left); os.IsNotExist(err) != c.gone {
			t.Errorf("%s later: %v", c.later, err)
		}
	}
	for _, id := range ids {
		if _, found, err := w.Find(t.Context(), "local", id); !found || err != nil {
			t.Errorf("%s: %v, %v", id, found, err)
		}
	}
}
