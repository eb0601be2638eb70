package effects

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/state"
)

func configured(key string) *World {
	return New(Options{Now: time.Now, ConfiguredKey: func() (string, bool) { return key, key != "" }})
}

// TestAnotherUnlockKeyIsToldByItsFingerprint: which key opens a backup is known
// before a byte of it is fetched.
func TestAnotherUnlockKeyIsToldByItsFingerprint(t *testing.T) {
	b := state.Backup{Autolocked: true, KeySHA256: raftdir.Fingerprint([]byte(raftdirtest.UnlockKey))}
	for key, fits := range map[string]bool{raftdirtest.UnlockKey: true, raftdirtest.UnlockKey + "\n": true, raftdirtest.OtherUnlockKey: false, "": false} {
		err := configured(key).keyOfBackup(b)
		if fits != (err == nil) {
			t.Errorf("a key of %d characters: %v", len(key), err)
		}
		var d diag.Diagnostic
		if err != nil && (!errors.As(err, &d) || d.Code != diag.NoUnlockKey || !strings.Contains(d.Detail, b.KeySHA256) || strings.Contains(err.Error(), "SWMKEY")) {
			t.Errorf("it says %v", err)
		}
	}
	if err := configured("").keyOfBackup(state.Backup{}); err != nil {
		t.Errorf("a backup that is not locked: %v", err)
	}
}

// TestABackupThatLacksAPartIsOfNoUse: a restore names the part and says to use
// another backup; of a survivor, which may be all that there is, it does not.
func TestABackupThatLacksAPartIsOfNoUse(t *testing.T) {
	for _, part := range []string{"swarm-node.crt", "swarm-node.key", "swarm-root-ca.crt"} {
		dir := filepath.Join(t.TempDir(), "swarm")
		raftdirtest.Build(t, dir, raftdirtest.Options{})
		if err := os.Remove(filepath.Join(dir, "certificates", part)); err != nil {
			t.Fatal(err)
		}
		op := apply.Operation{ID: "20250310T025000Z-c0ffee", Node: "m1", Address: "10.0.0.11:2377", Backup: "20250310T020000Z-0a1b2c"}
		out := filepath.Join(t.TempDir(), "out")
		_, err := configured("").rewrite(t.Context(), dir, out, op)
		var d diag.Diagnostic
		if !errors.As(unfit(op, err), &d) || d.Code != diag.BackupDamaged || !strings.Contains(d.Detail, part) || !strings.Contains(d.Summary+d.Remedy, op.Backup+" can't be restoredUse another backup") {
			t.Errorf("without %s: %v", part, unfit(op, err))
		}
		if op.Backup = ""; unfit(op, err) != err {
			t.Errorf("a survivor without %s: %v", part, unfit(op, err))
		}
		if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s something was prepared: %v", part, err)
		}
	}
}

// TestTheKeyOfTheReplacedSwarmOpensItsManagers: after a restore to before a rotation
// the configured key is the backup's, and what is on the disks was sealed with the
// later one.
func TestTheKeyOfTheReplacedSwarmOpensItsManagers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "swarm")
	raftdirtest.Build(t, dir, raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey})
	sealed, err := os.ReadFile(filepath.Join(dir, "certificates", "swarm-node.key"))
	if err != nil {
		t.Fatal(err)
	}
	w, op := configured(raftdirtest.OtherUnlockKey), apply.Operation{Node: "m2", SwarmID: raftdirtest.ClusterID}
	var d diag.Diagnostic
	if _, err := w.keyThatOpens(sealed, op); !errors.As(err, &d) || d.Code != diag.NoUnlockKey {
		t.Errorf("with the backup's key alone: %v", err)
	}
	w.replaced[op.SwarmID] = []byte(raftdirtest.UnlockKey)
	if key, err := w.keyThatOpens(sealed, op); err != nil || string(key) != raftdirtest.UnlockKey {
		t.Errorf("with the swarm's key: %v", err)
	}
}
