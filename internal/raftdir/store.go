package raftdir

import (
	"context"
	"fmt"
	"slices"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/state/raft/membership"
	"github.com/moby/swarmkit/v2/manager/state/store"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/requeen/requeen/internal/state"
)

const whyStore = "the swarm's objects can't be rebuilt from it"

// swarm is what a history amounts to at its commit index.
type swarm struct {
	self    api.RaftMember // as the log's metadata names this node
	members *membership.Cluster
	store   *store.MemoryStore
	// removedInTail: an entry above the commit index removes this node.
	removedInTail bool
}

// close frees the store's event queue.
func (s *swarm) close() { _ = s.store.Close() }

// rebuild restores the snapshot and applies every committed entry, as a
// manager does when it starts. Entries above the commit index are decoded and
// not applied. Close what it returns.
func rebuild(ctx context.Context, h *history) (*swarm, error) {
	s := &swarm{members: membership.NewCluster(), store: store.NewMemoryStore(nil)}
	if err := s.fill(ctx, h); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *swarm) fill(ctx context.Context, h *history) error {
	if err := s.self.Unmarshal(h.metadata); err != nil || s.self.RaftID == 0 {
		return storeError(fileWAL, "its metadata does not name this node's raft member", err)
	}
	if h.snapshot != nil {
		if err := s.restore(h.snapshot); err != nil {
			return err
		}
	}
	for i, e := range h.entries {
		if i%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.apply(e, e.Index <= h.state.Commit); err != nil {
			return storeError(fileWAL, fmt.Sprintf("entry %d can't be applied", e.Index), err)
		}
	}
	return nil
}

func (s *swarm) restore(snapshot *raftpb.Snapshot) error {
	var decoded api.Snapshot
	if err := decoded.Unmarshal(snapshot.Data); err != nil {
		return storeError(fileSnap, "the newest snapshot can't be decoded", err)
	}
	if decoded.Version != api.Snapshot_V0 {
		return storeError(fileSnap, fmt.Sprintf("the newest snapshot has the unknown version %d", decoded.Version), nil)
	}
	if err := s.store.Restore(&decoded.Store); err != nil {
		return storeError(fileSnap, "the newest snapshot can't be restored", err)
	}
	for _, m := range decoded.Membership.Members {
		if m == nil {
			return storeError(fileSnap, "the newest snapshot has an empty member", nil)
		}
		_ = s.members.AddMember(&membership.Member{RaftMember: m})
	}
	for _, id := range decoded.Membership.Removed {
		_ = s.members.RemoveMember(id)
	}
	return nil
}

// apply decodes one entry and, where it is committed, applies it.
func (s *swarm) apply(e raftpb.Entry, committed bool) error {
	switch e.Type {
	case raftpb.EntryNormal:
		if len(e.Data) == 0 { // a new leader's first entry
			return nil
		}
		var r api.InternalRaftRequest
		if err := r.Unmarshal(e.Data); err != nil {
			return err
		}
		if !committed {
			return nil
		}
		return s.store.ApplyStoreActions(r.Action)
	case raftpb.EntryConfChange:
		var cc raftpb.ConfChange
		if err := cc.Unmarshal(e.Data); err != nil {
			return err
		}
		return s.configure(cc, committed)
	}
	return fmt.Errorf("unknown entry type %d", e.Type)
}

// configure follows swarmkit's processConfChange: an added member that was
// removed before stays removed, a node does not take its own new address from
// the log.
func (s *swarm) configure(cc raftpb.ConfChange, committed bool) error {
	var m api.RaftMember
	switch cc.Type {
	case raftpb.ConfChangeAddNode:
		if err := m.Unmarshal(cc.Context); err != nil {
			return err
		}
		if committed && m.RaftID != 0 {
			_ = s.members.AddMember(&membership.Member{RaftMember: &m})
		}
	case raftpb.ConfChangeUpdateNode:
		if err := m.Unmarshal(cc.Context); err != nil {
			return err
		}
		if committed && m.RaftID != s.self.RaftID {
			_ = s.members.UpdateMember(m.RaftID, &m)
		}
	case raftpb.ConfChangeRemoveNode:
		if committed {
			_ = s.members.RemoveMember(cc.NodeID)
		} else if cc.NodeID == s.self.RaftID {
			s.removedInTail = true
		}
	default:
		return fmt.Errorf("unknown configuration change %d", cc.Type)
	}
	return nil
}

// cluster gives the swarm's one cluster object (ErrWrongCluster).
func (s *swarm) cluster() (*api.Cluster, error) {
	var clusters []*api.Cluster
	var err error
	s.store.View(func(tx store.ReadTx) { clusters, err = store.FindClusters(tx, store.All) })
	if err != nil {
		return nil, storeError(fileRaft, "its cluster object can't be found", err)
	}
	if len(clusters) != 1 {
		return nil, &Error{
			Kind: ErrWrongCluster, File: fileRaft, What: fmt.Sprintf("it holds %d cluster objects instead of one", len(clusters)),
			Why: "a log without its cluster restores an empty swarm",
		}
	}
	return clusters[0], nil
}

// count counts the objects.
func (s *swarm) count() (o state.Objects, err error) {
	s.store.View(func(tx store.ReadTx) {
		o.Nodes, err = length(store.FindNodes(tx, store.All))(err)
		o.Services, err = length(store.FindServices(tx, store.All))(err)
		o.Networks, err = length(store.FindNetworks(tx, store.All))(err)
		o.Secrets, err = length(store.FindSecrets(tx, store.All))(err)
		o.Configs, err = length(store.FindConfigs(tx, store.All))(err)
		o.Tasks, err = length(store.FindTasks(tx, store.All))(err)
	})
	if err != nil {
		return state.Objects{}, storeError(fileRaft, "its objects can't be counted", err)
	}
	return o, nil
}

// managerNodes are the IDs of the nodes whose desired role is manager, sorted.
func (s *swarm) managerNodes() (ids []string, err error) {
	s.store.View(func(tx store.ReadTx) {
		var nodes []*api.Node
		nodes, err = store.FindNodes(tx, store.All)
		for _, n := range nodes {
			if n.Spec.DesiredRole == api.NodeRoleManager {
				ids = append(ids, n.ID)
			}
		}
	})
	if err != nil {
		return nil, storeError(fileRaft, "its nodes can't be listed", err)
	}
	slices.Sort(ids)
	return ids, nil
}

// length counts a list, keeping the first of two errors.
func length[T any](list []T, err error) func(error) (int, error) {
	return func(earlier error) (int, error) {
		if earlier != nil {
			return 0, earlier
		}
		return len(list), err
	}
}

func storeError(file, what string, cause error) error {
	return &Error{Kind: ErrStore, File: file, What: what, Why: whyStore, Err: cause}
}
