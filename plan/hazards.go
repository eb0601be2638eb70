package plan

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// hazards gathers what to know before approving, ordered by step, code and
// node; what is about the whole plan comes first.
func (p *planner) hazards(needs []*need) {
	if len(needs) > 0 || p.shapes() {
		p.hostHazards()
		p.managerHazards()
		p.runHazards()
	}
	p.strangerHazard()
	p.zoneHazard()
	for _, s := range p.plan.Steps {
		switch {
		case s.Kind == PruneBackups:
			p.pruneHazards(s)
		case s.Kind == CopyBackup:
			p.copyHazards(s)
		case s.Data != nil:
			p.dataHazards(s)
		case s.Shapes():
			p.shapeHazards(s)
		default:
			p.stepHazards(s)
		}
	}
	for _, r := range p.usedRepositories() {
		p.repositoryHazards(r)
	}
	for _, n := range needs {
		p.backupHazards(n)
	}
	p.openableHazards(needs)
	p.strayScheduleHazards()
	p.withoutLock()
	list := p.plan.Hazards
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		switch {
		case a.Step != b.Step:
			return a.Step < b.Step
		case a.Code != b.Code:
			return a.Code < b.Code
		}
		return a.Node < b.Node
	})
}

func (p *planner) hazard(code string, step int, node, format string, args ...any) {
	p.plan.Hazards = append(p.plan.Hazards, Hazard{Code: code, Step: step, Node: node,
		Text: sentence(fmt.Sprintf(format, args...)), Remedy: remedy(code)})
}

// hostHazards tells what of the declared managers could not be looked at.
func (p *planner) hostHazards() {
	for _, n := range p.w.managers() {
		h, name := n.host, n.cfg.Name
		tell := func(pr *state.Problem, code, what string) {
			if pr == nil {
				return
			}
			if _, known := diag.Lookup(pr.Code); known {
				code = pr.Code
			}
			fix := or(pr.Remedy, remedy(code))
			p.plan.Hazards = append(p.plan.Hazards, Hazard{Code: code, Node: name, Text: sentence(what + pr.Text), Remedy: fix})
		}
		tell(h.Problem, diag.HostUnreachable, name+": ")
		if h.Looked != state.Present {
			continue
		}
		if n.state.State != NodeStopped {
			tell(h.Engine.Problem, diag.EngineUnanswered, name+"'s engine: ")
		}
		tell(h.SwarmDir.Problem, diag.DiskUnread, name+"'s swarm directory: ")
	}
}

// managerHazards tells of managers that are not declared, but for those that
// are to be removed, which the unmet goals tell. Of a swarm that does not answer
// the recovery tells them.
func (p *planner) managerHazards() {
	if p.w.st.Swarm == nil {
		return
	}
	pruned := p.w.undeclared()
	for _, v := range p.w.voters {
		if slices.Contains(pruned, v.member) {
			continue
		}
		if v.node == nil && !p.w.mayBeDeclared(v.member) {
			p.hazard(diag.UndeclaredManager, 0, "", "The swarm has the manager %s (%s, node %s), which no node block declares: it counts for the quorum, and requeen can't look at its host",
				or(v.member.Hostname, "?"), or(v.member.ManagerAddr, v.member.Addr), v.id)
		}
	}
}

// runHazards tells what earlier runs left.
func (p *planner) runHazards() {
	for _, n := range p.w.nodes {
		for _, r := range p.cutRuns(n) {
			p.hazard(diag.UnfinishedRun, 0, n.cfg.Name, "The run %s for backup %s was cut on %s in phase %s", r.ID, r.Backup, n.cfg.Name, r.Phase)
		}
	}
}

func (p *planner) stepHazards(s Step) {
	n := p.w.node(s.Node)
	switch s.Kind {
	case Stop:
		v := p.w.voterOf(n)
		if v == nil || v.member == nil {
			v = &voter{node: n, member: &state.SwarmNode{}} // it joins before it is stopped
		}
		switch {
		case s.Margin.Managers == 1:
			p.hazard(diag.SingleManager, s.ID, s.Node, "%s is the only manager: while it is down nothing can be deployed, and nothing that fails is replaced", s.Node)
		case s.Margin.Spare == 0:
			p.hazard(diag.NoSpareManager, s.ID, s.Node, "While %s is down %d of %d managers are up, which is exactly the quorum: one more lost and the control plane stops",
				s.Node, s.Margin.Up, s.Margin.Managers)
		}
		if count := v.member.RunningTasks; count > 0 {
			p.hazard(diag.TasksOnManager, s.ID, s.Node, "%s on %s and %s when its engine stops", sentenceCase(tasksRun(count)), s.Node, ends(count))
		}
		if p.w.autolocked(n) {
			p.hazard(diag.RebootWhileLocked, s.ID, s.Node, "The swarm is auto-locked: if %s reboots between stop and unlock, it comes back locked and waits for somebody to unlock it", s.Node)
		}
	case Verify:
		if p.w.autolocked(n) && !p.escrows(s) {
			p.hazard(diag.UnlockKeyElsewhere, s.ID, s.Node, "The swarm is auto-locked: backup %s can be restored only with the unlock key that %s, and the key is not in it", s.Backup, p.keyWhen())
		}
		if r := p.w.cfg.Repository(s.Repository); r != nil && r.Plaintext {
			p.hazard(diag.PlaintextBackup, s.ID, s.Node, "Repository %s is declared plaintext: whoever can read it has the swarm's CA key, secrets and join tokens", s.Repository)
		}
	}
}

func tasksRun(n int) string {
	if n == 1 {
		return "1 task runs"
	}
	return fmt.Sprintf("%d tasks run", n)
}

func ends(n int) string {
	if n == 1 {
		return "ends"
	}
	return "end"
}

// usedRepositories are those that a backup block names and that were looked at.
func (p *planner) usedRepositories() []*state.Repository {
	var list []*state.Repository
	var names []string
	for _, b := range sortedBackups(p.w.cfg) {
		for _, place := range b.Places() {
			r := p.w.st.Repository(place)
			if r != nil && r.Looked == state.Present && !contains(names, r.Name) {
				names = append(names, r.Name)
				list = append(list, r)
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

func (p *planner) repositoryHazards(r *state.Repository) {
	if l := r.Lock; l != nil {
		then := "apply will refuse until that run ends"
		if p.in.NoLock {
			then = "apply -lock=false does not wait for that run, which may be at work on the same hosts"
		}
		p.hazard(diag.LockHeld, 0, "", "Repository %s is locked by %s since %s: %s", r.Name, or(l.Owner, "another run"), stamp(l.CreatedAt), then)
	}
	var damaged []string
	readable := 0
	for _, b := range r.Backups {
		if unsigned(&b) {
			continue
		}
		if b.Problem != nil {
			damaged = append(damaged, fmt.Sprintf("%s (%s)", or(b.ID, "one without an ID"), strings.TrimSuffix(b.Problem.Text, ".")))
		} else {
			readable++
		}
	}
	p.unsignedHazard(r)
	if len(damaged) > 0 {
		p.hazard(diag.BackupDamaged, 0, "", "In repository %s these count for nothing: %s", r.Name, listing(damaged))
	}
	if c := p.w.cfg.Repository(r.Name); c != nil && neverOpened(c) && readable > 0 {
		p.hazard(diag.NeverOpened, 0, "", "Repository %s holds %s, and no identity is configured: from here nobody can have opened one", r.Name, counted(readable, "backup", "backups"))
	}
}

func neverOpened(r *schema.Repository) bool { return r.Identity == "" && !r.Plaintext }

// backupHazards tells which of a block's backups that are newer than the one
// that counts are suspect or dated in the future.
func (p *planner) backupHazards(n *need) {
	if n.repo == nil {
		return
	}
	for _, r := range n.places {
		p.doubtedIn(n, r)
	}
}

func (p *planner) doubtedIn(n *need, r *state.Repository) {
	m := p.w.measure(n.block.Name, p.in.Now)
	for i := range r.Backups {
		b := &r.Backups[i]
		if _, concerns := m.fault(b); !concerns || b.Problem != nil || n.newest != nil && !b.TakenAt.After(n.newest.TakenAt) {
			continue
		}
		if len(b.Suspect) > 0 {
			p.hazard(diag.SuspectBackup, 0, "", "Backup %s in repository %s is suspect: %s", b.ID, r.Name, strings.Join(trimmed(b.Suspect), "; "))
		}
		if ahead := b.TakenAt.Sub(p.in.Now); ahead > maxSkew {
			p.hazard(diag.BackupFromFuture, 0, "", "Backup %s in repository %s says that it was taken at %s, %s from now", b.ID, r.Name, stamp(b.TakenAt), span(ahead))
		}
	}
}
