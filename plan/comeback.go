package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

// startAway plans that declared nodes which the swarm lists, and which take no part in
// it, take part again: stopped engines are started, engines that forgot their swarm are
// restarted, managers that wait for their key are unlocked. It comes before backups and
// before the shape, since every manager more is one that may fail meanwhile. What a cut
// run has stopped, and what a recovery holds, has steps of its own; an engine whose unit
// is masked is not known to be stopped, and so stays as it is.
func (p *planner) startAway() {
	if !p.w.usable() || p.sim.margin().Spare < 0 || len(p.busy) > 0 || p.plan.Recovery != nil || p.in.Restore != "" {
		return
	}
	planned := map[string]bool{}
	for _, s := range p.plan.Steps {
		planned[s.Node] = planned[s.Node] || s.Kind == Start || s.Kind == Unlock
	}
	for _, list := range [][]*node{p.w.managers(), p.w.workers()} {
		for _, n := range list {
			if p.wantsNode(n.cfg.Name) && !planned[n.cfg.Name] && p.away(n) {
				p.bringIn(n)
			}
		}
	}
}

// away tells whether a node of the swarm takes no part in it though its host was read,
// and no recovery and no cut run is why.
func (p *planner) away(n *node) bool {
	if n.doubt != nil || n.member == nil || n.matched != byNodeID || n.fencedBy() != "" {
		return false
	}
	switch n.state.State {
	case NodeStopped, NodeOrphaned:
		return true
	case NodeLocked:
		return len(p.runs(n)) == 0
	case NodeDamaged:
		return len(p.runs(n)) == 0 && n.host.Engine.LocalNodeState != "active" && n.host.Engine.LocalNodeState != "pending"
	}
	return false
}

// bringIn plans the steps for one node, or says why there are none.
func (p *planner) bringIn(n *node) {
	goal, name := goalBack(n), n.cfg.Name
	starts := n.state.State != NodeLocked
	sealed := n.host.SwarmDir.HasRaft && p.w.autolocked(n)
	if u := p.staysAway(n); u != nil {
		u.Goal, u.Node = goal, name
		p.unmet(*u)
		return
	}
	switch {
	case starts && !p.w.allowed(schema.AllowStart):
		p.unmet(notAllowedBack(n, schema.AllowStart, name+"'s engine is "+string(n.state.State)+", and a start would bring it back", "systemctl restart "+n.unit()+" there"))
		return
	case sealed && !p.w.allowed(schema.AllowUnlock):
		p.unmet(notAllowedBack(n, schema.AllowUnlock, name+" needs the unlock key to come back", "docker swarm unlock there"))
		return
	case sealed && !p.w.keyKnown():
		p.unmet(*p.noKey(goal, n))
		return
	}
	if starts {
		p.startAgain(n)
	}
	if sealed {
		p.add(n, Step{Kind: Unlock, Risk: Safe, TimeoutSeconds: seconds(unlockTimeout), Reason: sentence(p.unlockReason(name))})
	}
	p.restored(n)
	n.back = true
}

// startAgain plans the start of an engine. Whoever stopped one on purpose is told how to
// say so.
func (p *planner) startAgain(n *node) {
	name, risk := n.cfg.Name, Safe
	why := fmt.Sprintf("%s's engine is down with its state on the disk: it is started, and %s takes part in the swarm again as what it was. If somebody stopped it on purpose, systemctl mask %s there says so: no plan starts a masked engine",
		name, name, n.unit())
	if n.state.State == NodeOrphaned {
		risk = Interrupts
		why = fmt.Sprintf("%s's engine runs and has forgotten its swarm, whose state is whole on the disk: it is restarted, which ends what runs there, and %s takes part again as what it was", name, name)
	}
	p.add(n, Step{Kind: Start, Risk: risk, TimeoutSeconds: seconds(startTimeout), Reason: sentence(why)})
}

// staysAway says why a node can't be brought back as it is, nil where it can. A manager's
// state that the swarm knows nothing of is never started: it could be a second swarm with
// one ID.
func (p *planner) staysAway(n *node) *Unmet {
	name, d, v := n.cfg.Name, n.host.SwarmDir, p.w.voterOf(n)
	aside := func(format string, args ...any) *Unmet {
		return &Unmet{Code: diag.NodeDiffers, Reason: sentence(fmt.Sprintf(format, args...)), Remedy: p.w.moveAside(n)}
	}
	switch {
	case len(n.host.Service.Holds) > 0:
		return &Unmet{Code: diag.LeftoverStuck, Reason: fmt.Sprintf("%s's engine does not start while there is %s, and no recovery is known that holds it.", name, listing(n.host.Service.Holds)),
			Remedy: "Find out what put that file there; remove it if nothing needs it, then plan again."}
	case !p.fenceable(n):
		return &Unmet{Code: diag.NodeDiffers, Reason: fmt.Sprintf("%s's engine takes no part in the swarm, and no unit of systemd's is known that runs it.", name),
			Remedy: "Start or restart it there, or set engine { service } of this node; then plan again."}
	case p.w.expired(n, 0):
		return aside("%s is %s, and its node certificate expired at %s: an engine that is started on it takes part in no swarm", name, n.state.State, stamp(d.CertificateExpiry))
	case missing(n) != "":
		return aside("%s's swarm directory lacks %s, and an engine that is started on it takes part in no swarm", name, missing(n))
	case !d.HasStateFile:
		return aside("%s is %s without docker-state.json, by which alone an engine remembers its swarm", name, n.state.State)
	case d.HasRaft && v == nil:
		return aside("%s is %s with a manager's state on the disk, and the swarm has no such manager: it is not started over that", name, n.state.State)
	case !d.HasRaft && (v != nil || n.member.Role == schema.RoleManager):
		return &Unmet{Code: diag.NodeDiffers, Reason: fmt.Sprintf("%s is %s, and is a manager for the swarm while its disk has no manager's state: its promotion has not come to its end.", name, n.state.State),
			Remedy: fmt.Sprintf("Start it by hand (systemctl start %s there) and see that it becomes a manager; then plan again.", n.unit())}
	}
	return nil
}

func notAllowedBack(n *node, word, what, byHand string) Unmet {
	return Unmet{Code: diag.NotAllowed, Goal: goalBack(n), Node: n.cfg.Name,
		Reason: sentence(fmt.Sprintf("%s; recovery.allow does not have %q", what, word)),
		Remedy: fmt.Sprintf("Add %q to recovery { allow } and have that reviewed, then plan again; or by hand: %s.", word, byHand)}
}

func goalBack(n *node) string { return n.cfg.Name + " takes part in the swarm" }

// unit is what systemd calls the node's engine.
func (n *node) unit() string { return or(n.host.Service.Unit, "docker.service") }

// isReady tells whether the swarm sees a node's entry as ready, or will by this plan's own
// steps before anything rests on it.
func (n *node) isReady() bool { return n.member.Status == "ready" || n.back }
