package apply

import (
	"context"
	"errors"

	"github.com/requeen/requeen/internal/state"
)

// errNoQuorum is why an unlock waits: without a quorum it would hang the engine.
var errNoQuorum = errors.New("too few other managers are up for a quorum, and an unlock without one hangs the engine")

// unlockKind waits until the host's run has unlocked the engine and the leader
// sees the manager again. Where the unit has ended without that, it unlocks the
// engine itself.
var unlockKind = kind{
	probe: probeBack,
	wait:  waitUnlocked,
}

func waitUnlocked(ctx context.Context, t *task) (string, error) {
	seen := ""
	err := t.poll(ctx, t.s.Node+" is unlocked and back", func(ctx context.Context) (bool, error) {
		st, found, err := t.lookRun(ctx)
		if err != nil {
			return false, err
		}
		if found && st.Phase != state.PhaseUnlocked {
			if !t.dead(st) {
				return false, nil
			}
			if err := t.unlockEngine(ctx); err != nil || !t.unlocked {
				return false, err
			}
		}
		if !found {
			if err := t.unlockEngine(ctx); err != nil {
				return false, err
			}
		}
		ok, text, err := t.isBack(ctx)
		seen = text
		return ok, err
	})
	return seen, err
}

// unlockEngine unlocks the engine of a cut run, once, if it is locked.
func (t *task) unlockEngine(ctx context.Context) error {
	if t.unlocked || t.watching {
		return nil
	}
	if err := t.bound(ctx); err != nil {
		return err
	}
	h := t.seen.Host(t.s.Node)
	switch {
	case h.Service.ActiveState != "active":
		return t.startEngine(ctx)
	case h.Engine.LocalNodeState == "active" && h.Engine.ControlAvailable:
		t.unlocked = true
		return nil
	case h.Engine.LocalNodeState != "locked":
		return nil // it is on its way up
	case !t.quorumWith():
		return errNoQuorum
	}
	if err := t.mayAct(); err != nil {
		return final{err}
	}
	t.note(t.s, "%s's unit ended before the engine was unlocked; it is unlocked from here", t.s.Node)
	call, cancel := t.within(ctx)
	defer cancel()
	if err := t.Hosts.Unlock(call, t.run()); err != nil {
		return err
	}
	t.unlocked = true
	return nil
}
