package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// facts are what the rules compare before and after a step.
type facts struct {
	live     []string
	voters   int // of the swarm that answers
	up       int // of them
	leads    int // the place of the leader, -1 where nobody leads
	copies   []content
	verified int // backups that count
}

func (d *disaster) facts() facts {
	f := facts{live: d.live(), leads: -1, copies: d.copies()}
	if len(f.live) > 0 {
		l := d.swarm(f.live[0])
		up := d.running(l.epoch)
		f.voters, f.up = len(l.members), len(up)
		leads := l.leader(d, up)
		for _, i := range up {
			if d.st.Hosts[i].SwarmDir.NodeID == leads {
				f.leads = i
			}
		}
	}
	for _, r := range d.st.Repositories {
		f.verified += len(r.Backups)
	}
	return f
}

// copies are the places where the state lies and can be got at: swarm directories,
// what was set aside, what a cut run has copied, and backups.
func (d *disaster) copies() []content {
	var list []content
	for i := range d.disks {
		h, k := &d.st.Hosts[i], &d.disks[i]
		if k.off {
			continue
		}
		if h.SwarmDir.HasRaft {
			list = append(list, k.log)
		}
		list = append(list, k.aside...)
		for _, r := range h.Runs {
			if r.CopyIntact {
				list = append(list, k.log)
			}
		}
	}
	for _, r := range d.st.Repositories {
		for j := range r.Backups {
			list = append(list, content{r.Backups[j].Epoch, r.Backups[j].Raft.Index})
		}
	}
	return list
}

// do does a step, and looks whether it kept the rules of every plan. Nothing here
// is told by the planner's own simulation, which is held against it.
func (d *disaster) do(p *plan.Plan, s plan.Step, before facts) (after facts) {
	d.now = d.now.Add(5 * time.Second)
	d.step(p, s)
	after = d.facts()
	wrong := func(format string, args ...any) {
		d.complain("step %d (%s %s): %s", s.ID, s.Kind, s.Node, fmt.Sprintf(format, args...))
	}
	asked := p.Recovery != nil && p.Recovery.Asked
	if len(after.live) > 1 {
		wrong("two swarms live with one ID: %q", after.live)
	}
	if len(before.live) > 0 && len(after.live) == 0 && !asked && !(before.voters == 1 && onlyManager(p, s)) {
		wrong("the quorum is lost: %d of %d were up", before.up, before.voters)
	}
	if stops(s.Kind) && before.leads >= 0 && before.leads == d.at(s.Node) && before.up > 1 && !asked {
		wrong("the leader is stopped, and %d follow", before.up-1)
	}
	for _, c := range before.copies {
		if !slices.ContainsFunc(after.copies, func(o content) bool { return o.epoch == c.epoch && o.index >= c.index }) {
			wrong("the last copy of the state of epoch %q at index %d is gone", c.epoch, c.index)
		}
	}
	if after.verified < before.verified {
		wrong("a backup is gone")
	}
	d.margin(s, after, wrong)
	return after
}

// margin holds the margin that the plan shows against the world.
func (d *disaster) margin(s plan.Step, after facts, wrong func(string, ...any)) {
	m := s.Margin
	switch {
	case m.Quorum != m.Managers/2+1 || m.Spare != m.Up-m.Quorum:
		wrong("the margin %+v does not add up", m)
	case len(after.live) > 0 && (m.Managers != after.voters || m.Up != after.up):
		wrong("the margin is %+v, and %d of %d are up", m, after.up, after.voters)
	case len(after.live) == 0 && m.Spare >= 0:
		wrong("the margin is %+v, and no quorum is up", m)
	}
}

// stops tells whether a step takes its node out of the control plane.
func stops(k plan.Kind) bool {
	return k == plan.Stop || k == plan.Hold || k == plan.Fence || k == plan.Leave
}

// onlyManager tells whether a plan says that a step stops the only manager.
func onlyManager(p *plan.Plan, s plan.Step) bool {
	return slices.ContainsFunc(p.Hazards, func(h plan.Hazard) bool { return h.Code == diag.SingleManager && h.Step == s.ID })
}

// mayReturn complains of a manager that could run again beside a forced cluster:
// one that is neither held nor known to be out of reach.
func (d *disaster) mayReturn(p *plan.Plan, s plan.Step, i int) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	node := d.cfg.Node(h.Name)
	if node == nil || node.Role != schema.RoleManager {
		return
	}
	if !k.off {
		for _, r := range h.Recoveries {
			if r.Held {
				return
			}
		}
		d.complain("step %d forces %s while nothing keeps %s from starting", s.ID, s.Node, h.Name)
		return
	}
	for _, u := range p.Recovery.Unfenced {
		if u.Node != h.Name {
			continue
		}
		if !u.Acknowledged && !slices.ContainsFunc(p.Hazards, func(z plan.Hazard) bool { return z.Code == diag.ManagerUnfenced && z.Node == h.Name }) {
			d.complain("step %d forces %s, and nobody is told that %s can't be fenced", s.ID, s.Node, h.Name)
		}
		return
	}
	d.complain("step %d forces %s, and does not probe %s, which can't be fenced", s.ID, s.Node, h.Name)
}

// furthest complains of a survivor that is behind another one whose log can be read.
func (d *disaster) furthest(s plan.Step, i int) {
	own := d.disks[i].log
	for j := range d.disks {
		if h, k := &d.st.Hosts[j], &d.disks[j]; !k.off && h.SwarmDir.HasRaft && k.log.epoch == own.epoch && k.log.index > own.index {
			d.complain("step %d takes %s, and %s is further", s.ID, s.Node, h.Name)
		}
	}
}

// rest tells what is not as it should be where a plan has no step: "" where all is,
// or the plan says of it that it is not.
func (d *disaster) rest(p *plan.Plan) string {
	live := d.live()
	if len(live) == 0 {
		return ""
	}
	if p.Recovery != nil {
		return "a recovery is planned, and no step of it"
	}
	l := d.swarm(live[0])
	said := func(name string) bool {
		return slices.ContainsFunc(p.Unmet, func(u plan.Unmet) bool {
			return u.Node == name || strings.Contains(u.Reason+u.Goal, name)
		})
	}
	whole := len(l.members) == len(d.running(l.epoch))
	for i, h := range d.st.Hosts {
		in := d.works(i, l) || d.disks[i].log.epoch == l.epoch && d.takesPart(i)
		whole = whole && in
		if in || d.disks[i].off || said(h.Name) {
			continue
		}
		for _, r := range h.Recoveries {
			if r.Held {
				return h.Name + " is left held, and nothing is said of it"
			}
		}
		if h.SwarmDir.Role != schema.RoleWorker && (len(h.Runs) > 0 || l.epoch != "") || h.SwarmDir.NodeID != "" && !d.disks[i].hidden {
			return h.Name + " is left out of the swarm, and nothing is said of it"
		}
	}
	if !whole {
		return ""
	}
	for _, h := range d.st.Hosts {
		if len(h.Runs) > 0 {
			return "a run is left on " + h.Name
		}
	}
	unmet := slices.DeleteFunc(slices.Clone(p.Unmet), func(u plan.Unmet) bool {
		return u.Code == diag.LockNeeded || u.Code == diag.QuorumWouldBeLost && len(l.members) == 2
	})
	if p.Condition.Name != plan.Healthy || len(unmet) > 0 {
		return fmt.Sprintf("all is there, and the plan says %s, and unmet: %s", p.Condition.Name, unmetText(p))
	}
	return ""
}
