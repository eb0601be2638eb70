package raftdir

import (
	"testing"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/state/raft/membership"
	"github.com/moby/swarmkit/v2/manager/state/store"
	"go.etcd.io/raft/v3/raftpb"
)

// change is a configuration change as swarmkit writes it.
func change(t *testing.T, kind raftpb.ConfChangeType, m api.RaftMember) raftpb.Entry {
	t.Helper()
	context, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	cc := raftpb.ConfChange{Type: kind, NodeID: m.RaftID, Context: context}
	data, err := cc.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raftpb.Entry{Type: raftpb.EntryConfChange, Data: data}
}

// TestMembership follows what swarmkit makes of configuration changes.
func TestMembership(t *testing.T) {
	const add, update, remove, learner = raftpb.ConfChangeAddNode, raftpb.ConfChangeUpdateNode, raftpb.ConfChangeRemoveNode, raftpb.ConfChangeAddLearnerNode
	type step struct {
		kind      raftpb.ConfChangeType
		id        uint64
		addr      string
		committed bool
	}
	for name, c := range map[string]struct {
		steps []step
		want  map[uint64]string
		tail  bool
		fails bool
	}{
		"added":                         {steps: []step{{add, 1, "a", true}, {add, 2, "b", true}}, want: map[uint64]string{1: "a", 2: "b"}},
		"added, not committed":          {steps: []step{{add, 1, "a", true}, {add, 2, "b", false}}, want: map[uint64]string{1: "a"}},
		"removed":                       {steps: []step{{add, 1, "a", true}, {add, 2, "b", true}, {remove, 2, "", true}}, want: map[uint64]string{1: "a"}},
		"removed and added again":       {steps: []step{{add, 2, "b", true}, {remove, 2, "", true}, {add, 2, "b", true}}, want: map[uint64]string{}},
		"removal not committed":         {steps: []step{{add, 2, "b", true}, {remove, 2, "", false}}, want: map[uint64]string{2: "b"}},
		"own removal not committed":     {steps: []step{{add, 1, "a", true}, {remove, 1, "", false}}, want: map[uint64]string{1: "a"}, tail: true},
		"another's new address":         {steps: []step{{add, 2, "b", true}, {update, 2, "c", true}}, want: map[uint64]string{2: "c"}},
		"own new address is passed by":  {steps: []step{{add, 1, "a", true}, {update, 1, "c", true}}, want: map[uint64]string{1: "a"}},
		"an address, not committed":     {steps: []step{{add, 2, "b", true}, {update, 2, "c", false}}, want: map[uint64]string{2: "b"}},
		"swarmkit knows no learners":    {steps: []step{{learner, 2, "b", true}}, fails: true},
		"nor, where it's not committed": {steps: []step{{learner, 2, "b", false}}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &swarm{self: api.RaftMember{RaftID: 1}, members: membership.NewCluster(), store: store.NewMemoryStore(nil)}
			defer s.close()
			var err error
			for _, st := range c.steps {
				if err == nil {
					err = s.apply(change(t, st.kind, api.RaftMember{RaftID: st.id, Addr: st.addr}), st.committed)
				}
			}
			if (err != nil) != c.fails || s.removedInTail != c.tail {
				t.Fatalf("error %v, removed in the tail %v", err, s.removedInTail)
			}
			got := map[uint64]string{}
			for id, m := range s.members.Members() {
				got[id] = m.Addr
			}
			if len(got) != len(c.want) {
				t.Fatalf("members %v, want %v", got, c.want)
			}
			for id, addr := range c.want {
				if got[id] != addr {
					t.Errorf("members %v, want %v", got, c.want)
				}
			}
		})
	}
	s := &swarm{members: membership.NewCluster()}
	if err := s.apply(raftpb.Entry{Type: raftpb.EntryConfChangeV2}, true); err == nil {
		t.Error("an entry of a kind that swarmkit never writes passes")
	}
}
