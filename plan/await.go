package plan

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

// awaitTimeout is for how long workers are waited for: 13 s were measured at most.
const awaitTimeout = 30 * time.Second

// awaitWorkers plans the wait for workers that come back by themselves, since a
// manager has the address that they know. Nothing is done to them: their tasks run
// on.
func (p *planner) awaitWorkers(log *state.RaftReport) {
	if !p.anyAddressStays(log.Members) {
		return
	}
	joins := map[string]bool{}
	for _, s := range p.plan.Steps {
		joins[s.Node] = joins[s.Node] || s.Kind == Join
	}
	var list []*node
	for _, n := range p.w.workers() {
		if p.fenceable(n) && n.host.Service.ActiveState == "active" && n.host.SwarmDir.NodeID != "" && !joins[n.cfg.Name] {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return
	}
	s := p.step(list[0], Await, Safe, awaitTimeout, "%s an address that a manager of the new cluster has. Nothing is done there, and what runs there runs on; it is waited for, %s at most. Who is not back then is named, and the recovery goes on",
		knows(list), span(awaitTimeout))
	for _, n := range list[1:] {
		s.With = append(s.With, n.cfg.Name)
	}
}

func knows(list []*node) string {
	if len(list) == 1 {
		return list[0].cfg.Name + " knows"
	}
	return names(list) + " know"
}
