package plan_test

import (
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// shape does what a step that changes the swarm's shape does. What it changes of
// labels, settings and services is not modelled.
func (d *disaster) shape(s plan.Step) {
	l := d.led(s)
	if l == nil {
		return
	}
	i := d.at(s.Node)
	id := s.Entry
	if id == "" {
		id = s.NodeID
	}
	if id == "" && i >= 0 {
		id = d.st.Hosts[i].SwarmDir.NodeID
	}
	switch s.Kind {
	case plan.Join:
		d.join(s, i)
	case plan.Promote, plan.Demote:
		d.turn(s, l, id)
	case plan.Start, plan.Unlock:
		d.comeBack(s, l, i)
	case plan.Leave:
		h, k := &d.st.Hosts[i], &d.disks[i]
		if slices.Contains(l.members, h.SwarmDir.NodeID) {
			d.complain("step %d lets %s leave, which is a member", s.ID, s.Node)
		}
		h.SwarmDir = state.SwarmDir{Presence: state.Absent, Path: h.SwarmDir.Path, FreeBytes: h.SwarmDir.FreeBytes, FreeInode: h.SwarmDir.FreeInode}
		k.log = content{}
	case plan.RemoveNode:
		if slices.Contains(l.members, id) {
			d.complain("step %d removes the entry %s, which is a member's", s.ID, id)
		}
		l.nodes = slices.DeleteFunc(slices.Clone(l.nodes), func(n state.SwarmNode) bool { return n.ID == id })
	}
}

// turn makes a node of the swarm a manager or a worker.
func (d *disaster) turn(s plan.Step, l *lineage, id string) {
	n := l.node(id)
	if n == nil {
		d.complain("step %d (%s %s) is for the entry %s, which is not listed", s.ID, s.Kind, s.Node, id)
		return
	}
	up := d.running(l.epoch)
	j := slices.IndexFunc(d.st.Hosts, func(h state.Host) bool { return h.SwarmDir.NodeID == id })
	if s.Kind == plan.Promote {
		if j < 0 || !d.works(j, l) {
			d.complain("step %d promotes %s, which does not answer", s.ID, s.Node)
			return
		}
		n.Role, l.members = schema.RoleManager, append(l.members, id)
		h, k := &d.st.Hosts[j], &d.disks[j]
		h.SwarmDir.Role, h.SwarmDir.HasRaft, h.SwarmDir.Locked = schema.RoleManager, true, d.account(l).Autolock
		k.log = content{l.epoch, d.disks[up[0]].log.index}
		return
	}
	n.Role = schema.RoleWorker
	l.members = slices.DeleteFunc(slices.Clone(l.members), func(m string) bool { return m == id })
	if j >= 0 {
		h := &d.st.Hosts[j]
		h.SwarmDir.Role, h.SwarmDir.HasRaft, h.SwarmDir.Locked = schema.RoleWorker, false, false
		d.disks[j].log = content{}
	}
}

// comeBack starts the engine of a node that the swarm lists, or unlocks it.
func (d *disaster) comeBack(s plan.Step, l *lineage, i int) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	for _, r := range h.Recoveries {
		if r.Held {
			d.complain("step %d starts %s, which recovery %s holds", s.ID, s.Node, r.ID)
		}
	}
	switch {
	case s.Kind == plan.Unlock && !(k.up && k.sealed):
		d.complain("step %d unlocks %s, which does not wait for a key", s.ID, s.Node)
	case s.Kind == plan.Start && k.up && !k.forgot:
		d.complain("step %d starts %s, whose engine runs", s.ID, s.Node)
	case l.node(h.SwarmDir.NodeID) == nil, h.SwarmDir.HasRaft && (k.log.epoch != l.epoch || !slices.Contains(l.members, h.SwarmDir.NodeID)):
		d.complain("step %d starts %s, which the swarm does not know as what it holds", s.ID, s.Node)
	case !h.SwarmDir.HasStateFile:
		d.complain("step %d starts %s, which does not know its swarm", s.ID, s.Node)
	}
	k.up, k.forgot, k.sealed = true, false, s.Kind == plan.Start && h.SwarmDir.HasRaft && h.SwarmDir.Locked
}
