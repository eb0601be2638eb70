package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// restoreAsked plans the restore that the operator asks for, which goes back in
// time where the swarm is well.
func (p *planner) restoreAsked() {
	if len(p.busy) > 0 {
		return
	}
	goal := "restore backup " + p.in.Restore
	if id, name := p.w.halfMade(); id != "" {
		p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: goal, Node: name,
			Reason: fmt.Sprintf("The recovery %s was cut after it had replaced a swarm directory, and %s waits for it: two recoveries at once would get into each other's way.", id, name),
			Remedy: "Plan without -restore and apply that, which finishes it; then ask again."})
		return
	}
	c, why := p.askedBackup()
	if c == nil {
		p.unmet(Unmet{Code: diag.BackupUnfit, Goal: goal, Reason: sentenceCase(sentence(why)), Remedy: "requeen backup list shows what is there."})
		return
	}
	target := p.restorable(c, "The restore of backup "+c.backup.ID+" was asked for")
	if target == nil {
		return
	}
	for _, v := range p.w.voters {
		if v.up && (v.node == nil || v.node != target && !p.fenceable(v.node)) {
			p.unmet(Unmet{Code: diag.UndeclaredManager, Goal: goal,
				Reason: fmt.Sprintf("The manager %s is up and can't be fenced: with it there would be two swarms with one ID.", v.label()),
				Remedy: "Declare it with a connection, or demote and remove it, then plan again."})
			return
		}
	}
	p.sim.givenUp = true
	p.restoreSteps(c, target)
}

// halfMade is a recovery that has replaced a swarm directory and is not at its end:
// its cluster is not made yet, or it still holds managers that are to join. The
// name is that of a manager that waits for it.
func (w *world) halfMade() (id, name string) {
	for _, n := range w.managers() {
		if w.swapped(n) && !n.host.SwarmDir.HasStateFile {
			return w.unfinished(), n.cfg.Name
		}
		if held := n.fencedBy(); held != "" && held != w.unfinished() {
			return held, n.cfg.Name
		}
	}
	return "", ""
}

// restoreCut says so where a restore of a living swarm was cut once the raft state
// of its managers was set aside: which backup it was for, only the operator knows.
func (p *planner) restoreCut() bool {
	id := p.w.unfinished()
	for _, n := range p.w.managers() {
		if id == "" || n.phase(id) != state.RecoveryFenced || p.w.furthest() != nil {
			continue
		}
		p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: p.goalLeader(), Node: n.cfg.Name,
			Reason: fmt.Sprintf("The restore %s was cut once the raft state of %s was set aside, and before a new cluster was made.", id, n.cfg.Name),
			Remedy: "Plan with the same -restore again, which finishes it. What was set aside is on the hosts, as requeen status lists it."})
		return true
	}
	return false
}

// askedBackup is the backup that the operator asks for.
func (p *planner) askedBackup() (*candidate, string) {
	if p.in.Restore == "latest" {
		return p.newestBackup(false)
	}
	return p.backupByID(p.in.Restore)
}

// backupByID finds a backup of this cluster that can be read, whatever its epoch.
func (p *planner) backupByID(id string) (*candidate, string) {
	why := "no repository that could be looked at holds backup " + id
	for _, r := range p.w.placesFirst() {
		for i := range r.Backups {
			b := &r.Backups[i]
			switch {
			case b.ID != id:
			case b.Problem != nil:
				why = "backup " + id + " can't be used: " + b.Problem.Text
			case b.Cluster != p.w.cfg.Cluster.Name || p.w.id.id != "" && b.SwarmID != p.w.id.id:
				return nil, "backup " + id + " is of another cluster"
			default:
				return p.firstCopy(&candidate{b, r.Name}), ""
			}
		}
	}
	return nil, why
}
