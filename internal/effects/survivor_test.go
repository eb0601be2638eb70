package effects

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestASafetyCopyIsCalledVerifiedOnlyIfItIs: what a killed manager leaves may end in
// a record that was never wholly written. It is kept, and not called verified.
func TestASafetyCopyIsCalledVerifiedOnlyIfItIs(t *testing.T) {
	w := New(Options{Now: time.Now})
	dir := filepath.Join(t.TempDir(), "swarm")
	raftdirtest.Build(t, dir, raftdirtest.Options{Secrets: 3})
	whole, verified, err := w.readSurvivor(t.Context(), dir, nil)
	if err != nil || !verified {
		t.Fatalf("a directory that is whole: verified %v, %v", verified, err)
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "raft", "wal-v3-encrypted", "*.wal"))
	if len(logs) != 1 {
		t.Fatalf("%d log files", len(logs))
	}
	data, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	end := len(data)
	for end > 0 && data[end-1] == 0 {
		end--
	}
	if err := os.Truncate(logs[0], int64(end-9)); err != nil {
		t.Fatal(err)
	}
	torn, verified, err := w.readSurvivor(t.Context(), dir, nil)
	if err != nil || verified || !torn.Torn || torn.Index > whole.Index || torn.Index == 0 {
		t.Errorf("a torn one: verified %v, torn %v at index %d of %d, %v", verified, torn.Torn, torn.Index, whole.Index, err)
	}
}
