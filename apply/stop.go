package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// errMet is a guard's word for a backup that somebody else has made just now.
var errMet = errors.New("the goal is met")

// stopKind hands the manager over to the detached run on its host, which stops
// the engine, copies, starts and unlocks by itself. The step ends when the
// engine is down, or further.
var stopKind = kind{
	probe: func(_ context.Context, t *task) (bool, string, error) {
		return t.q.gone, "the backup is stored already", nil
	},
	guard: guardStop,
	act:   beginBackup,
	wait:  waitStopped,
}

func guardStop(ctx context.Context, t *task) error {
	if t.q.onHost {
		return nil
	}
	err := t.poll(ctx, t.s.Node+" can be looked at", func(ctx context.Context) (bool, error) {
		err := t.reached(ctx)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	if plan.Satisfied(t.p, t.seen, t.s.Backup) {
		return errMet
	}
	if list := t.unstoppable(); len(list) > 0 {
		return t.stale(list)
	}
	h := t.seen.Host(t.s.Node)
	if token := t.token(t.s.Repository); h.RunToken > token {
		return stepError(t.s, diag.RunTokenRefused, "A newer run has been on "+t.s.Node,
			fmt.Sprintf("The host has seen run token %d, this run has %d: its lock was taken over. Nothing was stopped.", h.RunToken, token),
			"Run requeen plan again.", nil)
	}
	if err := t.stillHolds(ctx); err != nil {
		return err
	}
	if t.j.progress.intended(t.s.ID) {
		return nil // the facts of the first try stay: they are of an earlier moment
	}
	t.q.facts = facts{MinIndex: t.seen.Swarm.VersionIndex, EngineVersion: h.Engine.Version, Address: h.Engine.NodeAddr}
	if t.q.facts.Address == "" {
		t.q.facts.Address = h.Address
	}
	return nil
}

// beginBackup launches the run. An error may come after the host took over, as
// when the connection drops: then the host knows the run.
func beginBackup(ctx context.Context, t *task) error {
	if t.q.onHost {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, t.s.Timeout())
	defer cancel()
	err := t.Hosts.BeginBackup(call, t.run())
	if err == nil || ctx.Err() != nil {
		return err
	}
	if !permanent(err) {
		_, found, lookErr := t.knownRun(ctx)
		if lookErr != nil {
			return lookErr
		}
		if found {
			t.note(t.s, "%s took the run over although the launch ended with: %v", t.s.Node, err)
			return nil
		}
	}
	t.q.refused = true
	return stepError(t.s, codeOf(err, diag.HostUnreachable), "The backup could not be begun on "+t.s.Node,
		err.Error()+". The host knows no such run: its engine was not stopped.",
		"Mend what the message names, then run requeen apply again.", err)
}

func waitStopped(ctx context.Context, t *task) (string, error) {
	err := t.poll(ctx, t.s.Node+"'s engine is stopped", func(ctx context.Context) (bool, error) {
		st, found, err := t.lookRun(ctx)
		switch {
		case err != nil:
			return false, err
		case !found:
			if t.dead(state.HostRun{}) {
				return false, final{vanished(t)}
			}
			return false, nil
		case st.Phase == state.PhaseFailed:
			return copied(st), t.runFailed(st)
		case st.Phase == state.PhasePrepared:
			if t.dead(st) {
				return false, t.unitEnded("before it stopped the engine")
			}
			return false, nil
		}
		return true, nil
	})
	return t.s.Node + "'s engine was stopped by its own unit", err
}
