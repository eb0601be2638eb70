package plan

import (
	"net"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// rejoinWorkers plans the workers that would never find the new cluster: a worker
// knows the addresses of the managers that there were, and asks no other. Where
// one of them is a manager again the workers come back by themselves.
//
// One whose root CA is another than the cluster's trusts no manager of it, whatever
// its address (safety rule 13).
func (p *planner) rejoinWorkers(log *state.RaftReport) {
	stays := p.anyAddressStays(log.Members)
	for _, n := range p.w.workers() {
		d := n.host.SwarmDir
		if !p.fenceable(n) || d.Presence != state.Present || d.NodeID == "" || !d.HasKey || !d.HasRootCA {
			continue
		}
		switch {
		case otherRoot(n, log.RootCASHA256):
			p.step(n, Fence, Interrupts, holdTimeout, "%s's certificates are of another root CA than the cluster's, and neither trusts the other. Its engine is stopped, so its containers end, and its state is set aside, not removed", n.cfg.Name)
			p.joinWorker(n, false)
			p.replaceEntry(n, d.NodeID)
		case !stays:
			p.step(n, Fence, Interrupts, holdTimeout, "%s knows no address at which the new cluster can be found. Its engine is stopped, so its containers end, and what it knows of managers is set aside; its certificates stay", n.cfg.Name)
			p.joinWorker(n, true)
		}
	}
}

func (p *planner) joinWorker(n *node, keep bool) {
	at := ""
	if a := p.plan.Recovery.Address; a != "" {
		at = " at " + a
	}
	reason := n.cfg.Name + " joins" + at + " with the certificates that it has, and so keeps its node ID and labels."
	if !keep {
		reason = n.cfg.Name + " joins" + at + " as a new worker: the certificates that it has do not serve in this cluster, and are set aside."
	}
	p.add(n, Step{Kind: Join, Recovery: p.plan.Recovery.ID, Risk: Safe, TimeoutSeconds: seconds(joinTimeout),
		Reason: reason, Join: &JoinAs{Role: schema.RoleWorker, Keep: keep}})
}

func (w *world) workers() []*node {
	var list []*node
	for _, n := range w.nodes {
		if !n.manager() {
			list = append(list, n)
		}
	}
	return list
}

// anyAddressStays tells whether a manager of the new cluster has the address of a
// manager of the old one.
func (p *planner) anyAddressStays(members []state.Member) bool {
	at := []string{p.plan.Recovery.Address}
	for _, s := range p.plan.Steps {
		if s.Kind == Join {
			at = append(at, net.JoinHostPort(p.w.node(s.Node).cfg.Address, "0"))
		}
	}
	for _, m := range members {
		for _, a := range at {
			if sameHost(m.Addr, hostOf(a)) {
				return true
			}
		}
	}
	return len(members) == 0
}
