package raftdir_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/state"
)

// build makes a swarm directory with room for scratch beside it.
func build(t *testing.T, o raftdirtest.Options) raftdirtest.Built {
	t.Helper()
	return raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), o)
}

func TestVerifyReports(t *testing.T) {
	b := build(t, raftdirtest.Options{
		Epoch: "e2", Term: 7, Index: 40, SnapshotAt: 9,
		Members:  []raftdirtest.Member{{RaftID: 2, NodeID: "managertwo", Addr: "10.0.0.12:2377"}, {RaftID: 3, NodeID: "managerthree", Addr: "10.0.0.13:2377"}},
		Services: 3, Networks: 2, Secrets: 4, Configs: 1, Tasks: 6, Workers: 2,
	})
	got, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{MinIndex: 40, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b.Root)
	sum := sha256.Sum256(block.Bytes)
	want := state.RaftReport{
		Term: 7, Index: 40, Commit: 40, SnapshotIndex: 9, RaftID: "1a2b3c4d5e6f",
		Members: []state.Member{
			{RaftID: "1a2b3c4d5e6f", NodeID: raftdirtest.NodeID, Addr: raftdirtest.Addr},
			{RaftID: "2", NodeID: "managertwo", Addr: "10.0.0.12:2377"},
			{RaftID: "3", NodeID: "managerthree", Addr: "10.0.0.13:2377"},
		},
		ClusterID: raftdirtest.ClusterID, ClusterCreated: raftdirtest.Created, Epoch: "e2",
		NodeID: raftdirtest.NodeID, Role: "manager", RootCASHA256: hex.EncodeToString(sum[:]),
		ManagerNodes: []string{raftdirtest.NodeID, "managerthree", "managertwo"},
		Objects:      state.Objects{Nodes: 5, Services: 3, Networks: 2, Secrets: 4, Configs: 1, Tasks: 6},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(state.RaftReport{}, "CertExpiry")); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if left := time.Until(got.CertExpiry); left < 89*24*time.Hour || left > 91*24*time.Hour {
		t.Errorf("the certificate expires at %s, not in 90 days", got.CertExpiry)
	}
}

var unlock = []byte(raftdirtest.UnlockKey + "\n")

var goodDirectories = map[string]struct {
	build raftdirtest.Options
	opts  raftdir.Options
	holds func(state.RaftReport) bool
}{
	"an empty swarm": {},
	"a sealed key": {
		build: raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey}, opts: raftdir.Options{UnlockKey: unlock},
		holds: func(r state.RaftReport) bool { return r.Autolock },
	},
	"a key that is not sealed, and an unlock key": {opts: raftdir.Options{UnlockKey: unlock}},
	"a rotation of the log key under way":         {build: raftdirtest.Options{PendingKey: true, Index: 30, SnapshotAt: 4}},
	"a sealed key and a rotation under way": {
		build: raftdirtest.Options{PendingKey: true, UnlockKey: raftdirtest.UnlockKey}, opts: raftdir.Options{UnlockKey: unlock},
	},
	"an expired certificate": {
		build: raftdirtest.Options{CertExpiry: time.Now().AddDate(0, 0, -3)},
		holds: func(r state.RaftReport) bool { return r.CertExpiry.Before(time.Now()) },
	},
	"a log that begins with a snapshot": {
		build: raftdirtest.Options{Index: 30, SnapshotAt: 20, Joined: true, Secrets: 3},
		holds: func(r state.RaftReport) bool { return r.SnapshotIndex == 20 && r.Objects.Secrets == 3 },
	},
	"a log that is nothing but a snapshot": {
		build: raftdirtest.Options{Index: 30, SnapshotAt: 30, Joined: true, Commit: 30, Secrets: 3},
		holds: func(r state.RaftReport) bool { return r.Index == 30 && r.Term == 2 && r.Objects.Secrets == 3 },
	},
	"a tail above the commit index": {
		build: raftdirtest.Options{Index: 30, Commit: 28},
		holds: func(r state.RaftReport) bool { return r.Index == 30 && r.Commit == 28 },
	},
	"a CA rotation under way": {
		build: raftdirtest.Options{Rotating: true}, holds: func(r state.RaftReport) bool { return r.RootRotating && !r.ExternalCA },
	},
	"an external CA": {
		build: raftdirtest.Options{ExternalCA: true}, holds: func(r state.RaftReport) bool { return r.ExternalCA },
	},
	"a removed member": {
		build: raftdirtest.Options{Removed: []raftdirtest.Member{{RaftID: 2, NodeID: "gone"}}},
		holds: func(r state.RaftReport) bool { return len(r.Members) == 1 },
	},
	"a member removed before a snapshot": {
		build: raftdirtest.Options{Removed: []raftdirtest.Member{{RaftID: 2, NodeID: "gone"}}, Index: 20, SnapshotAt: 10, Joined: true},
		holds: func(r state.RaftReport) bool { return len(r.Members) == 1 },
	},
	"a large swarm": {
		build: raftdirtest.Options{Services: 2000, Secrets: 500, Tasks: 4000, Workers: 100, Networks: 50},
		holds: func(r state.RaftReport) bool { return r.Objects.Services == 2000 && r.Objects.Tasks == 4000 },
	},
	"several log files": {
		build: raftdirtest.Options{Secrets: 2000, Index: 900},
		holds: func(r state.RaftReport) bool { return r.Objects.Secrets == 2000 },
	},
}

func TestVerifyTakes(t *testing.T) {
	for name, c := range goodDirectories {
		t.Run(name, func(t *testing.T) {
			b := build(t, c.build)
			before := listing(t, b.Dir)
			r, err := raftdir.Verify(t.Context(), b.Dir, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			if r.Index != b.Last || r.ClusterID != raftdirtest.ClusterID || (c.holds != nil && !c.holds(r)) {
				t.Errorf("report %+v", r)
			}
			if diff := cmp.Diff(before, listing(t, b.Dir)); diff != "" {
				t.Errorf("the directory changed (-before +after):\n%s", diff)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(b.Dir), ".verify-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// listing gives every file's digest.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		files[path] = hex.EncodeToString(sum[:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	var e *raftdir.Error
	if !errors.Is(err, kind) || !errors.As(err, &e) {
		t.Fatalf("error %v, not of the class %q", err, kind)
	}
	if e.File == "" || e.What == "" || e.Why == "" {
		t.Errorf("error %#v does not say what, where and why", e)
	}
}

// TestVerifySaysExpired: an expired certificate passes, but an error about it
// says so.
func TestVerifySaysExpired(t *testing.T) {
	b := build(t, raftdirtest.Options{CertExpiry: time.Now().AddDate(0, 0, -3)})
	fromOther(root)(t, b)
	_, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{Now: time.Now()})
	wantKind(t, err, raftdir.ErrCertificate)
	if !strings.Contains(err.Error(), "expired at") {
		t.Errorf("error %q does not say that it expired", err)
	}
}

func TestVerifyScratch(t *testing.T) {
	b := build(t, raftdirtest.Options{})
	scratch := t.TempDir()
	if _, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{Scratch: scratch}); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
	var e *raftdir.Error
	if _, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{Scratch: filepath.Join(scratch, "none")}); err == nil || errors.As(err, &e) {
		t.Errorf("error %v: no scratch says nothing about the copy", err)
	}
}
