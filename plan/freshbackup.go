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
	if m := p.sim.margin(); from == nil || m.Spare < 1 {
		return // with none to spare nobody is stopped; the goal says so once the swarm answers
	}
	for _, n := range needs {
		if n.unmet || n.met || n.repo == nil || n.block.From != "" && n.block.From != "follower" && n.block.From != from.cfg.Name {
			continue
		}
		n.due, n.met = true, true
		n.reason = "no backup of the new cluster is there yet"
		p.backupSteps(n, choice{&voter{id: from.host.SwarmDir.NodeID, node: from},
			fmt.Sprintf("%s follows, and came back with its own node ID", from.cfg.Name)})
	}
}
