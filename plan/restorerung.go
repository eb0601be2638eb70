package plan

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// candidate is a backup that could be restored.
type candidate struct {
	backup     *state.Backup
	repository string
}

// rungRestore makes a new cluster out of the newest verified backup.
func (p *planner) rungRestore() {
	c, why := p.newestBackup(true)
	if c == nil {
		p.unmet(Unmet{Code: diag.NothingToRecover, Goal: p.goalLeader(),
			Reason: sentence("No declared manager holds the swarm's state (" + p.gone() + "), and " + why), Remedy: remedy(diag.NothingToRecover)})
		return
	}
	if target := p.restorable(c, fmt.Sprintf("No declared manager holds the swarm's state (%s), and backup %s could be restored", p.gone(), c.backup.ID)); target != nil {
		p.restoreSteps(c, target)
	}
}

// restorable is the manager that a backup is restored onto, nil where the
// configuration does not allow it or the backup does not fit there, which it says.
// why is what the restore would serve.
func (p *planner) restorable(c *candidate, why string) *node {
	if !p.w.allowed(schema.AllowRestore) {
		p.forbidden(schema.AllowRestore, why)
		return nil
	}
	target, u := p.restoreTarget(c)
	if u == nil {
		u = p.unfit(c, target)
	}
	if u == nil {
		_, u = p.dataOf(c, p.comesAlong(c))
	}
	if u != nil {
		p.unmet(*u)
		return nil
	}
	return target
}

// prefers tells whether a backup is the better one to restore: of the newest epoch
// before another, then the newer.
func (p *planner) prefers(a, b *state.Backup) bool {
	newest := p.w.lineage().newest()
	if of := func(b *state.Backup) bool { return len(newest) == 1 && b.Epoch == newest[0] }; of(a) != of(b) {
		return of(a)
	}
	return a.TakenAt.After(b.TakenAt)
}

// newestBackup is the newest verified backup of this cluster in any repository. A
// safety copy serves where nothing else is left of the state; who asks for the
// latest backup does not mean what a cut run has saved just now.
func (p *planner) newestBackup(safety bool) (*candidate, string) {
	var best *candidate
	var passed *state.Backup
	why := "no repository that could be looked at holds a backup of it"
	for _, r := range p.w.placesFirst() {
		if r.Looked != state.Present {
			why = "repository " + r.Name + " can't be looked at"
			continue
		}
		for i := range r.Backups {
			b := &r.Backups[i]
			if !p.ofCluster(b) || b.Kind == state.KindSafety && !safety {
				continue
			}
			if fault := p.passedOver(b); fault != "" {
				if passed == nil || b.TakenAt.After(passed.TakenAt) {
					passed, why = b, "backup "+b.ID+" can't be used: "+fault
				}
				continue
			}
			if b.Opening != nil && b.Opening.Damaged {
				p.hazard(diag.BackupDamaged, 0, "", "Backup %s in repository %s was opened and can't be restored: %s", b.ID, r.Name, told(b.Opening.Problem.Text))
				why = fmt.Sprintf("backup %s of repository %s can't be restored: %s", b.ID, r.Name, told(b.Opening.Problem.Text))
				continue
			}
			if best == nil || p.prefers(b, best.backup) {
				best = &candidate{b, r.Name}
			}
		}
	}
	return p.firstCopy(best), why
}

// told is a reason without the full stop at its end.
func told(text string) string { return strings.TrimSuffix(text, ".") }

// ofCluster tells whether a backup is of this cluster, also where its manifest
// can't be read: then its place in the repository tells.
func (p *planner) ofCluster(b *state.Backup) bool {
	return b.Cluster == p.w.cfg.Cluster.Name && (p.w.id.id == "" || b.SwarmID == p.w.id.id || b.SwarmID == "" && b.Problem != nil)
}

// passedOver says why a backup of this cluster is never chosen without being asked
// for, "" where it may be.
func (p *planner) passedOver(b *state.Backup) string {
	switch {
	case b.Problem != nil:
		return b.Problem.Text
	case b.Verified == "":
		return "it was never verified"
	case len(b.Suspect) > 0:
		return "it is suspect: " + strings.Join(trimmed(b.Suspect), "; ")
	case b.TakenAt.After(p.in.Now.Add(maxSkew)):
		return "it says that it was taken at " + stamp(b.TakenAt) + ", which is in the future"
	}
	return ""
}

// restoreTarget is restore_onto, else the reachable declared host that the backup
// was taken on.
func (p *planner) restoreTarget(c *candidate) (*node, *Unmet) {
	goal := "restore backup " + c.backup.ID
	if name := or(p.in.Onto, p.w.rules().RestoreOnto); name != "" {
		if n := p.w.node(name); n != nil && n.manager() && p.fenceable(n) {
			return n, nil
		}
		return nil, &Unmet{Code: diag.BackupUnfit, Goal: goal, Node: name, Reason: fmt.Sprintf("It is to be restored onto %s, which is no declared manager that can be reached.", name),
			Remedy: "Bring its host back, or name another manager in restore_onto or with -onto."}
	}
	var choices []string
	for _, n := range p.w.managers() {
		if !p.fenceable(n) {
			continue
		}
		if n.cfg.Name == c.backup.Node || sameHost(c.backup.Address, n.cfg.Address) {
			return n, nil
		}
		choices = append(choices, n.cfg.Name)
	}
	return nil, &Unmet{Code: diag.BackupUnfit, Goal: goal,
		Reason: fmt.Sprintf("Backup %s was taken on %s, which is no manager that can be reached.", c.backup.ID, c.backup.Node),
		Remedy: "Name the manager to restore onto in recovery { restore_onto }: " + or(listing(choices), "none can be reached") + "."}
}

// unfit says why a backup can't be restored onto a host.
func (p *planner) unfit(c *candidate, n *node) *Unmet {
	b, h := c.backup, n.host
	refuse := func(code, format string, args ...any) *Unmet {
		return &Unmet{Code: code, Goal: "restore backup " + b.ID + " onto " + n.cfg.Name, Node: n.cfg.Name,
			Reason: sentence(fmt.Sprintf(format, args...)), Remedy: remedy(code)}
	}
	repo := p.w.cfg.Repository(c.repository)
	switch {
	case repo != nil && !repo.Plaintext && repo.Identity == "":
		return refuse(diag.BackupUnfit, "Repository %s has no identity, and without it nothing can be opened", c.repository)
	case b.Opening != nil && b.Opening.Damaged:
		return refuse(diag.BackupUnfit, "Backup %s was opened and can't be restored: %s", b.ID, told(b.Opening.Problem.Text))
	case b.Opening != nil && b.Opening.Problem != nil && b.Opening.Problem.Code != "":
		return refuse(b.Opening.Problem.Code, "Backup %s does not open: %s", b.ID, told(b.Opening.Problem.Text))
	case p.otherKey(b):
		return refuse(diag.NoUnlockKey, "Backup %s needs the unlock key of its time, with fingerprint %s; cluster.unlock_key has %s", b.ID, b.KeySHA256, p.in.Here.UnlockKey)
	case b.Autolocked && !b.KeyEscrowed() && !p.w.cfg.Cluster.UnlockKey.Set():
		return refuse(diag.NoUnlockKey, "Backup %s is of an auto-locked swarm: cluster.unlock_key must give the key of its time (fingerprint %s)", b.ID, b.KeySHA256)
	case newer(b.EngineVersion, h.Engine.Version):
		return refuse(diag.BackupUnfit, "Backup %s was taken with engine %s, and %s has %s: an older engine may not read what a newer one wrote", b.ID, b.EngineVersion, n.cfg.Name, h.Engine.Version)
	case (h.SwarmDir.FreeBytes > 0 || h.SwarmDir.TotalBytes > 0) && h.SwarmDir.FreeBytes < clearBytes(b)+extraRoom:
		return refuse(diag.NoRoom, "%s has %s free, and the restored directory needs %s", n.cfg.Name, room(h.SwarmDir.FreeBytes), room(clearBytes(b)+extraRoom))
	case h.Engine.LiveRestore:
		return refuse(diag.LiveRestore, "%s's engine has live-restore", n.cfg.Name)
	case h.ClockSkew > maxSkew || h.ClockSkew < -maxSkew:
		return refuse(diag.ClockSkew, "%s's clock differs by %s", n.cfg.Name, span(h.ClockSkew))
	}
	return nil
}

// compression is how many times larger a swarm directory is than its backup at
// rest: 35 times was measured for 2,000 services and 500 secrets.
const compression = 40

// clearBytes is what a restored directory takes at most, in bytes. The host's own
// check, before anything is stopped, goes by the true size.
func clearBytes(b *state.Backup) int64 {
	var sum int64
	for _, o := range b.Stored {
		if strings.HasPrefix(o.Name, "swarm.tar") { // the data beside it have places of their own
			sum += o.Size
		}
	}
	return compression * sum
}

// newer compares the first number of two versions and, where equal, the second.
func newer(a, b string) bool {
	var x, y [2]int
	if n, _ := fmt.Sscanf(a, "%d.%d", &x[0], &x[1]); n != 2 {
		return false
	}
	if n, _ := fmt.Sscanf(b, "%d.%d", &y[0], &y[1]); n != 2 {
		return false
	}
	return x[0] > y[0] || x[0] == y[0] && x[1] > y[1]
}

func (p *planner) restoreSteps(c *candidate, target *node) {
	b := c.backup
	r := p.begin(RungRestore, target.cfg.Name)
	r.Backup, r.Repository, r.ParentEpoch, r.Autolock = b.ID, c.repository, b.Epoch, b.Autolocked
	r.Asked = p.in.Restore != ""
	p.declaredAddresses(r, target)
	r.TermAbove = b.Raft.Term
	p.evidence(r, b.Raft.RaftID)
	for _, m := range b.Raft.Members {
		if m.RaftID != b.Raft.RaftID && !contains(r.RaftIDs, m.RaftID) {
			r.RaftIDs = append(r.RaftIDs, m.RaftID)
		}
	}
	r.FreshIdentity = b.NodeID != "" && target.host.SwarmDir.NodeID != b.NodeID && target.cfg.Name != b.Node
	r.Unfenced = p.unfenced(target, b.Raft.Members)
	r.Expires = p.plan.PlannedAt.Add(expiry)
	why := "No declared manager holds the swarm's state (" + p.gone() + ")"
	if p.in.Restore != "" {
		why = "A restore was asked for"
	}
	s := p.step(target, Prepare, Safe, prepareTimeout, "%s. Backup %s, %s old, taken on %s at term %d, index %d, is fetched, opened, read and made a directory of %s alone, at %s, and laid beside its place. Nothing is stopped before that has worked%s",
		why, b.ID, span(p.in.Now.Sub(b.TakenAt)), b.Node, b.Raft.Term, b.Raft.Index, target.cfg.Name, r.Address, p.otherCopies(c))
	s.Repository = c.repository
	switch o := b.Opening; {
	case o != nil && o.Store != nil:
	case o != nil && o.Problem != nil:
		p.hazard(diag.NotOpenedYet, s.ID, target.cfg.Name, "Backup %s could not be opened from here: %s", b.ID, told(o.Problem.Text))
	case b.OpenedAt.IsZero():
		p.hazard(diag.NotOpenedYet, s.ID, target.cfg.Name, "Backup %s was never opened with an identity", b.ID)
	}
	p.retain(b.Opening.Content())
	p.step(target, Hold, Interrupts, holdTimeout, "%s's engine is stopped and kept from starting until the new cluster is made", target.cfg.Name)
	if r.Asked && p.leads(target) {
		p.saveStep(target)
	}
	p.takeOver(target, p.backupMembers(b))
	p.restoreHazards(b, target)
	p.lackingData(c, target)
	p.running(b.Opening.Content())
	p.restoreDataWith(c, target)
}

// backupMembers stands in for the survivors in the question who keeps its
// certificates: the members that the backup's log names.
func (p *planner) backupMembers(b *state.Backup) []*node {
	return []*node{{host: state.Host{SwarmDir: state.SwarmDir{Raft: &b.Raft}}}}
}

func (p *planner) restoreHazards(b *state.Backup, target *node) {
	step := 0
	for _, s := range p.plan.Steps {
		if s.Kind == Restore {
			step = s.ID
		}
	}
	since := ""
	if p.w.st.Swarm != nil && p.w.st.Swarm.VersionIndex > b.Raft.Index {
		since = fmt.Sprintf(", and it has written at least %d entries since", p.w.st.Swarm.VersionIndex-b.Raft.Index)
	}
	o := b.Raft.Objects
	p.hazard(diag.StateGoesBack, step, target.cfg.Name, "The swarm becomes what it was %s ago (%s): %s. What changed since is lost%s",
		span(p.in.Now.Sub(b.TakenAt)), stamp(b.TakenAt), strings.Join([]string{counted(o.Services, "service", "services"), counted(o.Secrets, "secret", "secrets"),
			counted(o.Configs, "config", "configs"), counted(o.Nodes, "node", "nodes")}, ", "), since)
}
