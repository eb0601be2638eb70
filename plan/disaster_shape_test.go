package plan_test

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// shape does what a step on the cluster's shape does in a world of disasters: there a
// manager that was wiped joins a swarm that has kept its quorum.
func (d *disaster) shape(p *plan.Plan, s plan.Step) {
	live := d.live()
	if len(live) != 1 {
		d.complain("step %d (%s) asks a swarm, and %d live", s.ID, s.Kind, len(live))
		return
	}
	l := d.swarms[live[0]]
	switch s.Kind {
	case plan.Demote:
		d.demote(s, l, live[0])
	case plan.RemoveNode:
		if slices.Contains(l.members, s.Entry) {
			d.complain("step %d removes the entry of a member", s.ID)
		}
		delete(l.nodes, s.Entry)
	case plan.Join:
		d.joinAnew(s, l, live[0])
	case plan.UpdateNode:
	default:
		d.complain("step %d is of kind %s", s.ID, s.Kind)
	}
}

func (d *disaster) demote(s plan.Step, l *lineage, epoch string) {
	l.members = slices.DeleteFunc(l.members, func(id string) bool { return id == s.Entry })
	n := l.nodes[s.Entry]
	n.Role, n.Status = schema.RoleWorker, "down"
	l.nodes[s.Entry] = n
	if up := d.running(epoch); len(up) < len(l.members)/2+1 {
		d.complain("step %d demotes %s and loses the quorum", s.ID, s.Where())
	}
	for name := range d.disks {
		if h := d.st.Host(name); h.SwarmDir.NodeID == s.Entry {
			d.complain("step %d demotes %s, which is declared a manager and holds its state", s.ID, name)
		}
	}
}

func (d *disaster) joinAnew(s plan.Step, l *lineage, epoch string) {
	h, k := d.st.Host(s.Node), d.disks[s.Node]
	if k == nil || k.off || !k.up || h.SwarmDir.Presence == state.Present {
		d.complain("step %d joins %s over state, or where nothing answers", s.ID, s.Node)
		return
	}
	d.news++
	id := fmt.Sprintf("new%d%s00000000000000", d.news, s.Node[1:])
	sealed := d.account(epoch).Autolock
	h.SwarmDir = host(s.Node, h.Address, s.Join.Role).SwarmDir
	h.SwarmDir.NodeID, h.SwarmDir.CertificateSHA256, h.SwarmDir.Locked = id, "certificate-of-"+id, sealed
	h.Engine.SwarmError = ""
	k.epoch, k.sealed = epoch, false
	l.nodes[id] = state.SwarmNode{ID: id, Hostname: s.Node, Role: s.Join.Role, Availability: "active", Addr: h.Address, EngineVersion: "28.5.2"}
	l.members = append(l.members, id)
}
