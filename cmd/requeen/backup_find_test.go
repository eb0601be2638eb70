package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// holding makes a repository that holds backups of these IDs, in clear.
func holding(t *testing.T, name string, ids ...string) (place, string) {
	t.Helper()
	dir := t.TempDir()
	repo, err := repository.Open(t.Context(), repository.Options{Name: name, URL: "file://" + dir, Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	for _, id := range ids {
		w, err := repo.Create(t.Context(), id)
		if err == nil {
			_, err = w.Put(t.Context(), "swarm.tar", bytes.NewReader(make([]byte, 1024)), nil)
		}
		if err == nil {
			taken, _ := repository.ParseID(id)
			err = w.Commit(t.Context(), state.Backup{Kind: state.KindRegular, TakenAt: taken, UploadedAt: time.Now()})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return place{repo, "prod"}, dir
}

// A part of an ID that fits several backups names none of them, whichever repositories
// hold them and in whatever order they are listed.
func TestAPartOfAnIDThatFitsSeveral(t *testing.T) {
	const older, newer = "20260301T031000Z-0a1b2c", "20260302T031000Z-0a1b2c"
	first, _ := holding(t, "nas", older, newer)
	second, _ := holding(t, "offsite", newer)
	any := func(state.Backup) bool { return true }
	if _, b, err := findIn(t.Context(), []place{first, second}, "202603", any); err == nil || !strings.Contains(err.Error(), "fits 2 backups") {
		t.Errorf("it is %s (%v)", b.ID, err)
	}
	if _, b, err := findIn(t.Context(), []place{first, second}, "20260302", any); err != nil || b.ID != newer {
		t.Errorf("it is %q (%v)", b.ID, err)
	}
}

// Of a backup that two repositories hold the one that serves is found.
func TestTheCopyThatServesIsFound(t *testing.T) {
	const id = "20260301T031000Z-0a1b2c"
	damaged, dir := holding(t, "nas", id)
	whole, _ := holding(t, "offsite", id)
	if err := os.Remove(filepath.Join(dir, "prod", id, "swarm.tar.zst")); err != nil {
		t.Fatal(err)
	}
	repo, b, err := findIn(t.Context(), []place{damaged, whole}, id, func(b state.Backup) bool { return b.Problem == nil })
	if err != nil || repo.Name() != "offsite" || b.Problem != nil {
		t.Errorf("%v, %+v (%v)", repo, b.Problem, err)
	}
	repo, b, err = findIn(t.Context(), []place{damaged}, id, func(b state.Backup) bool { return b.Problem == nil })
	if err != nil || repo.Name() != "nas" || b.Problem == nil {
		t.Errorf("one that does not serve is found to be told of: %+v (%v)", b.Problem, err)
	}
}
