package apply

import (
	"cmp"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// through are the managers by which the step's change goes, the leader first and
// the step's own node last: it may be a manager no more once it is told.
func (t *task) through() []Manager {
	type candidate struct {
		Manager
		rank int
	}
	var list []candidate
	for i := range t.seen.Hosts {
		h := &t.seen.Hosts[i]
		if h.Looked != state.Present || !h.Engine.ControlAvailable {
			continue
		}
		c := candidate{Manager{Name: h.Name, NodeID: h.Engine.NodeID, MachineID: h.MachineID}, 2}
		if n := t.listed(h.Engine.NodeID); n != nil {
			c.Address = n.ManagerAddr
			switch {
			case n.Leader:
				c.rank = 0
			case n.Reachability == "reachable":
				c.rank = 1
			}
		}
		if t.onNode() && (h.Name == t.s.Node || h.Engine.NodeID == t.entry()) {
			c.rank = 3
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Name, b.Name)) })
	managers := make([]Manager, len(list))
	for i, c := range list {
		managers[i] = c.Manager
	}
	return managers
}

// onNode tells whether the step is on its node, and not only goes through it.
func (t *task) onNode() bool {
	return t.s.Kind != plan.UpdateSwarm && t.s.Kind != plan.Rebalance && t.s.DataRestore == nil
}

// listed is the swarm's entry of a node as it was last seen, nil where it has none.
func (t *task) listed(nodeID string) *state.SwarmNode {
	if t.seen.Swarm == nil || nodeID == "" {
		return nil
	}
	for i := range t.seen.Swarm.Nodes {
		if n := &t.seen.Swarm.Nodes[i]; n.ID == nodeID {
			return n
		}
	}
	return nil
}
