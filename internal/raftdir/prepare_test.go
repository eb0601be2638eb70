package raftdir_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/server/v3/storage/wal"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/state"
)

const (
	self    = "1a2b3c4d5e6f"
	newAddr = "10.9.0.1:2377"
)

// preparation is a complete one, for tests to change.
func preparation() raftdir.Preparation {
	return raftdir.Preparation{Address: newAddr, Epoch: "e2", UnlockKey: unlock, KeepTail: true, Now: time.Now(), RenewIfExpired: true}
}

// prepare makes a directory beside b, and reads its membership and objects
// again, without an unlock key.
func prepare(t *testing.T, b raftdirtest.Built, p raftdir.Preparation) (raftdir.Prepared, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "prepared")
	done, err := raftdir.Prepare(t.Context(), b.Dir, out, p)
	must(t, err)
	return done, out
}

func TestPrepareOfASurvivor(t *testing.T) {
	o := sealedSurvivor()
	o.NodeAddr = "10.0.0.11"
	b := build(t, o)
	before := listing(t, b.Dir)
	p := preparation()
	p.TermAbove, p.Removed = 12, []string{"66", self}
	done, out := prepare(t, b, p)
	if diff := cmp.Diff(before, listing(t, b.Dir)); diff != "" {
		t.Errorf("the source changed (-before +after):\n%s", diff)
	}
	if done.TailKept != 3 || done.ParentEpoch != "e1" || done.OldAddress != raftdirtest.Addr || done.OldRaftID != self ||
		done.Renewed || done.NotRenewed != nil || done.RoleRepaired || done.Torn {
		t.Errorf("prepared %+v", done)
	}
	if diff := cmp.Diff([]string{"22", "33", "44", "55", "66"}, done.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	dropped := []state.Member{{RaftID: "22", NodeID: two.NodeID, Addr: two.Addr}, {RaftID: "33", NodeID: three.NodeID, Addr: three.Addr}}
	if diff := cmp.Diff(dropped, done.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	got, err := raftdir.Verify(t.Context(), out, raftdir.Options{})
	must(t, err)
	if diff := cmp.Diff(done.Report, got); diff != "" {
		t.Errorf("the report is not of what was written (-told +read):\n%s", diff)
	}
	want := state.RaftReport{
		Term: 1012, Index: 41, Commit: 41, SnapshotIndex: 40, RaftID: self, Epoch: "e2", ParentEpoch: "e1",
		Members:      []state.Member{{RaftID: self, NodeID: raftdirtest.NodeID, Addr: newAddr}},
		Objects:      state.Objects{Nodes: 5, Services: 3, Secrets: 7},
		ManagerNodes: []string{raftdirtest.NodeID, "managerthree", "managertwo"},
		ClusterID:    raftdirtest.ClusterID, ClusterCreated: raftdirtest.Created, NodeID: raftdirtest.NodeID, Role: "manager", Autolock: true,
		CertExpiry: got.CertExpiry, RootCASHA256: got.RootCASHA256,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// TestPreparedFiles: what is in the directory, with which modes, whatever the
// umask; and that it takes no room for the zeros that a log preallocates.
func TestPreparedFiles(t *testing.T) {
	old, segment := syscall.Umask(0o077), wal.SegmentSizeBytes
	wal.SegmentSizeBytes = 8 << 20
	defer func() { syscall.Umask(old); wal.SegmentSizeBytes = segment }()
	_, out := prepare(t, build(t, sealedSurvivor()), preparation())
	got := map[string]fs.FileMode{}
	must(t, filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		rel, err := filepath.Rel(out, path)
		must(t, err)
		got[rel] = info.Mode().Perm()
		return nil
	}))
	want := map[string]fs.FileMode{
		".": 0o700, "certificates": 0o755, crt: 0o644, key: 0o600, root: 0o644,
		"raft": 0o700, logs: 0o700, snap: 0o700,
		logs + "/0000000000000000-0000000000000000.wal":   0o600,
		snap + fmt.Sprintf("/%016x-%016x.snap", 1009, 40): 0o644,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(out, logs, "0000000000000000-0000000000000000.wal"))
	must(t, err)
	if used := info.Sys().(*syscall.Stat_t).Blocks * 512; info.Size() != 8<<20 || used > 1<<20 {
		t.Errorf("the log takes %d of %d bytes", used, info.Size())
	}
	keyPEM, err := os.ReadFile(filepath.Join(out, key))
	must(t, err)
	headers := pemHeaders(t, keyPEM)
	if len(headers) != 2 || headers["kek-version"] != "0" || headers["raft-dek"] == "" || raftdir.KeySealed(keyPEM) {
		t.Errorf("the key has %d headers", len(headers))
	}
}

// TestPrepareTakes: every kind of source, and what becomes of it.
func TestPrepareTakes(t *testing.T) {
	expired := time.Now().AddDate(0, 0, -3)
	for name, c := range map[string]struct {
		build  raftdirtest.Options
		hurt   func(*testing.T, raftdirtest.Built)
		change func(*raftdir.Preparation)
		holds  func(raftdir.Prepared) bool
	}{
		"an empty swarm": {holds: func(d raftdir.Prepared) bool { return len(d.Removed) == 0 && len(d.Dropped) == 0 }},
		"a tail that is not wanted": {
			build: survivor, change: func(p *raftdir.Preparation) { p.KeepTail = false },
			holds: func(d raftdir.Prepared) bool {
				return d.TailKept == 0 && d.Report.Objects.Secrets == 4 && d.Report.Index == 37 && slices.Contains(d.Removed, "44")
			},
		},
		"a tail that ends with this node's removal": {
			build: raftdirtest.Options{Secrets: 2, TailSecrets: 1, RemoveTail: true, TailLate: 1},
			holds: func(d raftdir.Prepared) bool {
				return d.RoleRepaired && d.TailKept == 2 && d.Report.Objects.Secrets == 4
			},
		},
		"the same, and the tail is not wanted": {
			build: raftdirtest.Options{Secrets: 2, RemoveTail: true}, change: func(p *raftdir.Preparation) { p.KeepTail = false },
			holds: func(d raftdir.Prepared) bool { return d.RoleRepaired && len(d.Report.Members) == 1 },
		},
		"a demotion under way": {
			build: raftdirtest.Options{Demoting: true}, holds: func(d raftdir.Prepared) bool { return d.RoleRepaired },
		},
		"a worker in the store, a manager by certificate": {
			build: raftdirtest.Options{StoreWorker: true}, holds: func(d raftdir.Prepared) bool { return d.RoleRepaired },
		},
		"a torn end": {
			build: raftdirtest.Options{Secrets: 3, Index: 30, TailSecrets: 2},
			hurt: func(t *testing.T, b raftdirtest.Built) {
				r := records(t, b.WAL)
				must(t, os.Truncate(b.WAL, r[len(r)-1]+5))
			},
			holds: func(d raftdir.Prepared) bool { return d.Torn && d.Report.Objects.Secrets >= 3 },
		},
		"a log that begins with a snapshot": {
			build: joined, holds: func(d raftdir.Prepared) bool { return d.Report.SnapshotIndex == 30 },
		},
		"a log that is nothing but a snapshot": {
			build: raftdirtest.Options{Index: 30, SnapshotAt: 30, Joined: true, Commit: 30, Secrets: 3},
			holds: func(d raftdir.Prepared) bool { return d.Report.Objects.Secrets == 3 && d.Report.Index == 31 },
		},
		"a rotation of the log key under way": {
			build: raftdirtest.Options{PendingKey: true, UnlockKey: raftdirtest.UnlockKey, Secrets: 3, Index: 30, SnapshotAt: 9},
			holds: func(d raftdir.Prepared) bool { return d.Report.Objects.Secrets == 3 },
		},
		"a fresh identity": {
			build: survivor, change: func(p *raftdir.Preparation) { p.FreshIdentity = true },
			holds: func(d raftdir.Prepared) bool {
				return d.Report.RaftID != self && slices.Contains(d.Removed, self) && !slices.Contains(d.Removed, d.Report.RaftID) && len(d.Dropped) == 2 &&
					d.Report.NodeID == d.NodeID && d.NodeID != raftdirtest.NodeID && d.OldNodeID == raftdirtest.NodeID && d.Report.Objects.Nodes == 6
			},
		},
		"a certificate that has expired": {
			build: raftdirtest.Options{CertExpiry: expired},
			holds: func(d raftdir.Prepared) bool { return d.Renewed && time.Until(d.Report.CertExpiry) > 89*24*time.Hour },
		},
		"a certificate that expires within the hour": {
			build: raftdirtest.Options{CertExpiry: time.Now().Add(50 * time.Minute)}, holds: func(d raftdir.Prepared) bool { return d.Renewed },
		},
		"a certificate that lives longer": {
			build: raftdirtest.Options{CertExpiry: time.Now().Add(70 * time.Minute)}, holds: func(d raftdir.Prepared) bool { return !d.Renewed },
		},
		"a certificate that has expired by the target's clock only": {
			change: func(p *raftdir.Preparation) { p.Now = time.Now().AddDate(0, 0, 91) },
			holds:  func(d raftdir.Prepared) bool { return d.Renewed },
		},
		"an expired certificate that is to stay": {
			build: raftdirtest.Options{CertExpiry: expired}, change: func(p *raftdir.Preparation) { p.RenewIfExpired = false },
			holds: func(d raftdir.Prepared) bool { return !d.Renewed && d.Report.CertExpiry.Before(time.Now()) },
		},
		"an expired certificate of an external CA": {
			build: raftdirtest.Options{CertExpiry: expired, ExternalCA: true},
			holds: func(d raftdir.Prepared) bool { return !d.Renewed && errors.Is(d.NotRenewed, raftdir.ErrExternalCA) },
		},
		"an expired certificate and a CA rotation": {
			build: raftdirtest.Options{CertExpiry: expired, Rotating: true},
			holds: func(d raftdir.Prepared) bool { return !d.Renewed && errors.Is(d.NotRenewed, raftdir.ErrRootRotating) },
		},
		"an external CA, and nothing has expired": {
			build: raftdirtest.Options{ExternalCA: true}, holds: func(d raftdir.Prepared) bool { return d.NotRenewed == nil },
		},
		"an expired certificate under a sealed key": {
			build: raftdirtest.Options{CertExpiry: expired, UnlockKey: raftdirtest.UnlockKey, Secrets: 2},
			holds: func(d raftdir.Prepared) bool { return d.Renewed && d.Report.Objects.Secrets == 2 },
		},
		"a vote in a term that nobody won": {
			build: raftdirtest.Options{Term: 3, VotedTerm: 50}, holds: func(d raftdir.Prepared) bool { return d.Report.Term == 1050 },
		},
		"a large swarm": {
			build: raftdirtest.Options{Services: 2000, Secrets: 500, Tasks: 4000, Workers: 100, Networks: 50},
			holds: func(d raftdir.Prepared) bool { return d.Report.Objects.Services == 2000 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := build(t, c.build)
			if c.hurt != nil {
				c.hurt(t, b)
			}
			p := preparation()
			if c.change != nil {
				c.change(&p)
			}
			done, out := prepare(t, b, p)
			if c.holds != nil && !c.holds(done) {
				t.Errorf("prepared %+v", done)
			}
			if _, err := raftdir.Verify(t.Context(), out, raftdir.Options{}); err != nil {
				t.Errorf("what was prepared: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".verify-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestPrepareRefuses: nothing is left of what can't be prepared.
func TestPrepareRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		build raftdirtest.Options
		hurt  func(*testing.T, raftdirtest.Built)
		key   []byte
		kind  error
	}{
		"removed":                    {build: raftdirtest.Options{RemoveSelf: true, Index: 20}, kind: raftdir.ErrRemoved},
		"removed before a snapshot":  {build: raftdirtest.Options{RemoveSelf: true, Index: 20, SnapshotAt: 4}, kind: raftdir.ErrRemoved},
		"never a member":             {build: raftdirtest.Options{NoMember: true}, kind: raftdir.ErrRemoved},
		"the member is another node": {build: raftdirtest.Options{MemberNodeID: "someoneelse"}, kind: raftdir.ErrRemoved},
		"no node object":             {build: raftdirtest.Options{NoNode: true}, kind: raftdir.ErrNotManager},
		"a worker's certificate":     {build: raftdirtest.Options{CertRole: "swarm-worker"}, kind: raftdir.ErrNotManager},
		"no cluster":                 {build: raftdirtest.Options{NoCluster: true}, kind: raftdir.ErrWrongCluster},
		"another cluster":            {build: raftdirtest.Options{CertCluster: "anothercluster"}, kind: raftdir.ErrWrongCluster},
		"locked":                     {build: sealed, kind: raftdir.ErrLocked},
		"another unlock key":         {build: sealed, key: []byte(raftdirtest.OtherUnlockKey), kind: raftdir.ErrWrongUnlockKey},
		"a gap":                      {build: raftdirtest.Options{Index: 30, GapAt: 17}, kind: raftdir.ErrLogDamaged},
		"no certificate":             {hurt: remove(crt), kind: raftdir.ErrMissing},
		"an entry that is none":      {build: raftdirtest.Options{BadEntry: true}, kind: raftdir.ErrStore},
		"root CA beside another": {
			hurt: func(t *testing.T, b raftdirtest.Built) {
				other := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{})
				write(root, string(b.Root)+string(other.Root))(t, b)
			},
			kind: raftdir.ErrRootCA,
		},
		"the same, and the certificate has expired": {
			build: raftdirtest.Options{CertExpiry: time.Now().AddDate(0, 0, -3)},
			hurt: func(t *testing.T, b raftdirtest.Built) {
				other := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{})
				write(root, string(b.Root)+string(other.Root))(t, b)
			},
			kind: raftdir.ErrRootCA,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := build(t, c.build)
			if c.hurt != nil {
				c.hurt(t, b)
			}
			p, out := preparation(), filepath.Join(t.TempDir(), "prepared")
			p.UnlockKey = c.key
			done, err := raftdir.Prepare(t.Context(), b.Dir, out, p)
			wantKind(t, err, c.kind)
			wantSilence(t, err)
			if _, serr := os.Lstat(out); !errors.Is(serr, fs.ErrNotExist) || done.Report.Index != 0 {
				t.Errorf("left: %v, %+v", serr, done)
			}
		})
	}
}

// TestPrepareRefusesPreparations: what is asked for is checked before anything
// is read.
func TestPrepareRefusesPreparations(t *testing.T) {
	b := build(t, raftdirtest.Options{})
	for name, c := range map[string]struct {
		change func(*raftdir.Preparation)
		says   string
	}{
		"no address":         {func(p *raftdir.Preparation) { p.Address = "" }, "address"},
		"a name":             {func(p *raftdir.Preparation) { p.Address = "m1:2377" }, "m1:2377"},
		"no port":            {func(p *raftdir.Preparation) { p.Address = "10.0.0.11" }, "10.0.0.11"},
		"any address":        {func(p *raftdir.Preparation) { p.Address = "0.0.0.0:2377" }, "0.0.0.0"},
		"no epoch":           {func(p *raftdir.Preparation) { p.Epoch = "" }, "epoch"},
		"no raft ID":         {func(p *raftdir.Preparation) { p.Removed = []string{"xyz"} }, "xyz"},
		"zero is no raft ID": {func(p *raftdir.Preparation) { p.Removed = []string{"0"} }, "raft ID"},
		"a term at the end":  {func(p *raftdir.Preparation) { p.TermAbove = 1<<64 - 2 }, "term"},
		"no scratch":         {func(p *raftdir.Preparation) { p.Scratch = filepath.Join(b.Dir, "none") }, "scratch"},
	} {
		p, out := preparation(), filepath.Join(t.TempDir(), "prepared")
		c.change(&p)
		_, err := raftdir.Prepare(t.Context(), b.Dir, out, p)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something is left", name)
		}
	}
	there := t.TempDir()
	if _, err := raftdir.Prepare(t.Context(), b.Dir, there, preparation()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a directory that is there: error %v", err)
	}
	if _, err := os.Stat(there); err != nil {
		t.Errorf("a directory that was there is gone: %v", err)
	}
	if _, err := raftdir.Prepare(t.Context(), b.Dir, filepath.Join(there, "no", "where"), preparation()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no parent: error %v", err)
	}
}

func TestPrepareStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "prepared")
	if _, err := raftdir.Prepare(ctx, build(t, raftdirtest.Options{}).Dir, out, preparation()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestPrepareTwice: a prepared directory is a source like any other, and its
// removed list is never forgotten.
func TestPrepareTwice(t *testing.T) {
	first, out := prepare(t, build(t, survivor), preparation())
	p := preparation()
	p.Epoch, p.Address = "e3", "10.9.0.2:2377"
	done, err := raftdir.Prepare(t.Context(), out, out+".again", p)
	must(t, err)
	if done.ParentEpoch != "e2" || done.OldAddress != newAddr || done.Report.Term != first.Report.Term+1000 || done.Report.Index != first.Report.Index+1 {
		t.Errorf("prepared %+v", done)
	}
	if diff := cmp.Diff(first.Removed, done.Removed); diff != "" {
		t.Errorf("removed (-first +second):\n%s", diff)
	}
}
