package plan

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// askedAdoption is how old the copy of a cut run may be to stand in for a
// backup that is asked for: a run that was cut a moment ago is finished, but
// nobody who asks for a backup now is given yesterday's.
const askedAdoption = time.Hour

// leftovers plans what becomes of the runs that were cut: what they stopped is
// started and unlocked, a copy that still serves is verified instead of
// stopping a manager again, and the rest is removed.
func (p *planner) leftovers(needs []*need) {
	p.inProgress(needs)
	p.adopt(needs)
	var left []leftover
	for _, n := range p.w.nodes {
		if runs := p.cutRuns(n); len(runs) > 0 && p.bringBack(n, runs) {
			for _, run := range runs {
				left = append(left, leftover{n, run, findNeed(needs, run)})
			}
		}
	}
	for _, l := range left {
		if l.adopted() {
			p.verifyLeft(l)
		}
	}
	if p.in.NoLock {
		return // another run may be storing what lies there
	}
	for _, l := range left { // no copy goes before the one that is used instead is verified
		if !l.adopted() {
			p.cleanUp(l)
		}
	}
}

// leftover is a cut run on its host, with the backup that it was for; need is
// nil where that is not declared any more.
type leftover struct {
	*node
	run  state.HostRun
	need *need
}

func (l leftover) adopted() bool { return l.need != nil && l.need.adopted == l.run.ID }

// runs are this cluster's runs on a host, oldest first.
func (p *planner) runs(n *node) []state.HostRun {
	if n.host.Looked != state.Present || n.doubt != nil {
		return nil
	}
	var list []state.HostRun
	for _, r := range n.host.Runs {
		if r.Cluster == p.w.cfg.Cluster.Name {
			list = append(list, r)
		}
	}
	return list
}

// cutRuns are those of a host on which none goes on.
func (p *planner) cutRuns(n *node) []state.HostRun {
	runs := p.runs(n)
	for _, r := range runs {
		if r.UnitActive {
			return nil
		}
	}
	return runs
}

// inProgress says which runs go on: while one does, no manager is stopped.
func (p *planner) inProgress(needs []*need) {
	for _, n := range p.w.nodes {
		for _, r := range p.runs(n) {
			if !r.UnitActive {
				continue
			}
			if !contains(p.busy, n.cfg.Name) {
				p.busy = append(p.busy, n.cfg.Name)
			}
			u := Unmet{Code: diag.RunInProgress, Goal: "finish the run " + r.ID + " on " + n.cfg.Name, Node: n.cfg.Name,
				Reason: fmt.Sprintf("A run is in progress on %s: %s, phase %s.", n.cfg.Name, r.ID, r.Phase), Remedy: remedy(diag.RunInProgress)}
			if need := findNeed(needs, r); need != nil && need.due && !need.unmet {
				u.Goal = need.goal()
				p.unmetNeed(need, u)
				continue
			}
			p.unmet(u)
		}
	}
}

// findNeed finds the block that a run was for, as it is declared now.
func findNeed(needs []*need, r state.HostRun) *need {
	for _, n := range needs {
		if n.block.Name == r.Backup && n.block.HasPlace(r.Repository) {
			return n
		}
	}
	return nil
}

// adopt gives each due backup the newest copy that serves it.
func (p *planner) adopt(needs []*need) {
	for _, n := range p.w.nodes {
		for _, r := range p.cutRuns(n) {
			need := findNeed(needs, r)
			if need == nil || need.unmet || len(need.block.Data) > 0 || !p.serves(n, r, need) {
				continue
			}
			if at := stoppedAt(n, r); need.adopted == "" || at.After(need.adoptedAt) {
				need.adopted, need.adoptedAt = r.ID, at
			}
		}
	}
}

// stoppedAt is when a run stopped its engine, by the operator's clock.
func stoppedAt(n *node, r state.HostRun) time.Time { return r.StoppedAt.Add(-n.host.ClockSkew) }

// serves tells whether a cut run's copy can become the backup that is due. The
// epoch that it is of is found when it is read.
func (p *planner) serves(n *node, r state.HostRun, need *need) bool {
	if !need.due || need.repo == nil || !r.CopyIntact || r.StoppedAt.IsZero() {
		return false
	}
	switch r.Phase {
	case state.PhaseCopied, state.PhaseStarted, state.PhaseUnlocked:
	default:
		return false
	}
	if r.SwarmID != p.w.id.id || r.SwarmID == "" || r.NodeID == "" || r.NodeID != n.nodeID() {
		return false
	}
	if p.w.autolocked(n) && !p.w.keyKnown() || need.holds(r.ID) || n.state.State == NodeUnknown {
		return false
	}
	at, oldest := stoppedAt(n, r), need.block.MaxAge
	if need.asked {
		oldest = min(oldest, askedAdoption)
	}
	return p.in.Now.Sub(at) < oldest && !at.After(p.in.Now.Add(maxSkew))
}

// stored tells whether a run got as far as its manifest.
func stored(r *state.Repository, id string) bool {
	for _, b := range r.Backups {
		if b.ID == id && b.Problem == nil {
			return true
		}
	}
	return false
}

// bringBack starts and unlocks the engine that a cut run left down. It is false
// where nothing can be said or done about the host now.
func (p *planner) bringBack(n *node, runs []state.HostRun) bool {
	last := runs[len(runs)-1]
	switch n.state.State {
	case NodeUnknown:
		p.stuck(n, last, n.state.Reason)
		return false
	case NodeLocked:
		p.unlockLeft(n, last)
	case NodeStopped, NodeDamaged:
		run, down := p.stoppedBy(n, runs)
		if !down || n.host.Service.ActiveState == "active" {
			return true
		}
		if n.state.State == NodeDamaged {
			p.stuck(n, run, "its engine is down and must not be started: "+n.state.Reason)
			return false
		}
		p.add(n, p.left(Start, run, startTimeout, fmt.Sprintf("The run %s was cut after it had stopped %s (%s): what a backup stopped is started again",
			run.ID, n.cfg.Name, stamp(run.StoppedAt))))
		if p.w.autolocked(n) {
			p.unlockLeft(n, run)
		} else {
			p.restored(n)
		}
	}
	return true
}

// stoppedBy finds the run that stopped the engine and did not start it again.
// An engine that somebody stopped later stays as it was left: a start that
// failed shows as failed, a stop by hand as a later exit.
func (p *planner) stoppedBy(n *node, runs []state.HostRun) (state.HostRun, bool) {
	for i := len(runs) - 1; i >= 0; i-- {
		r, unit := runs[i], n.host.Service
		switch {
		case r.SwarmID != p.w.id.id || r.NodeID != n.nodeID():
		case !r.StartedAt.IsZero() || r.StoppedAt.IsZero() && !r.TimerArmed:
		case unit.ActiveState == "inactive" && !r.StoppedAt.IsZero() && unit.ExitedAt.After(r.StoppedAt.Add(time.Minute)):
		default:
			return r, true
		}
	}
	return state.HostRun{}, false
}

func (p *planner) left(kind Kind, r state.HostRun, timeout time.Duration, reason string) Step {
	s := Step{Kind: kind, Backup: r.Backup, Run: r.ID, Risk: Safe, TimeoutSeconds: seconds(timeout), Reason: sentence(reason)}
	if p.w.cfg.Repository(r.Repository) != nil && !p.in.NoLock {
		s.Repository = r.Repository
	}
	return s
}

// unlockLeft unlocks a manager that a cut run left locked, where the key can be
// had and a quorum will answer: an unlock without one hangs the engine.
func (p *planner) unlockLeft(n *node, r state.HostRun) {
	goal := "unlock the manager " + n.cfg.Name
	if !p.w.keyKnown() {
		p.unmet(*p.noKey(goal, n))
		return
	}
	v := p.w.voterOf(n)
	if v == nil || upCount(without(p.w.voters, v))+1 < majority(len(p.w.voters)) {
		p.unmet(Unmet{Code: diag.ManagerLeftLocked, Goal: goal, Node: n.cfg.Name,
			Reason: fmt.Sprintf("%s is locked, and too few managers are up to make a quorum with it: an unlock would hang its engine.", n.cfg.Name),
			Remedy: "Bring the other managers back first, then plan again."})
		return
	}
	p.add(n, p.left(Unlock, r, unlockTimeout, p.unlockReason(n.cfg.Name)))
	p.restored(n)
}

// restored marks a manager as back for what is planned after.
func (p *planner) restored(n *node) {
	if v := p.w.voterOf(n); v != nil {
		v.up, v.restored = true, true
	}
}

func (p *planner) stuck(n *node, r state.HostRun, why string) {
	p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: "finish the run " + r.ID + " on " + n.cfg.Name, Node: n.cfg.Name,
		Reason: sentence(fmt.Sprintf("The run %s was cut on %s and can't be finished now: %s", r.ID, n.cfg.Name, why)),
		Remedy: remedy(diag.LeftoverStuck)})
}

// verifyLeft makes a cut run's copy the backup that is due.
func (p *planner) verifyLeft(l leftover) {
	l.need.met = true
	s := p.left(Verify, l.run, verifyTimeout, fmt.Sprintf("Backup %s is due: %s. The run %s was cut, but its copy of %s is whole, so no manager is stopped again. %s",
		l.run.Backup, l.need.reason, l.run.ID, stamp(stoppedAt(l.node, l.run)), p.verifyReason(l.need, l.cfg.Name)))
	s.Repository = l.need.block.Repository // the first of copies that can be used
	p.add(l.node, s)
}

// cleanUp removes what a cut run left, but not while its copy may be the only
// one of the state that there is.
func (p *planner) cleanUp(l leftover) {
	if l.run.CopyIntact && l.need != nil && l.need.repo == nil {
		return // the repository can't be looked at: the copy may be all there is
	}
	if l.run.CopyIntact && l.need != nil && l.need.due && p.cannotSign(l.run.Repository) != "" {
		return // it serves once it can be signed
	}
	if !l.host.SwarmDir.Complete() && !p.w.usable() {
		p.stuck(l.node, l.run, "its copy may be the last of the state, since no manager answers and the host's own directory is not whole")
		return
	}
	p.add(l.node, p.left(CleanUp, l.run, cleanUpTimeout, fmt.Sprintf("The run %s was cut on %s: %s. Its directory, copy, unit and timer are removed",
		l.run.ID, l.cfg.Name, p.whyNot(l))))
}

// whyNot says why a cut run's copy is of no use.
func (p *planner) whyNot(l leftover) string {
	switch {
	case l.need == nil:
		return fmt.Sprintf("its backup %q is not declared with repository %q any more", l.run.Backup, l.run.Repository)
	case l.need.holds(l.run.ID):
		return "its backup is stored already"
	case l.run.SwarmID != p.w.id.id || l.run.NodeID != l.nodeID():
		return "its copy is of another node or swarm"
	case !l.run.CopyIntact:
		return "its copy is not whole"
	case !l.need.due:
		return "no backup is due"
	case len(l.need.block.Data) > 0:
		return "the applications' data that belongs to its copy is not known any more"
	case l.need.adopted != "":
		return "a newer copy is used"
	}
	return "its copy is too old to serve, or can't be opened"
}
