package plan

import (
	"fmt"

	"github.com/requeen/requeen/schema"
)

// freshBackups ends a recovery with a backup of the new cluster: none of the old
// epoch counts for it. It is of the last manager that came back with its own node
// ID, which follows; where there is none, the next plan takes it.
func (p *planner) freshBackups(needs []*need) {
	r := p.plan.Recovery
	if r == nil || r.Rung != RungForce && r.Rung != RungRestore || p.in.NoLock {
		return // without the lock the next plan that takes it makes the backup
	}
	var from *node
	for _, s := range p.plan.Steps {
		if s.Kind == Join && s.Join.Keep && s.Join.Role == schema.RoleManager {
			from = p.w.node(s.Node)
		}
	}
	spare := p.sim.margin().Spare > 0 // with none to spare nobody is stopped
	for _, n := range needs {
		if n.unmet || n.met || n.repo == nil {
			continue
		}
		n.due, n.reason = true, "no backup of the new cluster is there yet"
		if u := p.signNeeded(n); u != nil {
			p.unmetNeed(n, *u)
			continue
		}
		if from == nil || !spare || n.block.From != "" && n.block.From != schema.FromFollower && n.block.From != from.cfg.Name {
			continue // which notHealthy says
		}
		n.met = true
		p.backupSteps(n, choice{&voter{id: from.host.SwarmDir.NodeID, node: from},
			fmt.Sprintf("%s follows, and came back with its own node ID", from.cfg.Name)})
	}
}
