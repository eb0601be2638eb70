package plan_test

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// step does what a step does on real hosts, and complains where they would refuse.
func (d *disaster) step(p *plan.Plan, s plan.Step) {
	switch i := d.at(s.Node); {
	case i < 0:
		d.shape(s)
		return
	case d.disks[i].off && !onEntry(s.Kind):
		d.complain("step %d is for %s, which can't be reached", s.ID, s.Node)
		return
	case s.Shapes():
		d.shape(s)
		return
	case s.Recovery == "":
		d.backup(p, s, i)
		return
	}
	i := d.at(s.Node)
	h := &d.st.Hosts[i]
	switch s.Kind {
	case plan.Start:
		d.start(p, s)
	case plan.Unlock:
		d.unlock(s)
	case plan.Hold:
		d.hold(i, s, state.RecoveryHeld)
	case plan.Save:
		d.save(s, i)
	case plan.Prepare:
		d.prepare(p, s, i)
	case plan.Fence:
		d.hold(i, s, state.RecoveryFenced)
		d.setAside(i, s)
		h.SwarmDir.HasRaft, h.SwarmDir.HasStateFile = false, false
	case plan.Restore:
		d.swap(p, s, i)
	case plan.Init:
		d.force(p, s, i)
	case plan.Join:
		d.join(s, i)
	case plan.UpdateNode, plan.RemoveNode:
		d.entry(s, i)
	case plan.RotateUnlockKey, plan.Check:
		d.finish(p, s)
	}
}

// onEntry tells whether a step asks the swarm, and not the node's own host.
func onEntry(k plan.Kind) bool {
	switch k {
	case plan.UpdateNode, plan.RemoveNode, plan.Promote, plan.Demote, plan.UpdateSwarm, plan.Rebalance, plan.Check:
		return true
	}
	return false
}

// finish is what asks the swarm that was brought back.
func (d *disaster) finish(p *plan.Plan, s plan.Step) {
	l := d.led(s)
	if l == nil {
		return
	}
	if s.Kind == plan.RotateUnlockKey && (!d.account(l).Autolock || s.KeyTo == nil) {
		d.complain("step %d makes a key anew that nothing is locked with, or for nowhere", s.ID)
	}
	for _, later := range p.Steps[s.ID:] {
		if later.Recovery != "" && later.Kind != plan.Check && s.Kind == plan.Check {
			d.complain("step %d checks before step %d (%s) of the recovery", s.ID, later.ID, later.Kind)
		}
		if later.Kind == plan.Join && s.Kind == plan.RotateUnlockKey && later.Join.Role == schema.RoleManager {
			d.complain("step %d makes the key anew before %s, whose key is sealed with the old one, joins", s.ID, later.Node)
		}
	}
}

// led is the swarm that a step asks; nil, with a complaint, where none answers.
func (d *disaster) led(s plan.Step) *lineage {
	live := d.live()
	if len(live) != 1 {
		d.complain("step %d (%s %s) asks a swarm, and %d live", s.ID, s.Kind, s.Node, len(live))
		return nil
	}
	return d.swarm(live[0])
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
			d.complain("step %d (%s %s): recovery %s holds the host", s.ID, s.Kind, h.Name, r.ID)
		}
	}
	if d.recovery(h, s.Recovery) == nil {
		h.Recoveries = append(h.Recoveries, state.HostRecovery{ID: s.Recovery, Cluster: "prod", Phase: state.RecoveryBegun})
		slices.SortFunc(h.Recoveries, func(a, b state.HostRecovery) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
	}
	r := d.recovery(h, s.Recovery)
	if r.Phase == state.RecoveryLifted {
		d.complain("step %d (%s %s): the recovery has let the host go", s.ID, s.Kind, h.Name)
	}
	return r
}

func (d *disaster) hold(i int, s plan.Step, phase state.RecoveryPhase) {
	r := d.open(&d.st.Hosts[i], s)
	r.Held = true
	switch r.Phase {
	case state.RecoveryBegun, state.RecoveryHeld, state.RecoveryStaged:
		if r.Phase != state.RecoveryStaged || phase == state.RecoveryFenced {
			r.Phase = phase
		}
	}
	d.disks[i].up, d.disks[i].sealed = false, false
}

// setAside moves what a swarm directory holds beside it.
func (d *disaster) setAside(i int, s plan.Step) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	if h.SwarmDir.HasRaft {
		k.aside = append(slices.Clone(k.aside), k.log)
	}
	if h.SwarmDir.HasRaft || h.SwarmDir.NodeID != "" {
		d.recovery(h, s.Recovery).Aside = "/var/lib/docker/swarm.requeen-" + s.Recovery
	}
}

// lift lets a host's engine start.
func (d *disaster) lift(i int, s plan.Step) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	r := d.recovery(h, s.Recovery)
	if r == nil {
		d.complain("step %d (%s %s): the recovery has not begun on the host", s.ID, s.Kind, h.Name)
		return
	}
	for _, o := range h.Recoveries {
		if o.Held && o.ID != r.ID {
			d.complain("step %d (%s %s): recovery %s holds the host", s.ID, s.Kind, h.Name, o.ID)
		}
	}
	r.Held, r.Phase = false, state.RecoveryLifted
	k.up, k.forgot = true, false
	k.sealed = h.SwarmDir.Locked && h.SwarmDir.HasStateFile && h.SwarmDir.HasRaft
}

// start starts engines, or lets one go.
func (d *disaster) start(p *plan.Plan, s plan.Step) {
	if p.Recovery.Rung != plan.RungStart {
		d.lift(d.at(s.Node), s)
		return
	}
	for _, name := range append([]string{s.Node}, s.With...) {
		i := d.at(name)
		h, k := &d.st.Hosts[i], &d.disks[i]
		for j := range h.Recoveries {
			if r := &h.Recoveries[j]; r.Held {
				if r.ID != s.Recovery {
					d.complain("step %d starts %s, which recovery %s holds", s.ID, name, r.ID)
				}
				r.Held, r.Phase = false, state.RecoveryLifted
			}
		}
		if !h.SwarmDir.Complete() {
			d.complain("step %d starts %s, whose directory is not whole", s.ID, name)
		}
		k.up, k.sealed, k.forgot = true, h.SwarmDir.Locked, false
	}
}

// unlock gives the key to all at once; without a quorum the engines hang.
func (d *disaster) unlock(s plan.Step) {
	for _, name := range append([]string{s.Node}, s.With...) {
		k := d.disk(name)
		if !k.up {
			d.complain("step %d unlocks %s, which is down", s.ID, name)
		}
		k.sealed = false
	}
	if len(d.live()) == 0 {
		d.complain("step %d unlocks without a quorum: the engines hang", s.ID)
	}
}

// save stores what a held host holds. What was saved before of the same state is
// not told apart from it.
func (d *disaster) save(s plan.Step, i int) {
	h, k := &d.st.Hosts[i], d.disks[i]
	if r := d.recovery(h, s.Recovery); r == nil || !r.Held {
		d.complain("step %d copies %s, which is not held", s.ID, s.Node)
	}
	b := aged(0)
	b.ID, b.Kind, b.Backup, b.Node, b.NodeID, b.TakenAt = d.now.Format("20060102T150405Z")+"-5afe00", state.KindSafety, "", s.Node, s.NodeID, d.now
	b.Epoch, b.ParentEpoch = k.log.epoch, d.swarm(k.log.epoch).parent
	b.Raft = state.RaftReport{Term: 7, Index: k.log.index, Members: []state.Member{{NodeID: s.NodeID, RaftID: "f" + s.NodeID}}}
	d.store(s.Repository, b, d.swarm(k.log.epoch).nodes)
}

// store puts a backup in front of a repository's list.
func (d *disaster) store(repository string, b state.Backup, nodes []state.SwarmNode) {
	repo := d.st.Repository(repository)
	repo.Backups = append([]state.Backup{b}, repo.Backups...)
	listed := map[string][]state.SwarmNode{b.ID: slices.Clone(nodes)}
	for id, list := range d.listed {
		listed[id] = list
	}
	d.listed = listed
}

func (d *disaster) prepare(p *plan.Plan, s plan.Step, i int) {
	h := &d.st.Hosts[i]
	r := d.open(h, s)
	if p.Recovery.Rung == plan.RungForce && !r.Held {
		d.complain("step %d reads %s before it is held", s.ID, s.Node)
	}
	if p.Recovery.Rung == plan.RungForce {
		d.furthest(s, i)
	}
	r.Staged = h.SwarmDir.Path + ".requeen-" + s.Recovery + ".new"
	if r.Phase != state.RecoverySwapped {
		r.Phase = state.RecoveryStaged
	}
}

// swap puts the prepared directory in its place.
func (d *disaster) swap(p *plan.Plan, s plan.Step, i int) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	r := d.recovery(h, s.Recovery)
	if r == nil || !r.Held || r.Staged == "" {
		d.complain("step %d swaps on %s, which is not held or has nothing staged", s.ID, s.Node)
		return
	}
	d.setAside(i, s)
	r.Staged, r.Phase = "", state.RecoverySwapped
	made := lineage{epoch: s.Recovery, parent: k.log.epoch, members: []string{h.SwarmDir.NodeID}, term: 1007}
	if b := d.restored(p); b != nil {
		made.members, made.parent, made.nodes = []string{b.NodeID}, b.Epoch, slices.Clone(d.listed[b.ID])
	} else {
		made.nodes = slices.Clone(d.swarm(k.log.epoch).nodes)
	}
	id := made.members[0]
	made.leads = id
	d.swarms = append(d.swarms, made)
	h.SwarmDir = host(s.Node, h.Address, "manager").SwarmDir
	h.SwarmDir.NodeID, h.SwarmDir.HasStateFile, h.SwarmDir.CertificateSHA256 = id, false, "certificate-of-"+id
	k.log, k.forgot = content{s.Recovery, logEnds + 1}, false
}

// restored is the backup that a plan restores, nil where it forces a survivor.
func (d *disaster) restored(p *plan.Plan) *state.Backup {
	if p.Recovery.Backup == "" {
		return nil
	}
	for _, b := range d.st.Repository(p.Recovery.Repository).Backups {
		if b.ID == p.Recovery.Backup {
			return &b
		}
	}
	d.complain("the plan restores %s, which is not there", p.Recovery.Backup)
	return nil
}

// force makes a swarm out of a prepared directory. Old managers that it meets it
// evicts, so that none may run.
func (d *disaster) force(p *plan.Plan, s plan.Step, i int) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	if !k.up || h.SwarmDir.HasStateFile || k.log.epoch != s.Recovery {
		d.complain("step %d forces %s, which is not ready for it", s.ID, s.Node)
		return
	}
	for j := range d.disks {
		if j != i && d.takesPart(j) {
			d.complain("step %d forces %s while %s runs in an old swarm", s.ID, s.Node, d.st.Hosts[j].Name)
		}
		if j != i {
			d.mayReturn(p, s, j)
		}
	}
	h.SwarmDir.HasStateFile, h.SwarmDir.Locked = true, p.Recovery.Autolock
}

func (d *disaster) join(s plan.Step, i int) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	l := d.led(s)
	if l == nil {
		return
	}
	if h.SwarmDir.HasRaft || h.SwarmDir.HasStateFile {
		d.complain("step %d joins %s, which still holds raft state", s.ID, s.Node)
	}
	if s.Recovery != "" {
		d.lift(i, s)
	}
	id := h.SwarmDir.NodeID
	n := l.node(id)
	if s.Join.Keep && (n == nil || n.Role != s.Join.Role) {
		d.complain("step %d joins %s with certificates that the swarm does not know", s.ID, s.Node)
	}
	if !s.Join.Keep {
		d.news++
		id = fmt.Sprintf("new%d%s00000000000000", d.news, s.Node)
	}
	manager := s.Join.Role == schema.RoleManager
	sealed := manager && d.account(l).Autolock
	h.SwarmDir = host(s.Node, h.Address, s.Join.Role).SwarmDir
	h.SwarmDir.NodeID, h.SwarmDir.CertificateSHA256, h.SwarmDir.Locked = id, "certificate-of-"+id, sealed
	k.up, k.sealed, k.forgot = true, false, false
	l.list(state.SwarmNode{ID: id, Hostname: s.Node, Role: s.Join.Role, Availability: "active", Addr: h.Address, EngineVersion: "28.5.2"})
	if manager {
		k.log = content{l.epoch, d.disks[d.running(l.epoch)[0]].log.index}
		if !slices.Contains(l.members, id) {
			l.members = append(l.members, id)
		}
	}
}

func (d *disaster) entry(s plan.Step, i int) {
	l := d.led(s)
	if l == nil || s.Kind == plan.UpdateNode {
		return
	}
	if slices.Contains(l.members, s.Entry) || s.Entry == d.st.Hosts[i].SwarmDir.NodeID {
		d.complain("step %d removes the entry %s, which is a member's", s.ID, s.Entry)
	}
	l.nodes = slices.DeleteFunc(slices.Clone(l.nodes), func(n state.SwarmNode) bool { return n.ID == s.Entry })
}
