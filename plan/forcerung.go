package plan

import (
	"fmt"
	"net"
	"slices"
	"sort"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// rungForce makes a new cluster out of the best survivor.
func (p *planner) rungForce(list []*node) {
	best := list[0]
	if !p.w.allowed(schema.AllowForceNewCluster) && !p.w.swapped(best) {
		p.forbidden(schema.AllowForceNewCluster, fmt.Sprintf("No quorum can come back (%s), and a new cluster can be forced out of %s", p.gone(), best.cfg.Name))
		return
	}
	if best.host.SwarmDir.Locked && !p.w.keyKnown() {
		p.unmet(*p.noKey(p.goalLeader(), best))
		return
	}
	log := best.host.SwarmDir.Raft
	r := p.begin(RungForce, best.cfg.Name)
	r.ParentEpoch, r.Autolock = log.Epoch, best.host.SwarmDir.Locked
	if log.Epoch == r.ID { // prepared already, by the run that was cut
		r.ParentEpoch = log.ParentEpoch
	}
	p.declaredAddresses(r, best)
	p.compared(list)
	p.evidence(r, log.RaftID)
	r.Unfenced = p.unfenced(best, log.Members)
	if !p.in.NoLock {
		r.Repository = p.safetyRepository()
	}
	r.Expires = p.plan.PlannedAt.Add(expiry)
	defer p.running(best.host.SwarmDir.Store)
	p.retain(best.host.SwarmDir.Store)
	if p.goOn(best, list) {
		return
	}
	s := p.step(best, Hold, Interrupts, holdTimeout, "%s is the furthest survivor: %s. No quorum can come back (%s). Its engine is stopped, so that its log is whole, and kept from starting until the new cluster is made",
		best.cfg.Name, position(log), p.gone())
	p.othersEnd(s.ID, best)
	p.saveStep(best)
	p.step(best, Prepare, Safe, prepareTimeout, "A swarm directory is made of it that names %s alone, at %s: %s. It is laid beside the old one, proved readable, and changes nothing yet",
		best.cfg.Name, r.Address, p.prepareWords(best))
	p.takeOver(best, list)
}

// saveStep stores what a held host holds, where a repository can be used. Where
// none can, the set-aside on the host is the only copy, and the run has no lock
// that others see.
func (p *planner) saveStep(n *node) {
	r := p.plan.Recovery
	if p.in.NoLock {
		p.hazard(diag.NoSharedLock, 0, n.cfg.Name, "No repository's lock is taken (-lock=false), and so nothing is stored in one: what %s holds stays on it alone, set aside, and nothing but the hosts' own locks keeps a second run away", n.cfg.Name)
		return
	}
	if r.Repository == "" {
		if len(p.w.cfg.Repositories) > 0 {
			p.hazard(diag.NoSharedLock, 0, n.cfg.Name, "No repository can be used now: what %s holds stays on it alone, set aside, and nothing but the hosts' own locks keeps a second run away", n.cfg.Name)
		}
		return
	}
	if why := p.cannotSign(r.Repository); why != "" {
		p.saveUnsigned(n, why)
		return
	}
	s := p.step(n, Save, Safe, saveTimeout, "What %s holds is stored in repository %s before anything is changed; it counts as no backup of the new cluster", n.cfg.Name, r.Repository)
	s.Repository = r.Repository
}

// takeOver is what force and restore share: fence, swap, start, init, and the
// managers that come back.
func (p *planner) takeOver(target *node, survivors []*node) {
	fenced := p.fence(target)
	swap := p.step(target, Restore, Destructive, restoreTimeout, "The prepared directory takes the place of %s's swarm directory, which is set aside beside it and not removed", target.cfg.Name)
	p.recoveryHazards(swap.ID, target, survivors)
	p.step(target, Start, Safe, startTimeout, "%s's engine may start again: without docker-state.json it comes up in no swarm, and asks nobody", target.cfg.Name)
	p.step(target, Init, Safe, initTimeout, "The new cluster is made at %s. Before that every manager that is not fenced is probed once more: one that answers stops it. It ends when %s leads and holds all that its source held",
		p.plan.Recovery.Address, target.cfg.Name)
	p.comeBack(target, fenced, survivors)
}

// goOn plans what is left of a recovery that was cut after the prepared directory
// had taken its place.
func (p *planner) goOn(target *node, list []*node) bool {
	id := p.plan.Recovery.ID
	phase := target.phase(id)
	if phase != state.RecoverySwapped && phase != state.RecoveryLifted {
		return false
	}
	fenced := p.fence(target)
	if phase == state.RecoverySwapped || target.state.State == NodeStopped {
		p.step(target, Start, Safe, startTimeout, "The recovery %s was cut after %s's prepared directory had taken its place: its engine may start again", id, target.cfg.Name)
	}
	s := p.step(target, Init, Destructive, initTimeout, "The new cluster is made at %s, after every manager that is not fenced was probed once more", p.plan.Recovery.Address)
	p.hazard(diag.StateReplaced, s.ID, target.cfg.Name, "The recovery %s was cut on %s; the new cluster that it was to make is made now", id, target.cfg.Name)
	p.unfencedHazards(s.ID)
	p.comeBack(target, fenced, list)
	return true
}

// swapped tells whether a cut recovery has put its prepared directory in place on
// a host: the state that was there is set aside, so going on asks for no
// permission that the cut plan did not have.
func (w *world) swapped(n *node) bool {
	phase := n.phase(w.unfinished())
	return phase == state.RecoverySwapped || phase == state.RecoveryLifted
}

// comeBack plans the managers that join again, and names those that can't.
func (p *planner) comeBack(target *node, fenced, survivors []*node) {
	for _, n := range fenced {
		keep := p.keeps(n, survivors)
		p.joinBack(n, keep, survivors[0].host.SwarmDir.Raft.RootCASHA256)
		if old := oldEntry(n, survivors); old != "" && !keep {
			p.replaceEntry(n, old)
		}
	}
	if old := oldEntry(target, survivors); old != "" && p.plan.Recovery.FreshIdentity {
		p.replaceEntry(target, old)
	}
	p.rotateTokens(target)
	p.rotateKey(target, survivors)
	p.rejoinWorkers(survivors[0].host.SwarmDir.Raft)
	p.awaitWorkers(survivors[0].host.SwarmDir.Raft)
	for _, u := range p.plan.Recovery.Unfenced {
		if u.Node != "" {
			p.managerGone(p.w.node(u.Node), target)
		}
	}
}

// fence plans the fencing of every other manager that can be reached.
func (p *planner) fence(target *node) []*node {
	var fenced []*node
	list := p.w.managers()
	sort.SliceStable(list, func(i, j int) bool { return !p.leads(list[i]) && p.leads(list[j]) })
	for _, n := range list {
		if n == target || !p.fenceable(n) {
			continue
		}
		if p.plan.Recovery.Asked && p.leads(n) {
			p.step(n, Hold, Interrupts, holdTimeout, "%s leads: its engine is stopped, the last of all, so that what it holds is whole", n.cfg.Name)
			p.saveStep(n)
		}
		p.step(n, Fence, Interrupts, holdTimeout, "%s is %s. A forced cluster evicts every old manager that it meets, so it is kept from starting, and its raft state is set aside; its certificates stay",
			n.cfg.Name, n.state.State)
		fenced = append(fenced, n)
	}
	return fenced
}

// leads tells whether a node leads a swarm that answers: it is fenced last.
func (p *planner) leads(n *node) bool {
	v := p.w.voterOf(n)
	return v != nil && v.leader
}

// keeps tells whether a host joins with its certificates: it has them, they are
// good and of the same root CA, and the log names its node ID as a manager's (safety
// rules 2, 12 and 13).
func (p *planner) keeps(n *node, survivors []*node) bool {
	d := n.host.SwarmDir
	if d.Presence != state.Present || d.NodeID == "" || !d.HasKey || !d.HasRootCA || d.Role != schema.RoleManager || p.w.expired(n, maxSkew) {
		return false
	}
	if otherRoot(n, survivors[0].host.SwarmDir.Raft.RootCASHA256) {
		return false
	}
	for _, s := range survivors {
		if slices.Contains(s.host.SwarmDir.Raft.ManagerNodes, d.NodeID) {
			return true
		}
		for _, m := range s.host.SwarmDir.Raft.Members {
			if m.NodeID == d.NodeID {
				return true
			}
		}
	}
	return false
}

// joinBack plans that a fenced host joins a cluster whose root CA has a digest.
func (p *planner) joinBack(n *node, keep bool, root string) {
	reason := "%s has no certificates of this cluster that serve: it joins as a new manager"
	switch {
	case keep:
		reason = "%s joins with the certificates that it has, and so keeps its node ID, labels and availability. The next one follows when it is reachable"
	case otherRoot(n, root):
		reason = "%s's certificates are of another root CA than the cluster's, and neither trusts the other: they are set aside, and it joins as a new manager"
	}
	p.add(n, Step{Kind: Join, Recovery: p.plan.Recovery.ID, Risk: Safe, TimeoutSeconds: seconds(joinTimeout),
		Reason: sentence(fmt.Sprintf(reason, n.cfg.Name)), Join: &JoinAs{Role: schema.RoleManager, Keep: keep}})
}

// declaredAddresses are those with which the new cluster is made.
func (p *planner) declaredAddresses(r *Recovery, n *node) {
	r.Address = net.JoinHostPort(n.cfg.Address, "2377")
	r.ListenAddr = or(p.w.cfg.Cluster.ListenAddr, or(n.host.SwarmDir.ListenAddr, defaultListen))
	r.DataPathAddr = or(p.w.cfg.Cluster.DataPathAddr, n.host.SwarmDir.DataPathAddr)
	if _, port, err := net.SplitHostPort(r.ListenAddr); err == nil {
		r.Address = net.JoinHostPort(n.cfg.Address, port)
	}
}

// safetyRepository is where the survivor's copy goes: the first usable one that a
// backup block names, rather one for which it can be signed; empty where there is none, and then the set-aside is the
// only copy.
func (p *planner) safetyRepository() string {
	first := ""
	for _, r := range p.usedRepositories() {
		if p.cannotSign(r.Name) == "" {
			return r.Name
		}
		first = or(first, r.Name)
	}
	return first
}

func (p *planner) prepareWords(n *node) string {
	log, words := n.host.SwarmDir.Raft, []string{}
	if log.Index > log.Commit {
		words = append(words, "what the disk has not marked committed is kept ("+counted(int(log.Index-log.Commit), "entry", "entries")+")")
	}
	if n.host.SwarmDir.Locked {
		words = append(words, "the node key is unsealed until the new cluster seals it again")
	}
	if old := hostOf(memberAddress(log)); old != "" && !sameHost(old, n.cfg.Address) {
		words = append(words, fmt.Sprintf("the address %s becomes %s", old, n.cfg.Address))
	}
	if e := n.host.SwarmDir.CertificateExpiry; !e.IsZero() && e.Before(p.in.Now) {
		words = append(words, "its certificate, which expired, is renewed")
	}
	return strings.Join(append(words, "every other manager is on its list of removed members"), ", ")
}

// memberAddress is the node's own address in the membership.
func memberAddress(r *state.RaftReport) string {
	for _, m := range r.Members {
		if m.RaftID == r.RaftID {
			return m.Addr
		}
	}
	return ""
}

func position(r *state.RaftReport) string {
	return fmt.Sprintf("its log ends in term %d at index %d", r.Term, r.Index)
}

// recoveryHazards tells what approving the swap means.
func (p *planner) recoveryHazards(step int, target *node, survivors []*node) {
	r := p.plan.Recovery
	if r.Rung == RungForce {
		p.hazard(diag.StateReplaced, step, target.cfg.Name, "%s alone becomes the swarm. %s", target.cfg.Name, p.comparison())
		if unread, enough := p.unreadLogs(survivors); !enough {
			p.hazard(diag.WritesMayBeLost, step, target.cfg.Name, "%d of %d logs could be read, which is too few to know that %s has every acknowledged write; not read: %s",
				len(survivors), p.w.members(), target.cfg.Name, listing(unread))
		}
		p.behindBackup(step, target)
	}
	p.unfencedHazards(step)
}

func (p *planner) comparison() string {
	var parts []string
	for _, s := range p.plan.Recovery.Survivors {
		text := fmt.Sprintf("%s ends in term %d at index %d", s.Node, s.Term, s.Index)
		if !s.Chosen {
			text += fmt.Sprintf("; choosing it would lose %s", s.Loses)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ". ")
}

// behindBackup tells of a backup of the same epoch that reaches further.
func (p *planner) behindBackup(step int, target *node) {
	log := target.host.SwarmDir.Raft
	for _, r := range p.w.st.Repositories {
		for _, b := range r.Backups {
			if b.Problem != nil || b.SwarmID != p.w.id.id || b.Epoch != log.Epoch || len(b.Suspect) > 0 || b.Verified == "" {
				continue
			}
			if b.Raft.Term > log.Term || b.Raft.Term == log.Term && b.Raft.Index > log.Index {
				p.hazard(diag.SurvivorBehind, step, target.cfg.Name, "Backup %s in repository %s reaches term %d, index %d; %s only term %d, index %d",
					b.ID, r.Name, b.Raft.Term, b.Raft.Index, target.cfg.Name, log.Term, log.Index)
				return
			}
		}
	}
}

// managerGone says what the swarm can still stand without a declared manager.
func (p *planner) managerGone(n, target *node) {
	m := p.sim.margin()
	stands := "no further manager may fail"
	if m.Spare > 0 {
		stands = fmt.Sprintf("%d more may fail", m.Spare)
	}
	p.unmet(Unmet{Code: diag.ManagerGone, Goal: n.cfg.Name + " is a manager of the swarm", Node: n.cfg.Name,
		Reason: sentence(fmt.Sprintf("%s can't be reached (%s). After this plan the swarm has %s, of which %s", n.cfg.Name, strings.TrimSuffix(n.state.Reason, "."),
			counted(m.Managers, "manager", "managers"), stands)),
		Remedy: fmt.Sprintf("Bring %s back, and the next plan joins it; or declare another node a manager in its place.", n.cfg.Name)})
}
