package plan

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// promote plans that workers become managers, one after the other.
func (s *shaping) promote() {
	for _, n := range s.w.nodes {
		if !s.wantsNode(n.cfg.Name) || !n.manager() || n.member == nil || n.doubt != nil || s.w.dead(n) || s.moving(n) || roleDifference(n) == "" {
			continue
		}
		if u := s.w.unpromotable(n); u != nil {
			s.refuse(goalRole(n), n.cfg.Name, *u)
			continue
		}
		s.reached[goalRole(n)] = true
		s.at(n.member, n, Step{Kind: Promote, Risk: Safe, TimeoutSeconds: seconds(roleTimeout)},
			"%s It counts for the quorum once the leader sees it reachable", roleDifference(n))
	}
}

// unpromotable says why a worker does not become a manager as it is, nil if it can: it
// would be a voter from the first moment on, up or not.
func (w *world) unpromotable(n *node) *Unmet {
	name, difference := n.cfg.Name, roleDifference(n)
	if !n.isReady() {
		return &Unmet{Code: diag.NodeDiffers, Remedy: "Bring its engine back, then plan again.",
			Reason: fmt.Sprintf("%s The swarm sees it %s, and a manager that is not up only weakens the quorum.", difference, or(n.member.Status, "unknown"))}
	}
	if have := n.otherAddress(); have != "" {
		return &Unmet{Code: diag.NodeDiffers, Remedy: fmt.Sprintf("Correct address if it is the configuration that is wrong. Else type docker swarm leave on %s; the next plan joins it as a manager at %s.", name, n.cfg.Address),
			Reason: fmt.Sprintf("%s It advertises %s and is declared with %s: as a manager it would be at an address that is not declared, for as long as it is in the swarm.", difference, have, n.cfg.Address)}
	}
	if skew := n.host.ClockSkew.Abs(); n.host.Looked == state.Present && skew > maxSkew {
		return &Unmet{Code: diag.ClockSkew, Remedy: remedy(diag.ClockSkew),
			Reason: fmt.Sprintf("%s Its clock is %s off.", difference, span(skew))}
	}
	return nil
}

// drop is an entry that is to be no manager, or to go.
type drop struct {
	entry  *state.SwarmNode
	node   *node  // nil where no node block declares it
	goal   string // of the difference
	why    string // a sentence
	remove bool
	done   bool // it is no manager any more, by the plan's steps, or never was
}

// findDrops gathers what is declared otherwise than a manager, what is taken for dead,
// what prune_nodes wants out, and what hosts had before they were wiped.
func (s *shaping) findDrops() {
	// What is not declared is removed before what is dead: with its entry gone a dead
	// node could not be told apart from the rest any more.
	for _, m := range s.w.undeclared() {
		if !s.wantsNode("") {
			break
		}
		s.drops = append(s.drops, &drop{entry: m, goal: goalRemoved(s.w, m), remove: true,
			why: fmt.Sprintf("No node block declares the %s %s, which is %s, and cluster.prune_nodes is set.", m.Role, s.w.called(m, nil), or(m.Status, "unknown"))})
	}
	for _, n := range s.w.nodes {
		if !s.wantsNode(n.cfg.Name) {
			continue
		}
		switch {
		case n.doubt != nil || len(n.rivals) > 0:
		case s.w.dead(n):
			u := s.w.deadDifference(n)
			s.drops = append(s.drops, &drop{entry: n.member, node: n, goal: u.Goal, why: u.Reason, remove: true})
		case n.member != nil && n.cfg.Role == schema.RoleWorker && roleDifference(n) != "":
			s.drops = append(s.drops, &drop{entry: n.member, node: n, goal: goalRole(n), why: roleDifference(n)})
		}
		for _, m := range s.w.oldEntries(n) {
			if n.member != nil || n.fresh() && s.w.unjoinable(n) == nil {
				s.drops = append(s.drops, &drop{entry: m, node: n, goal: goalRemoved(s.w, m), remove: true,
					why: fmt.Sprintf("The entry %s is %s's from before: the host holds no such node any more, so it never comes back.", m.ID, n.cfg.Name)})
			}
		}
	}
	for _, d := range s.drops {
		d.done = !isVoter(d.entry)
		if d.done && !d.remove {
			s.refuse(d.goal, d.node.cfg.Name, Unmet{Code: diag.NodeDiffers,
				Reason: d.why + " It is one by its role alone, without a vote, as a recovery leaves an old manager: a swarm demotes only members of its raft.",
				Remedy: onManager("docker node rm --force "+s.w.entry(d.entry)) + "; then plan again."})
		}
	}
}

// demoteDead takes managers that are down out of the quorum, which makes it smaller
// and loses none that is up.
func (s *shaping) demoteDead() {
	for _, d := range s.drops {
		if !d.done && !s.sim.up[d.entry.ID] {
			s.demote(d)
		}
	}
}

// demote plans that an entry is no manager any more, or says why it stays one.
func (s *shaping) demote(d *drop) {
	if u := s.undemotable(d.entry, d.node, true); u != nil {
		u.Reason = d.why + " " + u.Reason
		node := ""
		if d.node != nil {
			node = d.node.cfg.Name
		}
		s.refuse(d.goal, node, *u)
		return
	}
	d.done = true
	if !d.remove {
		s.reached[d.goal] = true
	}
	s.at(d.entry, d.node, Step{Kind: Demote, Risk: Interrupts, TimeoutSeconds: seconds(roleTimeout)}, "%s %s", d.why, s.demoted(d.entry))
}

// demoted says what the demotion of a manager is for the quorum.
func (s *shaping) demoted(m *state.SwarmNode) string {
	switch {
	case !s.sim.up[m.ID]:
		return "It is down and counts for the quorum: without it fewer managers are needed"
	case s.sim.leader[m.ID]:
		return "It leads, so it is demoted after every other, and the rest elects a new leader within seconds"
	}
	return "The rest is a quorum without it"
}

// undemotable says why a manager stays one, nil where it need not. Only for a while,
// as in a move, there may be fewer managers than are declared.
func (s *shaping) undemotable(m *state.SwarmNode, n *node, forGood bool) *Unmet {
	all, name := s.sim.margin(), s.w.called(m, n)
	left, rest := all.Up, all.Managers-1
	if s.sim.up[m.ID] {
		left--
	}
	switch {
	case left == 0:
		return &Unmet{Code: diag.QuorumWouldBeLost, Remedy: "Declare another manager and let it join first.",
			Reason: fmt.Sprintf("%s is the only manager that is up: with it demoted nobody would lead.", name)}
	case left < majority(rest):
		return &Unmet{Code: diag.QuorumWouldBeLost, Remedy: s.missing(),
			Reason: fmt.Sprintf("The swarm has %s, %d reachable; with %s demoted %d of %d would be up, and %d are needed: the quorum would be lost.",
				counted(all.Managers, "manager", "managers"), all.Up, name, left, rest, majority(rest))}
	case forGood && s.sim.up[m.ID] && left < len(s.w.managers()):
		return &Unmet{Code: diag.ManagersFirst, Remedy: s.missing(),
			Reason: fmt.Sprintf("%s declared, and with %s demoted %d would be up: it stays until the others are there.",
				isAreManagers(len(s.w.managers())), name, left)}
	}
	return nil
}

func isAreManagers(n int) string {
	if n == 1 {
		return "1 manager is"
	}
	return fmt.Sprintf("%d managers are", n)
}

// missing says which managers are to be brought back: those that are not up when the
// plan comes here.
func (s *shaping) missing() string {
	var list []string
	for _, n := range s.w.managers() {
		if id := s.sim.byName[n.cfg.Name]; !s.sim.up[id] {
			list = append(list, fmt.Sprintf("%s is %s (%s)", n.cfg.Name, n.state.State, strings.TrimSuffix(n.state.Reason, ".")))
		}
	}
	for _, v := range s.w.voters {
		if v.node == nil && s.sim.votes(v.id) && !s.sim.up[v.id] {
			list = append(list, v.label()+" is unreachable")
		}
	}
	if len(list) == 0 {
		return "Bring the managers back that are missing, then plan again."
	}
	return "Bring back what is missing, then plan again: " + strings.Join(list, "; ") + "."
}
