package raftdir

import (
	"context"
	"slices"

	"github.com/moby/swarmkit/v2/api"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/requeen/requeen/internal/state"
)

// source is the swarm directory that a preparation begins with, rebuilt at the
// index from which the new cluster goes on.
type source struct {
	id      *identity
	certPEM []byte
	swarm   *swarm
	member  api.RaftMember // this node in the membership
	cluster *api.Cluster
	epoch   string
	seen    idSet  // every raft ID that the log names
	term    uint64 // the highest in the log, also of a vote
	index   uint64 // of the last entry that is kept
	torn    bool
	ids     []string // of every object, before anything is changed
	// tailKept counts entries above the commit index, tailRemoval tells that
	// one of those, which is not kept, removes this node.
	tailKept    int
	tailRemoval bool
}

// openSource reads the copy and proves that this node is a member of its swarm.
// Close src.swarm.
func openSource(ctx context.Context, dir string, p Preparation) (*source, error) {
	id, err := readIdentity(dir, Options{UnlockKey: p.UnlockKey, Now: p.Now})
	if err != nil {
		return nil, err
	}
	h, err := readSurvivor(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := h.unseal(ctx, id.key.decrypter()); err != nil {
		return nil, err
	}
	src := &source{id: id, torn: h.torn}
	if src.certPEM, err = readFile(dir, fileNodeCert, whyNodeCert); err != nil {
		return nil, err
	}
	if src.seen, err = everSeen(&h.history); err != nil {
		return nil, err
	}
	src.term, _ = h.last()
	src.term = max(src.term, h.state.Term)
	settled, err := src.settle(&h.history, p.KeepTail)
	if err != nil {
		return nil, err
	}
	if src.swarm, err = rebuild(ctx, settled); err != nil {
		return nil, err
	}
	if err := src.look(); err != nil {
		src.swarm.close()
		return nil, err
	}
	return src, nil
}

// settle gives the history with its tail either committed or cut off. A change
// of the membership in the tail is made an empty entry: which members are left
// is decided by the preparation, and the objects of later entries do not depend
// on it.
func (src *source) settle(h *history, keep bool) (*history, error) {
	settled := *h
	settled.entries = slices.Clone(h.entries)
	for i := range settled.entries {
		e := &settled.entries[i]
		if e.Index <= h.state.Commit {
			continue
		}
		switch {
		case e.Type == raftpb.EntryConfChange:
			if err := src.noteTailChange(h, *e); err != nil {
				return nil, err
			}
			e.Type, e.Data = raftpb.EntryNormal, nil
		case keep && len(e.Data) > 0:
			src.tailKept++
		}
	}
	_, src.index = h.last()
	if !keep {
		src.index = h.state.Commit
		settled.entries = settled.entries[:src.index-h.snapshotIndex()]
	}
	settled.state.Commit = src.index
	return &settled, nil
}

// noteTailChange sees whether an uncommitted change removes this node.
func (src *source) noteTailChange(h *history, e raftpb.Entry) error {
	var cc raftpb.ConfChange
	if err := cc.Unmarshal(e.Data); err != nil {
		return storeError(fileWAL, "an entry above the commit index can't be decoded", err)
	}
	var self api.RaftMember
	if err := self.Unmarshal(h.metadata); err != nil {
		return storeError(fileWAL, "its metadata does not name this node's raft member", err)
	}
	if cc.Type == raftpb.ConfChangeRemoveNode && cc.NodeID == self.RaftID {
		src.tailRemoval = true
	}
	return nil
}

// look finds cluster and member in the rebuilt swarm.
func (src *source) look() error {
	if err := checkMember(src.swarm, src.id); err != nil {
		return err
	}
	src.member = *src.swarm.members.GetMember(src.swarm.self.RaftID).RaftMember
	var err error
	if src.cluster, err = src.swarm.cluster(); err != nil {
		return err
	}
	src.epoch = src.cluster.Spec.Annotations.Labels[state.EpochLabel]
	content, err := src.swarm.save()
	if err != nil {
		return err
	}
	src.ids = everyID(content)
	return nil
}

// others are the members other than this node.
func (src *source) others() []state.Member {
	own := hexIDs([]uint64{src.member.RaftID})[0]
	return slices.DeleteFunc(memberList(src.swarm), func(m state.Member) bool { return m.RaftID == own })
}
