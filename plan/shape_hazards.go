package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// shapeHazards tell what a step on the cluster's shape costs.
func (p *planner) shapeHazards(s Step) {
	entry, name := p.w.entryOf(s.Entry), s.Where()
	switch s.Kind {
	case Join, Promote, Demote:
		if s.Kind != Join || s.Join.Role == schema.RoleManager {
			p.spareHazard(s)
		}
	case Leave:
		if entry != nil && entry.RunningTasks > 0 {
			p.hazard(diag.TasksOnManager, s.ID, s.Node, "%s on %s and %s when it leaves; the swarm starts them on other nodes", sentenceCase(tasksRun(entry.RunningTasks)), name, ends(entry.RunningTasks))
		}
	case RemoveNode:
		p.removalHazard(s, entry)
	case UpdateSwarm:
		p.autolockHazard(s)
		if s.Settings.HeartbeatTick != nil || s.Settings.ElectionTick != nil {
			p.hazard(diag.TicksAreEngines, s.ID, s.Node, "The step changes which ticks the swarm names, and no manager's pace: an engine goes by its own configuration")
		}
	}
}

// spareHazard tells that no manager may fail from a step on, where that is news.
func (p *planner) spareHazard(s Step) {
	m, before := s.Margin, p.was
	if s.ID > 1 {
		before = p.plan.Steps[s.ID-2].Margin
	}
	switch {
	case m == before || m.Spare > 0:
	case m.Managers == 1:
		p.hazard(diag.SingleManager, s.ID, s.Node, "After this step the swarm has one manager: should its host die, the swarm is gone but for the backups")
	case before.Spare == 0 && m.Managers < before.Managers: // one that was down goes: it was so before
	default:
		p.hazard(diag.NoSpareManager, s.ID, s.Node, "After this step %d of %d managers are up, which is exactly the quorum: one more lost and the control plane stops", m.Up, m.Managers)
	}
}

func (p *planner) removalHazard(s Step, entry *state.SwarmNode) {
	if entry == nil || s.Risk == Safe {
		return
	}
	text := fmt.Sprintf("%s (node %s) is removed with force: its certificates are good for nothing from then on", s.Where(), s.Entry)
	if entry.RunningTasks > 0 {
		text += fmt.Sprintf("; %s there by the swarm's list, and %s started elsewhere", tasksRun(entry.RunningTasks), isAre(entry.RunningTasks))
	}
	p.hazard(diag.EntryRemoved, s.ID, s.Node, "%s", text)
}

func (p *planner) autolockHazard(s Step) {
	switch on := s.Settings.Autolock; {
	case on == nil:
	case !*on:
		p.hazard(diag.AutolockOff, s.ID, s.Node, "Auto-lock is turned off: the managers' raft logs lie on their disks with the key to them")
	case s.KeyTo == nil:
		_, lacking := p.keyTo()
		text := "Auto-lock is turned on, and nothing takes the unlock key that the swarm makes: " + lacking
		if p.w.cfg.Cluster.UnlockKey.Set() {
			text += "; cluster.unlock_key is another one"
		}
		p.hazard(diag.UnlockKeyToFetch, s.ID, s.Node, "%s. docker swarm unlock-key on a manager tells it, for as long as one is up", text)
	}
}

// strangerHazard names the nodes of the swarm that are not declared and stay. Managers
// among them are told one by one, since they count for the quorum. Where no worker is
// declared the configuration is about the managers, and workers are no news.
func (p *planner) strangerHazard() {
	if p.w.cfg.Cluster.PruneNodes || len(p.w.workers()) == 0 {
		return
	}
	var list []string
	for _, m := range p.w.strangers() {
		if !isVoter(m) {
			list = append(list, or(m.Hostname, m.ID))
		}
	}
	if len(list) > 0 {
		p.hazard(diag.UndeclaredNode, 0, "", "No node block declares %s of the swarm: %s", counted(len(list), "node", "nodes"), few(list))
	}
}
