package effects

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

func TestMain(m *testing.M) {
	repository.RunJanitorIfAsked()
	os.Exit(m.Run())
}

// stored makes a backup of a swarm directory in a repository of its own, which
// spoil may change before it is read back.
func stored(t *testing.T, o raftdirtest.Options, spoil func(dir string)) (*repository.Repository, state.Backup, string) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "swarm")
	raftdirtest.Build(t, dir, o)
	var key []byte
	if o.UnlockKey != "" {
		key = []byte(o.UnlockKey)
	}
	report, err := raftdir.Verify(t.Context(), dir, raftdir.Options{UnlockKey: key})
	if err != nil {
		t.Fatal(err)
	}
	spoil(dir)
	var tar bytes.Buffer
	if err := writeDirectory(&tar, dir); err != nil {
		t.Fatal(err)
	}
	repo, err := repository.Open(t.Context(), repository.Options{Name: "local", URL: "file://" + filepath.Join(root, "repo"), Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	at := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	b := state.Backup{ID: "20260301T040000Z-0a1b2c", FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod", Backup: "state", SwarmID: report.ClusterID,
		TakenAt: at, UploadedAt: at, Raft: report, Verified: LevelRaft, PlainStored: true, Autolocked: len(key) > 0}
	if len(key) > 0 {
		b.KeySHA256 = raftdir.Fingerprint(key)
	}
	w, err := repo.Create(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	object, err := w.Put(t.Context(), "swarm.tar", &tar, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Stored = []state.StoredObject{object}
	if err := w.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return repo, b, filepath.Join(root, "repo", "prod", b.ID, object.Name)
}

// TestOpen: what a plan of a restore learns of a backup before anything is stopped,
// and that a wrong key is not taken for damage, nor damage for a wrong key.
func TestOpen(t *testing.T) {
	whole := raftdirtest.Options{Services: 2, Tasks: 2}
	sealed := raftdirtest.Options{Services: 2, Tasks: 2, UnlockKey: raftdirtest.UnlockKey}
	none := func(string) {}
	for name, c := range map[string]struct {
		made    raftdirtest.Options
		spoil   func(dir string)
		key     string
		after   func(object string) error
		damaged bool
		code    string
	}{
		"whole":     {made: whole, spoil: none},
		"sealed":    {made: sealed, spoil: none, key: raftdirtest.UnlockKey},
		"wrong key": {made: sealed, spoil: none, key: "SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8", code: diag.NoUnlockKey},
		"without its node certificate": {made: whole, damaged: true,
			spoil: func(dir string) { _ = os.Remove(filepath.Join(dir, "certificates", "swarm-node.crt")) }},
		"a flipped bit": {made: whole, spoil: none, damaged: true, after: func(object string) error {
			data, err := os.ReadFile(object)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(object, data, 0o600)
		}},
		"truncated": {made: whole, spoil: none, damaged: true, after: func(object string) error { return os.Truncate(object, 100) }},
	} {
		t.Run(name, func(t *testing.T) {
			repo, b, object := stored(t, c.made, c.spoil)
			if c.after != nil {
				if err := c.after(object); err != nil {
					t.Fatal(err)
				}
			}
			var key []byte
			if c.key != "" {
				key = []byte(c.key)
			}
			o := Open(t.Context(), repo, b, key)
			good := !c.damaged && c.code == ""
			if good != (o.Store != nil) || good != (o.Problem == nil) || o.Damaged != c.damaged {
				t.Fatalf("it came to %+v, %+v", o, o.Problem)
			}
			if o.Problem != nil && o.Problem.Code != c.code {
				t.Errorf("the code is %q: %s", o.Problem.Code, o.Problem.Text)
			}
			if good && (len(o.Store.Services) != 2 || len(o.Store.Tasks) != 2) {
				t.Errorf("it tells %+v", o.Store)
			}
		})
	}
}
