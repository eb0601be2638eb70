package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// oldEntries are the entries that a declared node had before under other IDs, oldest
// first: they are down, the node's host was read and holds another ID or none, and
// they have its hostname and address, or the mark that an address move put there. A
// host holds one ID, so they never come back.
func (w *world) oldEntries(n *node) []*state.SwarmNode {
	if n.host.Looked != state.Present || n.doubt != nil || n.unread() || n.member != nil && n.matched != byNodeID {
		return nil
	}
	var list []*state.SwarmNode
	for _, m := range w.at.unmatched[n.host.Hostname] {
		if n.host.Hostname != "" && lost(m) && sameAddress(n.cfg.Address, m) {
			list = append(list, m)
		}
	}
	for _, m := range w.at.moving[n.cfg.Name] {
		if lost(m) && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b *state.SwarmNode) int {
		if c := a.ChangedAt.Compare(b.ChangedAt); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return list
}

// lost tells whether the swarm does not see an entry's node.
func lost(m *state.SwarmNode) bool {
	return m.Status != "ready" && !m.Leader && m.Reachability != "reachable"
}

// dead tells whether a declared node is taken for dead: the swarm has seen it down for
// longer than cluster.remove_down_after, and its host can't be reached. One that
// recovery.assume_dead names is only said to be, and stays listed (safety rule 10).
func (w *world) dead(n *node) bool {
	after, m := w.cfg.Cluster.RemoveDownAfter, n.member
	if after == 0 || m == nil || m.Status != "down" || !lost(m) || m.ChangedAt.IsZero() || !outOfReach(n) {
		return false
	}
	return !slices.Contains(w.rules().AssumeDead, n.cfg.Name) && w.st.ObservedAt.Sub(m.ChangedAt) >= after
}

func (w *world) deadDifference(n *node) Unmet {
	return Unmet{Code: diag.NodeDiffers, Goal: goalRemoved(w, n.member), Node: n.cfg.Name,
		Reason: fmt.Sprintf("%s has been down for %s at least, which is longer than cluster.remove_down_after (%s), and its host can't be reached.",
			n.cfg.Name, span(w.st.ObservedAt.Sub(n.member.ChangedAt)), span(w.cfg.Cluster.RemoveDownAfter)),
		Remedy: onManager("docker node demote " + w.entry(n.member) + "; docker node rm --force " + w.entry(n.member))}
}
