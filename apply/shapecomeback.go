package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// startAgainKind starts the engine of a node that the swarm lists, and waits until the
// swarm has it as ready; one that is sealed until it waits for the key.
var startAgainKind = kind{
	probe: probeComeBack,
	guard: guardComeBack,
	act: func(ctx context.Context, t *task) error {
		return t.acts(ctx, "Starting the engine", func(ctx context.Context) error { return t.Hosts.StartEngine(ctx, t.comingBack()) })
	},
	wait: waitComeBack,
}

// unlockAgainKind unlocks a manager of a swarm that answers.
var unlockAgainKind = kind{
	probe: probeComeBack,
	guard: guardComeBack,
	wait:  waitComeBack,
}

func probeComeBack(ctx context.Context, t *task) (bool, string, error) {
	if t.s.Kind == plan.Start && t.unlockComes() {
		return t.waitsForKey(ctx)
	}
	return t.ask(ctx, comeBack)
}

// comeBack tells whether a node takes part. An engine that has just started says of a
// swarm that it is in none, and is in it a moment later.
func comeBack(p Shaper, ctx context.Context, s Shape) (bool, string, error) {
	ready, seen, err := p.NodeReady(ctx, s)
	var none *NotJoinedError
	if errors.As(err, &none) {
		return false, none.Error(), nil
	}
	return ready, seen, err
}

// unlockComes tells whether a later step unlocks the node.
func (t *task) unlockComes() bool {
	return slices.ContainsFunc(t.p.Steps, func(s plan.Step) bool {
		return s.ID > t.s.ID && s.Kind == plan.Unlock && s.BringsBack() && s.Node == t.s.Node
	})
}

// waitsForKey tells whether the engine runs, and is locked or takes part already.
func (t *task) waitsForKey(ctx context.Context) (bool, string, error) {
	if err := t.reached(ctx); err != nil {
		return false, "", err
	}
	switch t.seen.Host(t.s.Node).Engine.LocalNodeState {
	case "locked":
		return true, t.s.Node + "'s engine runs, and waits for the unlock key", nil
	case "active":
		return true, t.s.Node + "'s engine runs, and needs no key", nil
	}
	return false, "", nil
}

// guardComeBack refuses a host that is not the plan's, and a manager's state that the
// swarm knows nothing of any more: started, it would not be what the plan says.
func guardComeBack(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		h, n := t.seen.Host(t.s.Node), t.listed(t.s.NodeID)
		holds := slices.ContainsFunc(h.Recoveries, func(r state.HostRecovery) bool { return r.Held })
		switch id := nodeOn(h); {
		case n == nil:
			return t.mine(plan.EntryGone, "The swarm has no node %s any more", t.s.NodeID)
		case id != t.s.NodeID || swarmOf(h) != "" && swarmOf(h) != t.p.SwarmID:
			return t.mine(plan.HostChanged, "%s is the node %q of the swarm %q; it was %s of %s", t.s.Node, id, swarmOf(h), t.s.NodeID, t.p.SwarmID)
		case holds:
			return t.mine(plan.HostChanged, "A recovery holds the engine of %s", t.s.Node)
		case h.SwarmDir.HasRaft && n.Reachability == "":
			return t.mine(plan.VotersChanged, "%s holds a manager's state, and the swarm has it as no manager any more", t.s.Node)
		}
		return nil
	})
}

// nodeOn is the node ID that a host tells, by its engine or its disk.
func nodeOn(h *state.Host) string {
	if h.Engine.NodeID != "" {
		return h.Engine.NodeID
	}
	return h.SwarmDir.NodeID
}

// comingBack is what the hosts' port is told. An engine that has forgotten its swarm is
// restarted: it remembers only when it starts.
func (t *task) comingBack() Run {
	run := t.portRun(t.s)
	run.Token = t.highestLock()
	run.Restart = run.Host.Engine.Answered == state.Present && run.Host.Engine.LocalNodeState == "inactive"
	return run
}

// waitComeBack waits until the node takes part, and unlocks it once it waits for the key.
func waitComeBack(ctx context.Context, t *task) (seen string, err error) {
	what := t.s.Node + " takes part in the swarm"
	err = t.poll(ctx, what, func(ctx context.Context) (done bool, err error) {
		if done, seen, err = probeComeBack(ctx, t); done || t.s.Kind != plan.Unlock || t.unlocked {
			return done, err
		}
		return false, t.unlockAgain(ctx)
	})
	return seen, err
}

// unlockAgain gives the key, once, to an engine that waits for it while the others are a
// quorum: an unlock without one hangs it.
func (t *task) unlockAgain(ctx context.Context) error {
	if err := t.reached(ctx); err != nil {
		return err
	}
	switch h := t.seen.Host(t.s.Node); {
	case h.Engine.LocalNodeState != "locked":
		return nil // it is on its way up
	case !t.quorumWith():
		return errNoQuorum
	}
	if err := t.mayAct(); err != nil {
		return final{err}
	}
	call, cancel := t.within(ctx)
	defer cancel()
	if err := t.Hosts.Unlock(call, t.comingBack()); err != nil {
		return err
	}
	t.unlocked = true
	return nil
}

// readyComeBack lets the ports find the unlock key before the first effect: a manager that
// is started without it is locked.
func (r *runner) readyComeBack(ctx context.Context) error {
	for _, s := range r.p.Steps {
		if s.Kind != plan.Unlock || !s.BringsBack() || r.j.progress.done(s.ID) {
			continue
		}
		if h := r.seen.Host(s.Node); h == nil || h.Looked != state.Present {
			continue // the guard tells of that
		}
		if err := r.Hosts.Ready(ctx, r.portRun(s)); err != nil {
			return shapeNotReady(s, err)
		}
	}
	return nil
}

// leaveDown says how the rest is had without a node that does not come back.
func (t *task) leaveDown() string {
	unit := "docker.service"
	if h := t.seen.Host(t.s.Node); h != nil && h.Service.Unit != "" {
		unit = h.Service.Unit
	}
	return " To have the rest without it: systemctl mask " + unit + " on " + t.s.Node + ", then plan again."
}
