package plan

import "github.com/requeen/requeen/internal/state"

// otherRoot tells whether a host trusts another root CA than the cluster's. Where
// either is not known it is not said.
func otherRoot(n *node, root string) bool {
	have := n.host.SwarmDir.RootCASHA256
	return have != "" && root != "" && have != root
}

// stray tells whether a host holds state that a recovered swarm refuses for ever:
// the swarm does not list its node ID, since it joined after the backup (safety
// rule 12), or trusts another root CA, since that was changed after the backup
// (safety rule 13). Where such hosts have a leader of their own, the cluster is
// split, and nothing is planned.
func (p *planner) stray(n *node) bool {
	d, swarm := n.host.SwarmDir, p.w.st.Swarm
	if swarm.Epoch == "" || !p.fenceable(n) || len(n.rivals) > 0 || d.ClusterID == "" || d.ClusterID != p.w.id.id || d.NodeID == "" {
		return false
	}
	if p.w.voterOf(n) != nil || n.member != nil && n.member.Status == "ready" {
		return false
	}
	return n.member == nil || p.strayEntry(n) != ""
}

// strayEntry is the entry of a stray that is of another root CA: it gets a new one.
// While the root CA is being rotated there are two, and it is not said.
func (p *planner) strayEntry(n *node) string {
	if n.member == nil || p.w.st.Swarm.RootRotating || !otherRoot(n, p.w.st.Swarm.RootCASHA256) {
		return ""
	}
	return n.member.ID
}

// strayWords say why a stray's engine is stopped; they take its name.
func (p *planner) strayWords(n *node) string {
	why := "%s holds state of this cluster, which does not list it, since it joined after the time that the cluster was taken back to or its entry was removed, and so would be refused for ever"
	if otherRoot(n, p.w.st.Swarm.RootCASHA256) {
		why = "%s's certificates are of another root CA than the cluster's, and neither trusts the other"
	}
	return why + ". Its engine is stopped, so its containers end, and its state is set aside, not removed, before it joins"
}

// heldWorker tells whether a cut recovery holds a worker that is not in the swarm.
func (p *planner) heldWorker(n *node) bool {
	return n.fencedBy() != "" && p.fenceable(n) && (n.member == nil || n.member.Status != "ready")
}

// growWorker plans that a worker without a place in the recovered swarm joins it.
func (p *planner) growWorker(n *node) {
	if n.phase(p.plan.Recovery.ID) != state.RecoveryFenced {
		p.step(n, Fence, Interrupts, holdTimeout, p.strayWords(n), n.cfg.Name)
	}
	p.joinWorker(n, p.listed(n))
	if old := p.strayEntry(n); old != "" {
		p.replaceEntry(n, old)
	}
}
