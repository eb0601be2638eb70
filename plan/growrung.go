package plan

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// grow brings declared nodes back into a swarm that answers: managers that a
// recovery fenced, managers that hold this cluster's certificates and are in no
// swarm, and nodes that a recovered swarm refuses. Nodes that were never in it are
// joined by hand so far.
func (p *planner) grow() {
	if !p.w.usable() || len(p.busy) > 0 {
		return
	}
	var list []*node
	for _, n := range p.w.managers() {
		if p.returns(n) {
			list = append(list, n)
		}
	}
	for _, n := range p.w.workers() {
		if p.stray(n) || p.heldWorker(n) {
			list = append(list, n)
		}
	}
	p.fencedMembers()
	left := p.leftEntries()
	if len(list)+len(left) == 0 {
		p.deliverKey()
		return
	}
	p.begin(RungGrow, "")
	list = p.underOne(list)
	for _, n := range p.w.nodes {
		for _, old := range left[n] {
			p.replaceEntry(n, old)
		}
	}
	for _, n := range list {
		if n.manager() {
			p.growManager(n)
		} else {
			p.growWorker(n)
		}
	}
	p.deliverKey()
}

func (p *planner) growManager(n *node) {
	if p.w.voterOf(n) != nil {
		p.step(n, Start, Safe, startTimeout, "%s is a member of the swarm, and a cut recovery holds its engine, which has changed nothing of its state: it is let go", n.cfg.Name)
		return
	}
	if n.phase(p.plan.Recovery.ID) != state.RecoveryFenced {
		why, risk := "%s holds state of this cluster from before it was recovered, and is in no swarm: that state is set aside, not removed, before it joins", Safe
		switch {
		case n.state.State == NodeEmpty:
			why = "%s is declared a manager and in no swarm: its engine is held until it joins"
		case p.stray(n):
			why, risk = p.strayWords(n), Interrupts
		}
		p.step(n, Fence, risk, holdTimeout, why, n.cfg.Name)
	}
	keep := p.listed(n)
	p.joinBack(n, keep, p.w.st.Swarm.RootCASHA256)
	if keep {
		return
	}
	if old := p.strayEntry(n); old != "" {
		p.replaceEntry(n, old)
	}
	for _, m := range p.w.st.Swarm.Nodes {
		if n.leftEntry(&m) && p.w.declaredAs(m.ID) == nil {
			p.replaceEntry(n, m.ID)
		}
	}
}

// fencedMembers names the members of the swarm that a cut recovery holds and that
// can't be started as they are, most often since their raft state is set aside. One
// that joined under its old raft ID without its log would break the promise that
// raft rests on.
func (p *planner) fencedMembers() {
	for _, n := range p.w.managers() {
		v, id := p.w.voterOf(n), n.fencedBy()
		if v == nil || id == "" || v.up || p.returns(n) {
			continue
		}
		p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: n.cfg.Name + " is a manager of the swarm", Node: n.cfg.Name,
			Reason: fmt.Sprintf("%s is a member of the swarm that answers, and the recovery %s, which was cut, holds it without the raft state or docker-state.json in place: so it can't be the same member.", n.cfg.Name, id),
			Remedy: "Type on a manager: docker node demote " + p.w.entry(v.member) + " && docker node rm --force " + p.w.entry(v.member) + "; the next plan joins it anew."})
	}
}

// joins tells whether a step lets a node join.
func (p *planner) joins(name string) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s Step) bool { return s.Kind == Join && s.Node == name })
}

// returns tells whether a declared manager is out of the swarm and can join it.
func (p *planner) returns(n *node) bool {
	h := n.host
	if n.doubt != nil || !p.fenceable(n) || len(n.rivals) > 0 {
		return false
	}
	if p.w.voterOf(n) != nil {
		return n.onlyHeld() != "" && h.SwarmDir.Complete() && h.SwarmDir.HasStateFile
	}
	if n.fencedBy() != "" {
		return true
	}
	if p.w.st.Swarm.Epoch == "" {
		return false
	}
	if p.stray(n) {
		return true
	}
	switch n.state.State {
	case NodeOrphaned, NodeStopped:
		return h.SwarmDir.ClusterID == p.w.id.id
	case NodeEmpty:
		return h.Engine.LocalNodeState == "inactive" || n.letGo()
	case NodeDamaged:
		return n.letGo() && h.Engine.LocalNodeState != "active" && h.Engine.LocalNodeState != "pending"
	}
	return false
}

// underOne names the recovery after the one that holds the hosts, since only it can
// let them go. What another one holds, or what it has let go before, comes with a
// later plan.
func (p *planner) underOne(list []*node) []*node {
	id := ""
	for _, n := range list {
		id = max(id, n.fencedBy())
	}
	if id == "" {
		return list
	}
	p.plan.Recovery.ID = id
	var rest []*node
	for _, n := range list {
		if n.fencedBy() == id || n.fencedBy() == "" && n.phase(id) == "" {
			rest = append(rest, n)
		}
	}
	return rest
}

// letGo tells whether a recovery has let the host's engine go: one that was cut
// before the host had joined leaves it in no swarm.
func (n *node) letGo() bool {
	for _, r := range n.host.Recoveries {
		if r.Phase == state.RecoveryLifted {
			return true
		}
	}
	return false
}

// listed tells whether the host's node ID is in the swarm in its role, so that its
// certificates serve, which they don't once they have expired or where they are of
// another root CA (safety rules 2, 12 and 13).
func (p *planner) listed(n *node) bool {
	d := n.host.SwarmDir
	if d.Presence != state.Present || d.NodeID == "" || !d.HasKey || !d.HasRootCA || p.w.expired(n, maxSkew) || otherRoot(n, p.w.st.Swarm.RootCASHA256) {
		return false
	}
	for _, m := range p.w.st.Swarm.Nodes {
		if m.ID == d.NodeID && m.Role == n.cfg.Role {
			return true
		}
	}
	return false
}

// fencedBy is the recovery that holds the host's engine, "" if none does.
func (n *node) fencedBy() string {
	for _, r := range n.host.Recoveries {
		if r.Held {
			return r.ID
		}
	}
	return ""
}
