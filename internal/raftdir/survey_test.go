package raftdir_test

import (
	"context"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/state"
)

var (
	two   = raftdirtest.Member{RaftID: 0x22, NodeID: "managertwo", Addr: "10.0.0.12:2377"}
	three = raftdirtest.Member{RaftID: 0x33, NodeID: "managerthree", Addr: "10.0.0.13:2377"}
	four  = raftdirtest.Member{RaftID: 0x44, NodeID: "managerfour", Addr: "10.0.0.14:2377"}
	gone  = raftdirtest.Member{RaftID: 0x55, NodeID: "gone", Addr: "10.0.0.15:2377"}
)

// survivor is a manager of three that was killed: two secrets, a joining member
// and a third secret stand above its commit index.
var survivor = raftdirtest.Options{
	Epoch: "e1", Term: 7, VotedTerm: 9, Index: 40, SnapshotAt: 9,
	Members: []raftdirtest.Member{two, three}, Removed: []raftdirtest.Member{gone},
	Services: 3, Secrets: 4, Workers: 2,
	TailSecrets: 2, TailJoins: []raftdirtest.Member{four}, TailLate: 1,
}

func sealedSurvivor() raftdirtest.Options {
	o := survivor
	o.UnlockKey = raftdirtest.UnlockKey
	return o
}

// TestSurveyTellsWhatVerifyTells: where both take a copy they read the same.
func TestSurveyTellsWhatVerifyTells(t *testing.T) {
	for name, c := range goodDirectories {
		t.Run(name, func(t *testing.T) {
			b := build(t, c.build)
			before := listing(t, b.Dir)
			want, err := raftdir.Verify(t.Context(), b.Dir, c.opts)
			must(t, err)
			got, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{UnlockKey: c.opts.UnlockKey})
			must(t, err)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(state.RaftReport{}, "EverSeen", "VotedTerm")); diff != "" {
				t.Errorf("Verify and Survey differ (-verify +survey):\n%s", diff)
			}
			if diff := cmp.Diff(before, listing(t, b.Dir)); diff != "" {
				t.Errorf("the directory changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestSurveyOfASurvivor(t *testing.T) {
	b := build(t, sealedSurvivor())
	opened, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{UnlockKey: unlock})
	must(t, err)
	if opened.Term != 7 || opened.VotedTerm != 9 || opened.Index != 40 || opened.Commit != 36 || opened.Objects.Secrets != 4 || opened.Torn {
		t.Errorf("report %+v", opened)
	}
	if diff := cmp.Diff([]string{"1a2b3c4d5e6f", "22", "33", "44", "55"}, opened.EverSeen); diff != "" {
		t.Errorf("ever seen (-want +got):\n%s", diff)
	}
	for name, key := range map[string]string{"no key": "", "another key": raftdirtest.OtherUnlockKey, "no key at all": "hunter2"} {
		clear, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{UnlockKey: []byte(key)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !clear.Autolock || len(clear.Members) != 0 || !clear.ClusterCreated.IsZero() {
			t.Errorf("%s: it tells what it can't know: %+v", name, clear)
		}
		want := opened
		want.Members, want.ManagerNodes, want.ClusterCreated, want.Epoch, want.Objects = nil, nil, time.Time{}, "", state.Objects{}
		if diff := cmp.Diff(want, clear, cmpopts.IgnoreFields(state.RaftReport{}, "EverSeen")); diff != "" {
			t.Errorf("%s: what stands in clear (-with key +without):\n%s", name, diff)
		}
	}
}

// TestSurveyForgetsATornEnd cuts and zeroes the log within its last records: a
// survey reads to the last whole one, and never past a commit index.
func TestSurveyForgetsATornEnd(t *testing.T) {
	o := survivor
	o.SnapshotAt = 0
	b := build(t, o)
	whole, err := os.ReadFile(b.WAL)
	must(t, err)
	begins := records(t, b.WAL)
	last := len(begins) - 1
	for _, off := range []int64{begins[last] + 5, begins[last-1] + 9, begins[last-2] + 20} {
		must(t, os.WriteFile(b.WAL, whole[:off], 0o600))
		r, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{})
		if err != nil || !r.Torn || r.Index < 39 || r.Objects.Secrets < 4 {
			t.Errorf("cut at %d of %d: %+v, error %v", off, b.Bytes, r, err)
		}
		if _, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{}); off != begins[last] && !errors.Is(err, raftdir.ErrLogDamaged) {
			t.Errorf("cut at %d: Verify says %v", off, err)
		}
	}
	hole := append([]byte(nil), whole...)
	clear(hole[begins[last] : begins[last]+8])
	must(t, os.WriteFile(b.WAL, hole, 0o600))
	if r, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{}); err != nil || !r.Torn || r.Index != 40 {
		t.Errorf("zeros for the last record: %+v, error %v", r, err)
	}
}

// TestSurveyTakesNoDamageForATear flips bits and clears sectors all over a
// log: an engine repairs some of that as if it were a torn end, and forgets
// what was committed. A survey never reports such a log as one that is behind.
func TestSurveyTakesNoDamageForATear(t *testing.T) {
	b := build(t, raftdirtest.Options{Index: 40, Secrets: 5})
	whole, err := os.ReadFile(b.WAL)
	must(t, err)
	begins := records(t, b.WAL)
	// The last four records may be what was never synced.
	synced := begins[len(begins)-4]
	damaged := 0
	check := func(what string, off int64) {
		r, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{})
		if err != nil {
			damaged++
		} else if r.Index < 39 || r.Commit < 38 || r.Objects.Secrets != 5 {
			t.Errorf("%s at %d of %d: index %d, commit %d, torn %v", what, off, b.Bytes, r.Index, r.Commit, r.Torn)
		}
	}
	for off := int64(0); off < synced; off++ {
		flip(t, b.WAL, off)
		check("a flipped bit", off)
		flip(t, b.WAL, off)
	}
	for off := int64(0); off+512 < synced; off += 512 {
		hole := append([]byte(nil), whole...)
		clear(hole[off : off+512])
		must(t, os.WriteFile(b.WAL, hole, 0o600))
		check("a hole", off)
	}
	if damaged < int(synced)*3/4 {
		t.Errorf("only %d of %d damages were found", damaged, synced)
	}
}

// TestSurveyPassesABrokenSnapshot: an engine falls back to the log where that
// still begins at the beginning.
func TestSurveyPassesABrokenSnapshot(t *testing.T) {
	b := build(t, survivor)
	must(t, os.Truncate(b.Snap, 100))
	r, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{})
	if err != nil || r.SnapshotIndex != 0 || r.Index != 40 || r.Objects.Secrets != 4 {
		t.Errorf("report %+v, error %v", r, err)
	}
}

// TestSurveyRefuses: what no engine starts on, with what was read before it.
func TestSurveyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		build raftdirtest.Options
		hurt  func(*testing.T, raftdirtest.Built)
		kind  error
		index uint64 // that the report tells all the same
	}{
		"no log":                        {hurt: remove(logs), kind: raftdir.ErrMissing},
		"no raft":                       {hurt: remove("raft"), kind: raftdir.ErrMissing},
		"no snapshots":                  {hurt: remove(snap), kind: raftdir.ErrMissing},
		"no log file":                   {hurt: empty(logs), kind: raftdir.ErrMissing},
		"no certificate":                {build: raftdirtest.Options{Index: 30}, hurt: remove(crt), kind: raftdir.ErrMissing, index: 30},
		"a certificate that is none":    {build: raftdirtest.Options{Index: 30}, hurt: write(crt, "x"), kind: raftdir.ErrCertificate, index: 30},
		"no key":                        {build: raftdirtest.Options{Index: 30}, hurt: remove(key), kind: raftdir.ErrMissing, index: 30},
		"no root CA":                    {build: raftdirtest.Options{Index: 30}, hurt: remove(root), kind: raftdir.ErrMissing, index: 30},
		"a root CA that is none":        {build: raftdirtest.Options{Index: 30}, hurt: write(root, "x"), kind: raftdir.ErrRootCA, index: 30},
		"a key without headers":         {build: raftdirtest.Options{Index: 30}, hurt: edit(key, dropHeaders), kind: raftdir.ErrNoLogKey, index: 30},
		"another's key":                 {build: raftdirtest.Options{Index: 30}, hurt: fromOther(key), kind: raftdir.ErrLogKey, index: 30},
		"another's key, a snapshot":     {build: joined, hurt: fromOther(key), kind: raftdir.ErrLogKey, index: 30},
		"an entry that is none":         {build: raftdirtest.Options{BadEntry: true, Index: 30}, kind: raftdir.ErrStore, index: 30},
		"a commit index above the log":  {build: raftdirtest.Options{Index: 30, Commit: 31}, kind: raftdir.ErrCommit, index: 30},
		"a gap":                         {build: raftdirtest.Options{Index: 30, GapAt: 17}, kind: raftdir.ErrLogDamaged},
		"a snapshot that the log lacks": {build: joined, hurt: func(t *testing.T, b raftdirtest.Built) { must(t, os.Remove(b.Snap)) }, kind: raftdir.ErrLogDamaged},
		"a log file cut, but not last":  {build: long, hurt: func(t *testing.T, b raftdirtest.Built) { f := segment(t, b, 1); must(t, os.Truncate(f, size(t, f)/2)) }, kind: raftdir.ErrLogDamaged},
		"a flipped bit before the end":  {build: raftdirtest.Options{Index: 30}, hurt: func(t *testing.T, b raftdirtest.Built) { flip(t, b.WAL, records(t, b.WAL)[21]+30) }, kind: raftdir.ErrLogDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			b := build(t, c.build)
			if c.hurt != nil {
				c.hurt(t, b)
			}
			r, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{})
			wantKind(t, err, c.kind)
			wantSilence(t, err)
			if r.Index != c.index {
				t.Errorf("the report tells index %d, want %d", r.Index, c.index)
			}
		})
	}
}

func TestSurveyWithoutACluster(t *testing.T) {
	r, err := raftdir.Survey(t.Context(), build(t, raftdirtest.Options{Index: 30, Commit: 1}).Dir, raftdir.SurveyOptions{})
	if err != nil || r.Index != 30 || r.Commit != 1 || !r.ClusterCreated.IsZero() {
		t.Errorf("a member that had not caught up: %+v, error %v", r, err)
	}
	if r, err := raftdir.Survey(t.Context(), build(t, raftdirtest.Options{CertRole: "swarm-worker"}).Dir, raftdir.SurveyOptions{}); err != nil || r.Role != "worker" {
		t.Errorf("a demoted one: %+v, error %v", r, err)
	}
}

func TestSurveyStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := raftdir.Survey(ctx, build(t, raftdirtest.Options{}).Dir, raftdir.SurveyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestUnsealKey(t *testing.T) {
	for name, o := range map[string]raftdirtest.Options{
		"sealed":                 {UnlockKey: raftdirtest.UnlockKey},
		"sealed, two log keys":   {UnlockKey: raftdirtest.UnlockKey, PendingKey: true},
		"in clear":               {},
		"in clear, two log keys": {PendingKey: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := build(t, o)
			was := read(t, b, key)
			open, err := raftdir.UnsealKey(was, unlock)
			must(t, err)
			if raftdir.KeySealed(open) || pemHeaders(t, open)["kek-version"] != "0" {
				t.Error("it is sealed still, or has another version than 0")
			}
			// The opened key fits certificate and log: the whole directory
			// verifies with it.
			write(key, string(open))(t, b)
			if _, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	sealed := read(t, build(t, raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey}), key)
	for name, c := range map[string]struct {
		pem    []byte
		unlock string
		kind   error
	}{
		"no unlock key": {sealed, "", raftdir.ErrLocked},
		"another's":     {sealed, raftdirtest.OtherUnlockKey, raftdir.ErrWrongUnlockKey},
		"no key file":   {[]byte("x"), raftdirtest.UnlockKey, raftdir.ErrKeyDamaged},
	} {
		got, err := raftdir.UnsealKey(c.pem, []byte(c.unlock))
		if len(got) > 0 {
			t.Errorf("%s: it gives a key", name)
		}
		wantKind(t, err, c.kind)
		wantSilence(t, err)
	}
	open, err := raftdir.UnsealKey([]byte(dropHeaders(string(sealed))), unlock)
	if err != nil || raftdir.KeySealed(open) {
		t.Errorf("a removed manager's key, which has lost its log's: %v", err)
	}
}

func pemHeaders(t *testing.T, keyPEM []byte) map[string]string {
	t.Helper()
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		t.Fatal("no PEM")
	}
	return block.Headers
}

func TestInventory(t *testing.T) {
	b := build(t, raftdirtest.Options{
		UnlockKey: raftdirtest.UnlockKey, Services: 3, Secrets: 2, Configs: 1, Networks: 2, Predefined: 2, Workers: 1,
		Labels: map[string]string{"zone": "a"}, Members: []raftdirtest.Member{two}, Commit: 0, TailSecrets: 1,
	})
	got, err := raftdir.Inventory(t.Context(), b.Dir, unlock)
	must(t, err)
	if len(got.Services) != 3 || len(got.Secrets) != 2 || len(got.Configs) != 1 || len(got.Networks) != 2 || len(got.Nodes) != 3 {
		t.Errorf("inventory %+v", got)
	}
	want := state.InventoryNode{Labels: map[string]string{"zone": "a"}, Role: "manager", Availability: "active"}
	if diff := cmp.Diff(want, got.Nodes[raftdirtest.NodeID]); diff != "" {
		t.Errorf("this node (-want +got):\n%s", diff)
	}
	_, err = raftdir.Inventory(t.Context(), b.Dir, nil)
	wantKind(t, err, raftdir.ErrLocked)
	_, err = raftdir.Inventory(t.Context(), filepath.Join(b.Dir, "none"), nil)
	wantKind(t, err, raftdir.ErrMissing)
}
