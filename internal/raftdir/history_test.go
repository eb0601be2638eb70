package raftdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/swarmkit/v2/api"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

func ents(terms ...uint64) []raftpb.Entry {
	var list []raftpb.Entry
	for i, term := range terms {
		list = append(list, raftpb.Entry{Term: term, Index: uint64(i + 11)})
	}
	return list
}

// TestBounds: the entries follow a snapshot at index 10 and term 2.
func TestBounds(t *testing.T) {
	gap := ents(2, 2)
	gap[1].Index = 13
	for name, c := range map[string]struct {
		entries []raftpb.Entry
		commit  uint64
		kind    error
	}{
		"commit at the snapshot":   {ents(2, 2), 10, nil},
		"commit at the end":        {ents(2, 3), 12, nil},
		"nothing but the snapshot": {nil, 10, nil},
		"commit before":            {ents(2, 2), 9, ErrCommit},
		"no commit":                {ents(2, 2), 0, ErrCommit},
		"commit behind the end":    {ents(2, 2), 13, ErrCommit},
		"an index left out":        {gap, 13, ErrLogDamaged},
		"a term that falls":        {ents(3, 2), 12, ErrLogDamaged},
		"a term below the start's": {ents(1, 2), 12, ErrLogDamaged},
	} {
		h := &history{
			snapshot: &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 10, Term: 2}},
			entries:  c.entries, state: raftpb.HardState{Commit: c.commit},
		}
		if err := checkBounds(h); !errors.Is(err, c.kind) || (c.kind == nil) != (err == nil) {
			t.Errorf("%s: error %v, want %v", name, err, c.kind)
		}
	}
	if term, index := (&history{}).last(); term != 0 || index != 0 {
		t.Errorf("nothing ends at term %d, index %d", term, index)
	}
}

// TestRebuildRefuses gives the rebuilding what decrypts but is not a swarm's.
func TestRebuildRefuses(t *testing.T) {
	self, err := (&api.RaftMember{RaftID: 1}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	version, err := (&api.Snapshot{Version: 7}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	snapshot := func(data []byte) *raftpb.Snapshot { return &raftpb.Snapshot{Data: data} }
	for name, h := range map[string]*history{
		"no metadata":                    {},
		"metadata that is none":          {metadata: []byte{0xff}},
		"a snapshot that is none":        {metadata: self, snapshot: snapshot([]byte{0xff})},
		"a snapshot of another version":  {metadata: self, snapshot: snapshot(version)},
		"a change that is none":          {metadata: self, entries: []raftpb.Entry{{Type: raftpb.EntryConfChange, Data: []byte{0xff}}}},
		"an entry of an unknown kind":    {metadata: self, entries: []raftpb.Entry{{Type: raftpb.EntryConfChangeV2}}},
		"a tail's entry that is none":    {metadata: self, entries: []raftpb.Entry{{Index: 1, Data: []byte{0xff}}}},
		"an action without its object":   {metadata: self, state: raftpb.HardState{Commit: 1}, entries: []raftpb.Entry{request(t, api.StoreAction{})}},
		"a removal of what is not there": {metadata: self, state: raftpb.HardState{Commit: 1}, entries: []raftpb.Entry{request(t, removal("nobody"))}},
	} {
		s, err := rebuild(t.Context(), h)
		if s != nil || !errors.Is(err, ErrStore) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func request(t *testing.T, actions ...api.StoreAction) raftpb.Entry {
	t.Helper()
	data, err := (&api.InternalRaftRequest{ID: 1, Action: actions}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raftpb.Entry{Index: 1, Data: data}
}

func removal(id string) api.StoreAction {
	return api.StoreAction{Action: api.StoreActionKindRemove, Target: &api.StoreAction_Secret{Secret: &api.Secret{ID: id}}}
}

// TestGuarded: a decoder that panics makes an error without what it said.
func TestGuarded(t *testing.T) {
	err := guarded(Error{Kind: ErrLogDamaged, File: "f", What: "w", Why: "y"}, func() error { panic("payload") })
	if !errors.Is(err, ErrLogDamaged) || strings.Contains(err.Error(), "payload") {
		t.Errorf("error %v", err)
	}
	want := errors.New("x")
	if err := guarded(Error{}, func() error { return want }); err != want {
		t.Errorf("error %v", err)
	}
}

// TestLoaderRefuses: what swarmkit's loader does not take is an error, also
// where this package saw nothing wrong.
func TestLoaderRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "swarm")
	for _, sub := range []string{fileWAL, fileSnap} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := proveLoads(t.Context(), dir, "", &nodeKey{current: make([]byte, 32)}, &history{}); !errors.Is(err, ErrLoader) {
		t.Errorf("error %v", err)
	}
}

// TestLoaderDisagrees: swarmkit's loader must read the log that this package read.
func TestLoaderDisagrees(t *testing.T) {
	b := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{Index: 20, SnapshotAt: 5})
	id, err := readIdentity(b.Dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHistory(t.Context(), b.Dir, id.key.decrypter())
	if err != nil {
		t.Fatal(err)
	}
	if err := proveLoads(t.Context(), b.Dir, "", id.key, h); err != nil {
		t.Fatal(err)
	}
	short, early := *h, *h
	short.entries = h.entries[:len(h.entries)-1]
	early.state.Commit--
	for name, other := range map[string]*history{"one entry less": &short, "another commit index": &early} {
		if err := proveLoads(t.Context(), b.Dir, "", id.key, other); !errors.Is(err, ErrLoader) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
