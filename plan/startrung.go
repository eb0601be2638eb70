package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// rungStart brings back what is there: stopped engines are started, engines that
// forgot their swarm are restarted, locked managers are unlocked. It is true when
// nothing higher is to be thought of: it is planned, or it would serve and is not
// allowed, or only the unlock key is missing.
func (p *planner) rungStart() bool {
	var start, locked, up []*node
	for _, n := range p.w.managers() {
		switch {
		case n.doubt != nil:
		case p.startable(n):
			start = append(start, n)
			if n.host.SwarmDir.Locked {
				locked = append(locked, n)
			}
		case n.state.State == NodeLocked && !p.w.expired(n, 0):
			locked = append(locked, n)
		case n.state.State == NodeActive && missing(n) == "":
			up = append(up, n)
		}
	}
	need, have := majority(p.w.members()), len(up)+len(start)
	for _, n := range locked {
		if !p.startable(n) {
			have++
		}
	}
	if len(start)+len(locked) == 0 || have < need {
		return false
	}
	switch {
	case len(start) > 0 && !p.w.allowed(schema.AllowStart):
		p.forbidden(schema.AllowStart, fmt.Sprintf("Starting the engines of %s would bring the quorum back", names(start)))
		return true
	case len(locked) > 0 && !p.w.allowed(schema.AllowUnlock):
		p.forbidden(schema.AllowUnlock, fmt.Sprintf("Unlocking %s would bring the quorum back", names(locked)))
		return true
	case len(locked) > 0 && !p.w.keyKnown():
		p.unmet(*p.noKey(p.goalLeader(), locked[0]))
		return true
	}
	r := p.begin(RungStart, "")
	for _, n := range start {
		r.ID = or(n.onlyHeld(), r.ID) // only it can let the host go
	}
	if len(start) > 0 {
		p.together(Start, start, fmt.Sprintf("%s down with the state on the disk: with them %d of %d managers are there, and %d are the quorum. Nothing is lost, so nothing else is done",
			areIs(start), have, p.w.members(), need))
	}
	if len(locked) > 0 {
		p.together(Unlock, locked, fmt.Sprintf("%s locked. With the key %d of %d managers are there, which is a quorum: without one an unlock hangs the engine, so all get it at once",
			areIs(locked), have, p.w.members()))
	}
	p.stillHeld(start)
	return true
}

// stillHeld says which managers a cut recovery holds that can't be started as they
// are: they join once the swarm answers.
func (p *planner) stillHeld(started []*node) {
	for _, n := range p.w.managers() {
		if id := n.fencedBy(); id != "" && !slices.Contains(started, n) {
			p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: n.cfg.Name + " is a manager of the swarm", Node: n.cfg.Name,
				Reason: fmt.Sprintf("The recovery %s, which was cut, holds the engine of %s, whose directory is not whole as it lies: it can't be started with the others.", id, n.cfg.Name),
				Remedy: "requeen apply brings the swarm back first; then plan again."})
		}
	}
}

// startable tells whether an engine can be started, or started again, on a
// directory that is whole, with a certificate that is good. It remembers its swarm
// only by docker-state.json.
func (p *planner) startable(n *node) bool {
	if missing(n) != "" || p.w.expired(n, 0) || n.host.SwarmDir.Role != schema.RoleManager || !n.host.SwarmDir.HasStateFile {
		return false
	}
	if len(n.host.Service.Holds) > 0 && (n.onlyHeld() == "" || n.onlyHeld() != p.w.lastHold()) {
		return false
	}
	return n.state.State == NodeStopped || n.state.State == NodeOrphaned
}

// onlyHeld is the recovery that holds a host and has changed nothing of its state,
// "" where there is none: the host can be let go as it is.
func (n *node) onlyHeld() string {
	held := ""
	for _, r := range n.host.Recoveries {
		switch {
		case !r.Held:
		case r.Phase != state.RecoveryBegun && r.Phase != state.RecoveryHeld && r.Phase != state.RecoveryStaged:
			return ""
		default:
			held = max(held, r.ID)
		}
	}
	return held
}

// lastHold is the newest recovery that holds managers and has changed nothing of
// their state: a plan lets go what one recovery holds.
func (w *world) lastHold() string {
	last := ""
	for _, n := range w.managers() {
		last = max(last, n.onlyHeld())
	}
	return last
}

// together is one step on several nodes side by side.
func (p *planner) together(kind Kind, list []*node, reason string) {
	timeout := startTimeout
	if kind == Unlock {
		timeout = unlockTimeout
	}
	s := Step{Kind: kind, Recovery: p.plan.Recovery.ID, Risk: Safe, TimeoutSeconds: seconds(timeout), Reason: sentence(reason)}
	for _, n := range list[1:] {
		s.With = append(s.With, n.cfg.Name)
	}
	p.add(list[0], s)
	for _, n := range list {
		if kind == Unlock || !n.host.SwarmDir.Locked {
			p.restored(n)
		}
	}
}

func names(list []*node) string {
	var words []string
	for _, n := range list {
		words = append(words, n.cfg.Name)
	}
	return listing(words)
}

func areIs(list []*node) string {
	if len(list) == 1 {
		return list[0].cfg.Name + " is"
	}
	return names(list) + " are"
}

// gone says of each declared manager that rung 1 can't bring back why.
func (p *planner) gone() string {
	var parts []string
	for _, n := range p.w.managers() {
		switch {
		case p.startable(n) || n.state.State == NodeLocked && !p.w.expired(n, 0):
		case n.state.State == NodeActive:
			parts = append(parts, n.cfg.Name+" alone is no quorum")
		case n.state.State == NodeUnknown:
			parts = append(parts, fmt.Sprintf("%s is unknown (%s)", n.cfg.Name, strings.TrimSuffix(n.state.Reason, ".")))
		case p.w.expired(n, 0):
			parts = append(parts, fmt.Sprintf("%s is %s, and its node certificate expired at %s", n.cfg.Name, n.state.State, stamp(n.host.SwarmDir.CertificateExpiry)))
		default:
			parts = append(parts, fmt.Sprintf("%s is %s", n.cfg.Name, n.state.State))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *planner) undecided(reason, fix string) {
	p.unmet(Unmet{Code: diag.Undecided, Goal: p.goalLeader(), Reason: sentence(reason), Remedy: fix})
}
