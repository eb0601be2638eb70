package effects

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// encryptedRepository has an identity, and of its own nothing in it.
func encryptedRepository(t *testing.T) (*repository.Repository, string) {
	t.Helper()
	root := t.TempDir()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "identity.txt")
	if err := os.WriteFile(file, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	repo, err := repository.Open(t.Context(), repository.Options{Name: "local", URL: "file://" + filepath.Join(root, "repo"), Cluster: "prod",
		Recipients: []string{id.Recipient().String()}, IdentityFile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	return repo, root
}

// TestEscrow: with the key beside it a backup of an auto-locked swarm opens with the
// identity alone, whatever key is configured; without it only with its key; and the
// key is nowhere in clear.
func TestEscrow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "swarm")
	raftdirtest.Build(t, dir, raftdirtest.Options{Services: 2, UnlockKey: raftdirtest.UnlockKey})
	report, err := raftdir.Verify(t.Context(), dir, raftdir.Options{UnlockKey: []byte(raftdirtest.UnlockKey)})
	if err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	if err := writeDirectory(&tar, dir); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "swarm.tar")
	if err := os.WriteFile(archive, tar.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, escrow := range []bool{true, false} {
		repo, root := encryptedRepository(t)
		w := New(Options{Now: time.Now, Escrow: map[string]bool{"state": escrow}, ConfiguredKey: func() (string, bool) { return raftdirtest.OtherUnlockKey, true }})
		at := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
		b, err := w.put(t.Context(), repo, privateCopy{tar: archive, size: int64(tar.Len())}, state.Backup{ID: "20260301T040000Z-0a1b2c", Kind: state.KindRegular,
			Cluster: "prod", Backup: "state", SwarmID: report.ClusterID, TakenAt: at, Raft: report, Verified: LevelRaft,
			Autolocked: true, KeySHA256: raftdir.Fingerprint([]byte(raftdirtest.UnlockKey))}, []byte(raftdirtest.UnlockKey), nil, func(apply.StoreProgress) {})
		if err != nil || b.KeyEscrowed() != escrow {
			t.Fatalf("escrow %v: %+v, %v", escrow, b.Stored, err)
		}
		for _, key := range []string{"", raftdirtest.OtherUnlockKey} {
			if o := Open(t.Context(), repo, b, []byte(key)); (o.Store != nil) != escrow || o.Damaged {
				t.Errorf("escrow %v, key %q: %+v", escrow, key, o.Problem)
			}
		}
		if checked, err := Check(t.Context(), repo, b, true, nil); err != nil || (checked.Level == LevelRaft) != escrow {
			t.Errorf("escrow %v: %+v, %v", escrow, checked, err)
		}
		if err := w.rememberKey(t.Context(), repo, b); (err == nil) != escrow || (string(w.escrowed(b.ID)) == raftdirtest.UnlockKey) != escrow {
			t.Errorf("escrow %v: %v", escrow, err)
		}
		_ = filepath.WalkDir(root, func(path string, e os.DirEntry, _ error) error {
			if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), "SWMKEY") {
				t.Errorf("the unlock key is in %s", path)
			}
			return nil
		})
	}
}
