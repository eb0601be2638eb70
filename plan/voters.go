package plan

import (
	"slices"
	"sort"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// voter is a manager that counts for the quorum, declared or not.
type voter struct {
	id     string // the swarm's node ID, or "?" and the name where that is unknown
	node   *node  // nil when it is not declared
	member *state.SwarmNode
	up     bool // reachable in the swarm
	leader bool
	// restored is set once the plan's own steps have brought it back, so that
	// what was observed of its engine no longer says how it will be.
	restored bool
}

// label is how a voter is called in a sentence.
func (v *voter) label() string {
	switch {
	case v.node != nil:
		return v.node.cfg.Name
	case v.member != nil && v.member.Hostname != "":
		return v.member.Hostname + " (node " + v.id[:min(8, len(v.id))] + ")"
	}
	return v.id
}

// isVoter tells whether an entry of the swarm's list counts for the quorum. A
// manager without a manager's status is being promoted, and is counted, or is
// what a forced cluster has left of an old one, and is not.
func isVoter(m *state.SwarmNode) bool {
	if m.Leader || m.Reachability != "" || m.ManagerAddr != "" {
		return true
	}
	return m.Role == "manager" && m.Status == "ready"
}

func (w *world) findVoters() []*voter {
	var list []*voter
	if w.st.Swarm == nil {
		list = w.silentVoters()
	} else {
		for i := range w.st.Swarm.Nodes {
			m := &w.st.Swarm.Nodes[i]
			if isVoter(m) {
				list = append(list, &voter{id: m.ID, node: w.declaredAs(m.ID), member: m, up: m.Reachability == "reachable", leader: m.Leader})
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].id < list[j].id })
	return list
}

// declaredAs finds the declared node that an entry was matched to.
func (w *world) declaredAs(id string) *node { return w.at.owners[id] }

// silentVoters are those of a swarm that does not answer: the members that the
// furthest log names, or where none was read the declared managers.
func (w *world) silentVoters() []*voter {
	var members []state.Member
	if best := w.furthest(); best != nil {
		members = best.host.SwarmDir.Raft.Members
	}
	named := map[string]bool{}
	var list []*voter
	for _, n := range w.managers() {
		i := slices.IndexFunc(members, func(m state.Member) bool { return n.isMember(m) })
		if len(members) > 0 && i < 0 {
			continue
		}
		id := or(n.nodeID(), "?"+n.cfg.Name)
		if i >= 0 {
			id, named[members[i].NodeID] = members[i].NodeID, true
		}
		up := n.state.State == NodeActive && n.host.Engine.SwarmError == "" && n.host.Engine.LocalNodeState == "active"
		list = append(list, &voter{id: id, node: n, up: up})
	}
	for _, m := range members {
		if !named[m.NodeID] {
			list = append(list, &voter{id: m.NodeID, member: &state.SwarmNode{ID: m.NodeID, Role: schema.RoleManager, ManagerAddr: m.Addr}})
		}
	}
	return list
}

// isMember tells whether a declared node is a member that a log names: by the node
// ID that its host tells, and where that was not read by the address.
func (n *node) isMember(m state.Member) bool {
	if id := n.nodeID(); id != "" {
		return id == m.NodeID
	}
	return sameHost(m.Addr, n.cfg.Address)
}

// mayBeDeclared tells whether an entry could be a declared node's, though it was
// matched to none: then it is not called undeclared.
func (w *world) mayBeDeclared(m *state.SwarmNode) bool {
	return w.at.places[canonical(placeOf(m))] || w.at.rivals[m.ID]
}

func (w *world) voterOf(n *node) *voter {
	for _, v := range w.voters {
		if v.node == n {
			return v
		}
	}
	return nil
}

func leaders(list []*voter) int {
	count := 0
	for _, v := range list {
		if v.leader {
			count++
		}
	}
	return count
}

func upCount(list []*voter) int {
	count := 0
	for _, v := range list {
		if v.up {
			count++
		}
	}
	return count
}

// majority of n voters is the quorum.
func majority(n int) int { return n/2 + 1 }

// labels names voters in the order of their labels.
func labels(list []*voter) []string {
	var names []string
	for _, v := range list {
		names = append(names, v.label())
	}
	sort.Strings(names)
	return names
}

// leader is the declared node that leads, nil where none does.
func (p *planner) leader() *node {
	for _, v := range p.w.voters {
		if v.leader && v.node != nil {
			return v.node
		}
	}
	return nil
}
