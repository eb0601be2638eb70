package raftdir

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/moby/swarmkit/v2/api"
	"go.etcd.io/raft/v3/raftpb"
)

// idSet is a set of raft IDs.
type idSet map[uint64]bool

func (s idSet) add(ids ...uint64) {
	for _, id := range ids {
		if id != 0 {
			s[id] = true
		}
	}
}

// sorted gives the IDs in rising order.
func (s idSet) sorted() []uint64 {
	ids := make([]uint64, 0, len(s))
	for id := range s {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// hexIDs spells raft IDs as state.RaftReport does, sorted as text.
func hexIDs(ids []uint64) []string {
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, strconv.FormatUint(id, 16))
	}
	slices.Sort(texts)
	return texts
}

// parseIDs reads what hexIDs wrote.
func parseIDs(texts []string) ([]uint64, error) {
	var ids []uint64
	for _, t := range texts {
		id, err := strconv.ParseUint(t, 16, 64)
		if err != nil || id == 0 {
			return nil, fmt.Errorf("%q is no raft ID: those are hexadecimal and not zero", t)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// seenInClear gives the raft IDs that a log tells without its key: its own, the
// one it voted for, and the voters of the snapshot.
func seenInClear(h *history) idSet {
	seen := idSet{}
	var self api.RaftMember
	if self.Unmarshal(h.metadata) == nil {
		seen.add(self.RaftID)
	}
	seen.add(h.state.Vote)
	if h.snapshot != nil {
		c := h.snapshot.Metadata.ConfState
		seen.add(c.Voters...)
		seen.add(c.VotersOutgoing...)
		seen.add(c.Learners...)
		seen.add(c.LearnersNext...)
	}
	return seen
}

// everSeen gives every raft ID that a decrypted log names: also removed ones,
// and those of changes that were never committed, which another log may have
// committed (safety rule 1).
func everSeen(h *history) (idSet, error) {
	seen := seenInClear(h)
	if h.snapshot != nil {
		var decoded api.Snapshot
		if err := decoded.Unmarshal(h.snapshot.Data); err != nil {
			return nil, storeError(fileSnap, "the newest snapshot can't be decoded", err)
		}
		for _, m := range decoded.Membership.Members {
			if m != nil {
				seen.add(m.RaftID)
			}
		}
		seen.add(decoded.Membership.Removed...)
	}
	for _, e := range h.entries {
		if e.Type != raftpb.EntryConfChange {
			continue
		}
		var cc raftpb.ConfChange
		if err := cc.Unmarshal(e.Data); err != nil {
			return nil, storeError(fileWAL, fmt.Sprintf("entry %d can't be decoded", e.Index), err)
		}
		seen.add(cc.NodeID)
		var m api.RaftMember
		if len(cc.Context) > 0 && m.Unmarshal(cc.Context) == nil {
			seen.add(m.RaftID)
		}
	}
	return seen, nil
}
