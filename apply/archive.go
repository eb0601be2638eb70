package apply

import (
	"context"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// archiveKind waits for the copy that the host's run makes while the engine is
// down. It has no effect of its own.
var archiveKind = kind{
	probe: func(_ context.Context, t *task) (bool, string, error) {
		return t.q.gone, "the backup is stored already", nil
	},
	wait: waitCopied,
}

func waitCopied(ctx context.Context, t *task) (string, error) {
	err := t.poll(ctx, t.s.Node+"'s swarm directory is copied", func(ctx context.Context) (bool, error) {
		st, found, err := t.lookRun(ctx)
		switch {
		case err != nil:
			return false, err
		case !found:
			if t.dead(state.HostRun{}) {
				return false, final{vanished(t)}
			}
			return false, nil
		case copied(st):
			return true, nil
		case st.Phase == state.PhaseFailed:
			return false, t.runFailed(st)
		case atLeast(st.Phase, state.PhaseStarted):
			return false, t.notIntact()
		case t.dead(st) && st.Phase == state.PhaseCopied:
			return false, t.notIntact()
		case t.dead(st):
			return false, t.unitEnded("before the copy was whole")
		}
		return false, nil
	})
	return "the copy is whole and the engine was down all the while", err
}

// copied tells that the copy is whole and was made of a stopped engine's files.
// A run that failed later than that has a good copy all the same.
func copied(st state.HostRun) bool {
	return st.CopyIntact && (atLeast(st.Phase, state.PhaseCopied) || st.Phase == state.PhaseFailed)
}

var phaseOrder = map[state.Phase]int{
	state.PhasePrepared: 1, state.PhaseStopped: 2, state.PhaseCopied: 3,
	state.PhaseStarted: 4, state.PhaseUnlocked: 5,
}

// atLeast tells whether a phase has been reached; failed has reached none.
func atLeast(have, want state.Phase) bool { return phaseOrder[have] >= phaseOrder[want] }

// runFailed is the final error of a run that failed before its copy was whole,
// nil for one whose copy is good.
func (t *task) runFailed(st state.HostRun) error {
	if copied(st) {
		return nil
	}
	return t.again("The backup's run on "+t.s.Node+" failed",
		strings.TrimSuffix(st.Failure, ".")+". The host's unit starts the engine again in every case; no backup was made.",
		"Mend what the message names, then run requeen apply again: it takes a new copy.")
}

func (t *task) notIntact() error {
	return t.again("The copy on "+t.s.Node+" can't be trusted",
		"The host was restarted before the copy was safe on its disk, or something started the engine while it was made; it is not kept, and no backup was made.",
		"See that nothing starts the engine meanwhile (docker.socket, configuration management, an upgrade), then run requeen apply again: it takes a new copy.")
}

func (t *task) unitEnded(when string) error {
	return t.again("The backup's unit on "+t.s.Node+" ended "+when,
		"The host may have been restarted, or the unit killed; no backup was made.",
		"Run requeen apply again: it takes a new copy.")
}

// again is the final error of a run that can only be started over.
func (t *task) again(summary, detail, remedy string) error {
	e := stepError(t.s, "", summary, detail, remedy, nil)
	e.again = true
	return final{e}
}

// vanished is the error of a run that the host had and does not know any more.
func vanished(t *task) error {
	return stepError(t.s, diag.PlanStale, t.s.Node+" does not know the run "+t.q.id+" any more",
		"It was removed there, and no backup of it is in the repository.",
		"Run requeen plan again.", nil)
}
