package plan

import (
	"fmt"
	"maps"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// findMoves gathers the managers that advertise another address than is declared. An
// engine keeps its address for as long as it is in a swarm, so each leaves and joins
// again, under a new node ID. One that a cut plan has marked and demoted is a worker
// by now, and moves on.
func (s *shaping) findMoves() {
	for _, n := range s.w.nodes {
		if !s.wantsNode(n.cfg.Name) || !n.manager() || n.member == nil || n.doubt != nil || s.w.dead(n) || n.otherAddress() == "" || roleDifference(n) != "" && !n.marked() {
			continue
		}
		if u := s.immovable(n); u != nil {
			s.refuse(goalAddress(n), n.cfg.Name, *u)
			continue
		}
		s.moves = append(s.moves, n)
	}
}

// marked tells whether a plan has begun to move a node.
func (n *node) marked() bool {
	return n.member != nil && n.member.Labels[state.MovesLabel] == n.cfg.Name
}

// moving tells whether a node leaves and joins again in this plan.
func (s *shaping) moving(n *node) bool {
	for _, m := range s.moves {
		if m == n {
			return true
		}
	}
	return false
}

// immovable says why a manager keeps its address whatever the others do.
func (s *shaping) immovable(n *node) *Unmet {
	reason := fmt.Sprintf("%s advertises %s in the swarm and is declared with %s.", n.cfg.Name, n.otherAddress(), n.cfg.Address)
	v := s.w.voterOf(n)
	switch {
	case v == nil && n.marked():
	case v == nil || !v.up:
		return &Unmet{Code: diag.NodeDiffers,
			Reason: reason + " It is not reachable for the other managers, and one that has no part in the swarm can't leave it in order.",
			Remedy: fmt.Sprintf("Correct address if it is the configuration that is wrong. Else type on another manager: docker node demote %s; then on %s: docker swarm leave --force. The next plan joins it at %s.", s.w.entry(n.member), n.cfg.Name, n.cfg.Address)}
	}
	switch {
	case n.back: // and its engine answers then
	case n.host.Looked != state.Present || n.host.Engine.Answered != state.Present || n.host.Engine.LocalNodeState != "active":
		return &Unmet{Code: diag.NodeDiffers,
			Reason: reason + " Its host can't be reached or its engine takes no part in the swarm, so that it can't leave and join again.",
			Remedy: fmt.Sprintf("Correct address if it is the configuration that is wrong. Else make the host of %s reachable, then plan again.", n.cfg.Name)}
	}
	if u := s.w.unjoinable(n); u != nil {
		u.Reason = reason + " " + u.Reason
		return u
	}
	return nil
}

// move plans that one manager leaves and joins again at its declared address. Its old
// entry is marked before, so that a plan that is made after a cut knows whose it is,
// and goes once the new one has what it had.
func (s *shaping) move(n *node) {
	goal := goalAddress(n)
	if u := s.undemotable(n.member, n, false); u != nil {
		u.Reason = fmt.Sprintf("%s advertises %s in the swarm and is declared with %s, so it has to leave and join again. %s", n.cfg.Name, n.otherAddress(), n.cfg.Address, u.Reason)
		s.refuse(goal, n.cfg.Name, *u)
		change, goals := s.w.nodeChange(n)
		s.findNew(n, &change)
		s.update(n, change, goals)
		return
	}
	s.reached[goal] = true
	for _, kept := range s.keptWithJoin(n) {
		s.reached[kept] = true
	}
	m, old := n.member, *n.member
	old.Labels = unmarked(m.Labels)
	if marked := maps.Clone(old.Labels); !n.marked() {
		marked[state.MovesLabel] = n.cfg.Name
		s.at(m, n, Step{Kind: UpdateNode, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout), Change: &NodeChange{Labels: marked}},
			"%s advertises %s and is declared with %s: it leaves and joins again. Its entry is marked (label %s), so that what it has is not lost should this plan be cut", n.cfg.Name, n.otherAddress(), n.cfg.Address, state.MovesLabel)
	}
	if isVoter(m) {
		s.at(m, n, Step{Kind: Demote, Risk: Interrupts, TimeoutSeconds: seconds(roleTimeout)}, "Only a worker leaves a swarm in order. %s", s.demoted(m))
	}
	s.at(m, n, Step{Kind: Leave, Risk: Interrupts, TimeoutSeconds: seconds(leaveTimeout)},
		"%s leaves, since an engine keeps its address for as long as it is in the swarm. Its tasks end, and are started on other nodes", n.cfg.Name)
	s.join(n, fmt.Sprintf("%s has left", n.cfg.Name), []*state.SwarmNode{&old})
	s.at(m, n, Step{Kind: RemoveNode, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout)},
		"%s is back under a new node ID: its entry from before never comes back", n.cfg.Name)
}

// keptWithJoin are the goals that a node reaches by joining anew: what an engine fixes
// then, and its labels and availability.
func (s *shaping) keptWithJoin(n *node) []string {
	goals := []string{goalRole(n), goalLabels(n), goalAvailability(n)}
	if want := s.w.cfg.Cluster.ListenAddr; want != "" {
		goals = append(goals, goalFixed(n, "listen_addr", want))
	}
	if want := s.w.cfg.Cluster.DataPathAddr; want != "" {
		goals = append(goals, goalFixed(n, "data_path_addr", want))
	}
	return goals
}

// replaceManagers plans the moves, then the demotions of those that are up, the
// leader's own last.
func (s *shaping) replaceManagers() {
	leads := func(id string) bool { return s.sim.leader[id] }
	var last []func()
	for _, n := range s.moves {
		if leads(n.member.ID) {
			last = append(last, func() { s.move(n) })
			continue
		}
		s.move(n)
	}
	for _, d := range s.drops {
		switch {
		case d.done || s.refused[d.goal].Code != "":
		case leads(d.entry.ID):
			last = append(last, func() { s.demoteUp(d) })
		default:
			s.demoteUp(d)
		}
	}
	for _, f := range last {
		f()
	}
}
