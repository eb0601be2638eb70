package plan

import (
	"net"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// rejoinWorkers plans the workers that would never find the new cluster: a worker
// knows the addresses of the managers that there were, and asks no other. Where
// one of them is a manager again the workers come back by themselves.
func (p *planner) rejoinWorkers(members []state.Member) {
	if p.anyAddressStays(members) {
		return
	}
	for _, n := range p.w.nodes {
		d := n.host.SwarmDir
		if n.manager() || !p.fenceable(n) || d.Presence != state.Present || d.NodeID == "" || !d.HasKey || !d.HasRootCA {
			continue
		}
		p.step(n, Fence, Interrupts, holdTimeout, "%s knows no address at which the new cluster can be found. Its engine is stopped, so its containers end, and what it knows of managers is set aside; its certificates stay", n.cfg.Name)
		p.add(n, Step{Kind: Join, Recovery: p.plan.Recovery.ID, Risk: Safe, TimeoutSeconds: seconds(joinTimeout),
			Reason: n.cfg.Name + " joins at " + p.plan.Recovery.Address + " with the certificates that it has, and so keeps its node ID and labels.",
			Join:   &JoinAs{Role: schema.RoleWorker, Keep: true}})
	}
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
