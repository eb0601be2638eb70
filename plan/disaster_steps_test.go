package plan_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// step does what a recovery's step does on real hosts, and complains where they
// would refuse.
func (d *disaster) step(p *plan.Plan, s plan.Step) {
	h := d.st.Host(s.Node)
	if d.disks[s.Node] == nil {
		return // a worker, which is not modelled
	}
	if d.disks[s.Node].off {
		d.complain("step %d is for %s, which can't be reached", s.ID, s.Node)
		return
	}
	switch s.Kind {
	case plan.Start:
		d.startStep(p, s)
	case plan.Unlock:
		d.unlock(s)
	case plan.Hold:
		d.hold(h, s, state.RecoveryHeld)
	case plan.Save:
		d.save(p, s, h)
	case plan.Prepare:
		r := d.open(h, s)
		if p.Recovery.Rung == plan.RungForce && !r.Held {
			d.complain("step %d reads %s before it is held", s.ID, s.Node)
		}
		r.Staged = h.SwarmDir.Path + ".requeen-" + s.Recovery + ".new"
		if r.Phase != state.RecoverySwapped {
			r.Phase = state.RecoveryStaged
		}
	case plan.Fence:
		d.hold(h, s, state.RecoveryFenced)
		if h.SwarmDir.HasRaft {
			d.recovery(h, s.Recovery).Aside = h.SwarmDir.Path + ".requeen-" + s.Recovery
		}
		h.SwarmDir.HasRaft, h.SwarmDir.HasStateFile, h.SwarmDir.Raft = false, false, nil
	case plan.Restore:
		d.swap(p, s, h)
	case plan.Init:
		d.force(p, s, h)
	case plan.Join:
		d.join(s, h)
	case plan.UpdateNode, plan.RemoveNode:
		d.entry(s, h)
	case plan.RotateUnlockKey, plan.Check:
		d.finish(p, s)
	}
}

// finish is what asks the swarm that was brought back.
func (d *disaster) finish(p *plan.Plan, s plan.Step) {
	live := d.live()
	if len(live) != 1 {
		d.complain("step %d (%s) asks a swarm, and %d live", s.ID, s.Kind, len(live))
		return
	}
	if s.Kind == plan.RotateUnlockKey && (!d.account(live[0]).Autolock || s.KeyTo == nil) {
		d.complain("step %d makes a key anew that nothing is locked with, or for nowhere", s.ID)
	}
	for _, later := range p.Steps[s.ID:] {
		if later.Recovery != "" && later.Kind != plan.Check && s.Kind == plan.Check {
			d.complain("step %d checks before step %d (%s) of the recovery", s.ID, later.ID, later.Kind)
		}
		if later.Kind == plan.Join && s.Kind == plan.RotateUnlockKey && d.disks[later.Node] != nil {
			d.complain("step %d makes the key anew before %s, whose key is sealed with the old one, joins", s.ID, later.Node)
		}
	}
}

func (d *disaster) recovery(h *state.Host, id string) *state.HostRecovery {
	for i := range h.Recoveries {
		if h.Recoveries[i].ID == id {
			return &h.Recoveries[i]
		}
	}
	return nil
}

// open begins a recovery on a host; one that let the host go is over there, and
// two never hold it.
func (d *disaster) open(h *state.Host, s plan.Step) *state.HostRecovery {
	for _, r := range h.Recoveries {
		if r.Held && r.ID != s.Recovery {
			d.complain("step %d (%s %s): recovery %s holds the host", s.ID, s.Kind, s.Node, r.ID)
		}
	}
	if d.recovery(h, s.Recovery) == nil {
		h.Recoveries = append(h.Recoveries, state.HostRecovery{ID: s.Recovery, Cluster: "prod", Phase: state.RecoveryBegun})
	}
	r := d.recovery(h, s.Recovery)
	if r.Phase == state.RecoveryLifted {
		d.complain("step %d (%s %s): the recovery has let the host go", s.ID, s.Kind, s.Node)
	}
	return r
}

func (d *disaster) hold(h *state.Host, s plan.Step, phase state.RecoveryPhase) {
	r := d.open(h, s)
	r.Held = true
	switch r.Phase {
	case state.RecoveryBegun, state.RecoveryHeld, state.RecoveryStaged:
		if r.Phase != state.RecoveryStaged || phase == state.RecoveryFenced {
			r.Phase = phase
		}
	}
	d.disks[s.Node].up, d.disks[s.Node].sealed = false, false
}

// lift lets a host's engine start.
func (d *disaster) lift(h *state.Host, s plan.Step) {
	r := d.recovery(h, s.Recovery)
	if r == nil {
		d.complain("step %d (%s %s): the recovery has not begun on the host", s.ID, s.Kind, s.Node)
		return
	}
	for _, o := range h.Recoveries {
		if o.Held && o.ID != r.ID {
			d.complain("step %d (%s %s): recovery %s holds the host", s.ID, s.Kind, s.Node, o.ID)
		}
	}
	r.Held, r.Phase = false, state.RecoveryLifted
	k := d.disks[h.Name]
	k.up = true
	k.sealed = h.SwarmDir.Locked && h.SwarmDir.HasStateFile && h.SwarmDir.HasRaft
}

// startStep starts engines, or lets one go.
func (d *disaster) startStep(p *plan.Plan, s plan.Step) {
	if p.Recovery.Rung != plan.RungStart {
		d.lift(d.st.Host(s.Node), s)
		return
	}
	for _, name := range append([]string{s.Node}, s.With...) {
		h, k := d.st.Host(name), d.disks[name]
		for i := range h.Recoveries {
			if r := &h.Recoveries[i]; r.Held {
				if r.ID != s.Recovery {
					d.complain("step %d starts %s, which recovery %s holds", s.ID, name, r.ID)
				}
				r.Held, r.Phase = false, state.RecoveryLifted
			}
		}
		if missing := !h.SwarmDir.Complete(); missing {
			d.complain("step %d starts %s, whose directory is not whole", s.ID, name)
		}
		k.up, k.sealed, h.Engine.SwarmError = true, h.SwarmDir.Locked, ""
	}
}

// unlock gives the key to all at once; without a quorum the engines hang.
func (d *disaster) unlock(s plan.Step) {
	for _, name := range append([]string{s.Node}, s.With...) {
		if !d.disks[name].up {
			d.complain("step %d unlocks %s, which is down", s.ID, name)
		}
		d.disks[name].sealed = false
	}
	if len(d.live()) == 0 {
		d.complain("step %d unlocks without a quorum: the engines hang", s.ID)
	}
}

func (d *disaster) save(p *plan.Plan, s plan.Step, h *state.Host) {
	if !d.recovery(h, s.Recovery).Held {
		d.complain("step %d copies %s, which is not held", s.ID, s.Node)
	}
	b := aged(0)
	b.ID, b.Kind, b.Backup, b.Node, b.NodeID, b.TakenAt, b.Epoch = d.now.Format("20060102T150405Z")+"-5afe00", state.KindSafety, "", s.Node, s.NodeID, d.now, d.disks[s.Node].epoch
	b.Raft = state.RaftReport{Term: 7, Index: 960, Members: []state.Member{{NodeID: s.NodeID, RaftID: "f" + s.NodeID}}}
	repo := d.st.Repository(s.Repository)
	repo.Backups = append([]state.Backup{b}, repo.Backups...)
	_ = p
}

func (d *disaster) swap(p *plan.Plan, s plan.Step, h *state.Host) {
	r, k := d.recovery(h, s.Recovery), d.disks[s.Node]
	if r == nil || !r.Held || r.Staged == "" {
		d.complain("step %d swaps on %s, which is not held or has nothing staged", s.ID, s.Node)
		return
	}
	id := h.SwarmDir.NodeID
	if p.Recovery.Backup != "" {
		for _, b := range d.st.Repository(p.Recovery.Repository).Backups {
			if b.ID == p.Recovery.Backup {
				id = b.NodeID
			}
		}
	}
	if h.SwarmDir.HasRaft || h.SwarmDir.NodeID != "" {
		r.Aside = "/var/lib/docker/swarm.requeen-" + s.Recovery
	}
	r.Staged, r.Phase = "", state.RecoverySwapped
	epoch := k.epoch
	if p.Recovery.Backup != "" {
		epoch = ""
	}
	d.swarms[s.Recovery] = &lineage{members: []string{id}, nodes: maps.Clone(d.swarms[epoch].nodes), term: 1007}
	h.SwarmDir = host(s.Node, h.Address, "manager").SwarmDir
	h.SwarmDir.NodeID, h.SwarmDir.HasStateFile, h.SwarmDir.CertificateSHA256 = id, false, "certificate-of-"+id
	h.Engine.SwarmError = ""
	k.epoch = s.Recovery
}

// force makes a swarm out of a prepared directory. Old managers that it meets it
// evicts, so that none may run.
func (d *disaster) force(p *plan.Plan, s plan.Step, h *state.Host) {
	k := d.disks[s.Node]
	if !k.up || h.SwarmDir.HasStateFile || k.epoch != s.Recovery {
		d.complain("step %d forces %s, which is not ready for it", s.ID, s.Node)
		return
	}
	for name := range d.disks {
		if name != s.Node && d.takesPart(name) {
			d.complain("step %d forces %s while %s runs in an old swarm", s.ID, s.Node, name)
		}
	}
	h.SwarmDir.HasStateFile, h.SwarmDir.Locked = true, p.Recovery.Autolock
}

func (d *disaster) join(s plan.Step, h *state.Host) {
	live := d.live()
	if len(live) != 1 {
		d.complain("step %d joins %s, and %d swarms live", s.ID, s.Node, len(live))
		return
	}
	l, k := d.swarms[live[0]], d.disks[s.Node]
	if h.SwarmDir.HasRaft || h.SwarmDir.HasStateFile {
		d.complain("step %d joins %s, which still holds raft state", s.ID, s.Node)
	}
	d.lift(h, s)
	id := h.SwarmDir.NodeID
	if n, listed := l.nodes[id]; s.Join.Keep && (!listed || n.Role != "manager") {
		d.complain("step %d joins %s with certificates that the swarm does not know", s.ID, s.Node)
	}
	if !s.Join.Keep {
		d.news++
		id = fmt.Sprintf("new%d%s", d.news, s.Node[1:])
		id += "00000000000000"
	}
	sealed := d.account(live[0]).Autolock
	h.SwarmDir = host(s.Node, h.Address, "manager").SwarmDir
	h.SwarmDir.NodeID, h.SwarmDir.CertificateSHA256, h.SwarmDir.Locked = id, "certificate-of-"+id, sealed
	h.Engine.SwarmError = ""
	k.epoch, k.up, k.sealed = live[0], true, false
	n := state.SwarmNode{ID: id, Hostname: s.Node, Role: "manager", Availability: "active", Addr: h.Address, EngineVersion: "28.5.2"}
	l.nodes[id] = n
	if !slices.Contains(l.members, id) {
		l.members = append(l.members, id)
	}
}

func (d *disaster) entry(s plan.Step, h *state.Host) {
	live := d.live()
	if len(live) != 1 {
		d.complain("step %d changes an entry, and %d swarms live", s.ID, len(live))
		return
	}
	l := d.swarms[live[0]]
	if s.Kind == plan.UpdateNode {
		return
	}
	if slices.Contains(l.members, s.Entry) || s.Entry == h.SwarmDir.NodeID {
		d.complain("step %d removes the entry %s, which is a member's", s.ID, s.Entry)
	}
	delete(l.nodes, s.Entry)
}
