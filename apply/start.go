package apply

import (
	"context"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// nudgeAfter is for how long a manager whose unit has ended may be missing
// before its engine is started by hand.
const nudgeAfter = 20 * time.Second

// startKind waits until the host's run has started the engine and the leader
// sees the manager again. Where the unit has ended without that, it starts the
// engine itself.
var startKind = kind{
	probe: probeBack,
	wait:  waitStarted,
}

// probeBack tells that a run is past its start, or gone, and the manager back.
func probeBack(ctx context.Context, t *task) (done bool, seen string, err error) {
	st, found, err := t.knownRun(ctx)
	if err != nil {
		return false, "", err
	}
	if found && (!atLeast(st.Phase, state.PhaseStarted) || st.UnitActive) {
		return false, "", nil
	}
	if found && t.portRun(t.s).Autolocked && st.Phase != state.PhaseUnlocked {
		return false, "", nil
	}
	ok, seen, err := t.isBack(ctx)
	if err != nil || !ok {
		return false, "", ctx.Err() // the wait asks again
	}
	return true, seen, nil
}

func waitStarted(ctx context.Context, t *task) (string, error) {
	seen := t.s.Node + "'s engine was started by its own unit"
	began := t.Clock.Now()
	err := t.poll(ctx, t.s.Node+" is back", func(ctx context.Context) (bool, error) {
		st, found, err := t.lookRun(ctx)
		if err != nil {
			return false, err
		}
		if found && !engineUp(st) {
			if !t.dead(st) {
				return false, nil
			}
			if err := t.startEngine(ctx); err != nil || !t.started {
				return false, err
			}
		}
		if t.unlockFollows() {
			return true, nil
		}
		ok, text, err := t.isBack(ctx)
		if err != nil || ok {
			seen = text
			return ok, err
		}
		if t.Clock.Now().Sub(began) >= nudgeAfter && (!found || t.dead(st)) {
			return false, t.startEngine(ctx)
		}
		return false, nil
	})
	return seen, err
}

// engineUp tells whether the run has started the engine, or never stopped it.
func engineUp(st state.HostRun) bool {
	if st.Phase == state.PhaseFailed {
		return !st.StartedAt.IsZero() || st.StoppedAt.IsZero()
	}
	return atLeast(st.Phase, state.PhaseStarted)
}

// unlockFollows tells that the manager only becomes reachable in a later step.
func (t *task) unlockFollows() bool {
	s, ok := t.q.step(plan.Unlock)
	return ok && s.ID != t.s.ID && !t.j.progress.done(s.ID)
}

// startEngine starts the engine of a cut run, once, unless it is up.
func (t *task) startEngine(ctx context.Context) error {
	if t.started || t.watching {
		return nil
	}
	if err := t.bound(ctx); err != nil {
		return err
	}
	if t.seen.Host(t.s.Node).Service.ActiveState == "active" {
		t.started = true
		return nil
	}
	if err := t.mayAct(); err != nil {
		return final{err}
	}
	t.note(t.s, "%s's unit ended while the engine was down; the engine is started from here", t.s.Node)
	call, cancel := t.within(ctx)
	defer cancel()
	if err := t.Hosts.StartEngine(call, t.run()); err != nil {
		return err
	}
	t.started = true
	return nil
}
