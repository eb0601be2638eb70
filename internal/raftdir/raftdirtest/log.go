package raftdirtest

import (
	"slices"
	"testing"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/ca"
	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"github.com/moby/swarmkit/v2/manager/state/store"
	"go.etcd.io/raft/v3/raftpb"
)

// entries makes the log: the managers join, the leader writes its first empty
// entry, the objects follow, then empty entries up to o.Index.
func entries(t testing.TB, o Options, root ca.RootCA) []raftpb.Entry {
	t.Helper()
	l := &entryList{t: t, term: o.Term}
	if !o.NoMember {
		l.configure(raftpb.ConfChangeAddNode, api.RaftMember{RaftID: o.RaftID, NodeID: o.MemberNodeID, Addr: o.Addr})
	}
	l.add(raftpb.EntryNormal, nil)
	for _, m := range o.Members {
		l.configure(raftpb.ConfChangeAddNode, api.RaftMember{RaftID: m.RaftID, NodeID: m.NodeID, Addr: m.Addr})
	}
	for _, m := range o.Removed {
		l.configure(raftpb.ConfChangeAddNode, api.RaftMember{RaftID: m.RaftID, NodeID: m.NodeID, Addr: m.Addr})
		l.configure(raftpb.ConfChangeRemoveNode, api.RaftMember{RaftID: m.RaftID})
	}
	for _, r := range creations(t, objects(t, o, root)) {
		data, err := r.Marshal()
		check(t, err)
		l.add(raftpb.EntryNormal, data)
	}
	if o.BadEntry {
		l.add(raftpb.EntryNormal, []byte{0xff, 0xff, 0xff})
	}
	self := api.RaftMember{RaftID: o.RaftID, NodeID: o.MemberNodeID, Addr: o.Addr}
	if o.RemoveSelf {
		l.configure(raftpb.ConfChangeRemoveNode, self)
	}
	fill := o.Index
	if tail := o.tail(); fill > tail {
		fill -= tail
	}
	for uint64(len(l.all)) < fill {
		l.add(raftpb.EntryNormal, nil)
	}
	l.tail(o, self)
	if o.Index != 0 && uint64(len(l.all)) != o.Index {
		t.Fatalf("raftdirtest: the objects take %d entries, more than Index %d", len(l.all), o.Index)
	}
	return l.all
}

// tail is how many entries stand above the commit index.
func (o Options) tail() uint64 {
	n := uint64(o.TailSecrets + len(o.TailJoins) + o.TailLate)
	if o.RemoveTail {
		n++
	}
	return n
}

func (l *entryList) tail(o Options, self api.RaftMember) {
	l.t.Helper()
	secrets := func(from, n int) {
		for i := from; i < from+n; i++ {
			for _, r := range creations(l.t, []api.StoreObject{secret(i, api.Meta{})}) {
				data, err := r.Marshal()
				check(l.t, err)
				l.add(raftpb.EntryNormal, data)
			}
		}
	}
	secrets(o.Secrets, o.TailSecrets)
	for _, m := range o.TailJoins {
		l.configure(raftpb.ConfChangeAddNode, api.RaftMember{RaftID: m.RaftID, NodeID: m.NodeID, Addr: m.Addr})
	}
	if o.RemoveTail {
		l.configure(raftpb.ConfChangeRemoveNode, self)
	}
	secrets(o.Secrets+o.TailSecrets, o.TailLate)
}

type entryList struct {
	t    testing.TB
	term uint64
	all  []raftpb.Entry
}

func (l *entryList) add(kind raftpb.EntryType, data []byte) {
	l.all = append(l.all, raftpb.Entry{Type: kind, Term: l.term, Index: uint64(len(l.all) + 1), Data: data})
}

func (l *entryList) configure(kind raftpb.ConfChangeType, m api.RaftMember) {
	l.t.Helper()
	context, err := m.Marshal()
	check(l.t, err)
	cc := raftpb.ConfChange{Type: kind, NodeID: m.RaftID, Context: context}
	data, err := cc.Marshal()
	check(l.t, err)
	l.add(raftpb.EntryConfChange, data)
}

// writeLog writes raft/ with swarmkit's logger, as a manager does.
func writeLog(t testing.TB, stateDir string, o Options, all []raftpb.Entry, keys logKeys) {
	t.Helper()
	logger := &storage.EncryptedRaftLogger{StateDir: stateDir, EncryptionKey: keys.current}
	metadata, err := (&api.RaftMember{RaftID: o.RaftID, NodeID: o.MemberNodeID, Addr: o.Addr}).Marshal()
	check(t, err)
	check(t, logger.BootstrapNew(metadata))
	last := all[len(all)-1].Index
	for i, e := range all {
		if keys.pending != nil && i == len(all)/2 {
			logger.RotateEncryptionKey(keys.pending)
		}
		if e.Index == o.GapAt || (o.Joined && e.Index <= o.SnapshotAt) {
			if e.Index == o.SnapshotAt {
				writeSnapshot(t, logger, o, all[:i+1])
			}
			continue
		}
		check(t, logger.SaveEntries(raftpb.HardState{Term: o.Term, Vote: o.RaftID, Commit: e.Index}, []raftpb.Entry{e}))
		if e.Index == o.SnapshotAt {
			writeSnapshot(t, logger, o, all[:i+1])
		}
	}
	commit := o.Commit
	if commit == 0 && (o.tail() > 0 || o.VotedTerm > 0) {
		commit = last - o.tail()
	}
	if commit != 0 {
		check(t, logger.SaveEntries(raftpb.HardState{Term: max(o.Term, o.VotedTerm), Vote: o.RaftID, Commit: commit}, nil))
	}
	logger.Close(t.Context())
}

// writeSnapshot takes a snapshot of what the entries amount to.
func writeSnapshot(t testing.TB, logger *storage.EncryptedRaftLogger, o Options, upTo []raftpb.Entry) {
	t.Helper()
	s := store.NewMemoryStore(nil)
	defer s.Close()
	content := api.Snapshot{Version: api.Snapshot_V0}
	for _, e := range upTo {
		switch {
		case e.Type == raftpb.EntryConfChange:
			changeMembers(t, &content.Membership, e.Data)
		case len(e.Data) > 0:
			var r api.InternalRaftRequest
			check(t, r.Unmarshal(e.Data))
			check(t, s.ApplyStoreActions(r.Action))
		}
	}
	s.View(func(tx store.ReadTx) {
		saved, err := s.Save(tx)
		check(t, err)
		content.Store = *saved
	})
	data, err := content.Marshal()
	check(t, err)
	var voters []uint64
	for _, m := range content.Membership.Members {
		voters = append(voters, m.RaftID)
	}
	last := upTo[len(upTo)-1]
	check(t, logger.SaveSnapshot(raftpb.Snapshot{
		Data:     data,
		Metadata: raftpb.SnapshotMetadata{Index: last.Index, Term: last.Term, ConfState: raftpb.ConfState{Voters: voters}},
	}))
}

func changeMembers(t testing.TB, s *api.ClusterSnapshot, data []byte) {
	t.Helper()
	var cc raftpb.ConfChange
	check(t, cc.Unmarshal(data))
	if cc.Type == raftpb.ConfChangeRemoveNode {
		s.Members = slices.DeleteFunc(s.Members, func(m *api.RaftMember) bool { return m.RaftID == cc.NodeID })
		s.Removed = append(s.Removed, cc.NodeID)
		return
	}
	m := &api.RaftMember{}
	check(t, m.Unmarshal(cc.Context))
	s.Members = append(s.Members, m)
}
