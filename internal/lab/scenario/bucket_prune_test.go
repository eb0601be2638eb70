//go:build lab

package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// TestBucketIsEmptiedInAPrune has somebody empty a bucket in the middle of a prune:
// nothing more is removed, and the backup that was to stay is named. It needs no swarm.
func TestBucketIsEmptiedInAPrune(t *testing.T) {
	s := &swarm{t: t, ctx: context.Background(), dir: t.TempDir()}
	s.configure(`"file://` + s.repository() + `"`)
	s.inBucket()
	for _, e := range s.env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	url, err := os.ReadFile(filepath.Join(s.dir, "lab.rq.hcl"))
	must(t, err)
	o := repository.Options{Name: "offsite", URL: strings.Trim(string(url), `"`), Cluster: "prod", Plaintext: true}
	ids := threeBackups(t, o)
	w := effects.New(effects.Options{Now: time.Now, Repositories: map[string]repository.Options{"offsite": o}})
	removal := func(id string) apply.Removal {
		return apply.Removal{Repository: "offsite", ID: id, Backup: "state", SwarmID: "swarm1", Keeps: ids[2]}
	}
	if removed, err := w.Remove(t.Context(), removal(ids[0])); !removed || err != nil {
		t.Fatal(removed, err)
	}
	found, err := filepath.Glob(filepath.Join(s.repository(), "prod", "2*"))
	for _, dir := range found {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	removed, err := w.Remove(t.Context(), removal(ids[1]))
	var gone *apply.NotKeptError
	if removed || !errors.As(err, &gone) || gone.ID != ids[2] {
		t.Errorf("the bucket is empty, and what was said is %v, %v", removed, err)
	}
}

// threeBackups stores three and gives their IDs, oldest first.
func threeBackups(t *testing.T, o repository.Options) (ids []string) {
	t.Helper()
	r, err := repository.Open(t.Context(), o)
	must(t, err)
	defer r.Close()
	for i := range 3 {
		at := time.Date(2026, 3, 1+i, 4, 0, 0, 0, time.UTC)
		b := state.Backup{ID: fmt.Sprintf("%s-%06x", at.Format("20060102T150405Z"), i), FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod",
			Backup: "state", SwarmID: "swarm1", TakenAt: at, UploadedAt: at, Verified: state.LevelRaft}
		w, err := r.Create(t.Context(), b.ID)
		must(t, err)
		_, err = w.Put(t.Context(), "swarm.tar", strings.NewReader(b.ID), nil)
		must(t, err)
		must(t, w.Commit(t.Context(), b))
		ids = append(ids, b.ID)
	}
	return ids
}
