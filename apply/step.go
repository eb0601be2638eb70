package apply

import (
	"context"
	"errors"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// kind is how the steps of one kind are run. A nil function is one that the
// kind has no need of.
type kind struct {
	// probe tells whether the step's effect is there already and what shows it.
	probe func(context.Context, *task) (done bool, seen string, err error)
	// guard checks the precondition on a fresh look, immediately before act.
	guard func(context.Context, *task) error
	// act has the effect.
	act func(context.Context, *task) error
	// wait waits for the outcome and tells what was seen.
	wait func(context.Context, *task) (seen string, err error)
}

var kinds map[plan.Kind]kind

func init() {
	kinds = map[plan.Kind]kind{
		plan.Stop:    stopKind,
		plan.Archive: archiveKind,
		plan.Start:   startKind,
		plan.Unlock:  unlockKind,
		plan.Verify:  verifyKind,
		plan.CleanUp: cleanUpKind,

		plan.PruneBackups: pruneKind,
		plan.CopyBackup:   copyKind,
		plan.PutSchedule:  scheduleKind,
		plan.TakeSchedule: unscheduleKind,

		plan.Quiesce:     quiesceKind,
		plan.ArchiveData: archiveDataKind,
		plan.Resume:      resumeKind,
	}
}

// task is one step being run.
type task struct {
	*runner
	s        plan.Step
	q        *sequence
	deadline time.Time
	// watching: another run may be at work, so the task only looks.
	watching bool

	status    state.HostRun // as last seen
	deadSince time.Time     // the unit was first seen ended
	lastErr   error         // of the last look, nil when it succeeded
	lastSeen  string        // how a manager last saw the step's, which was not as it is to be
	started   bool          // StartEngine was called, or found needless
	unlocked  bool          // Unlock was called, or found needless

	restored DataRestored // what came of a restore-volume step

	pruning plan.Pruning // what the guard of a prune step found
	removed int          // backups that a prune step has removed
	copying string       // the ID of the backup that a copy step copies
}

func (r *runner) task(s plan.Step) *task {
	return &task{runner: r, s: s, q: r.byStep[s.ID], deadline: r.Clock.Now().Add(s.Timeout())}
}

// step runs one step, or tells that it is done already.
func (r *runner) step(ctx context.Context, s plan.Step) error {
	if r.j.progress.done(s.ID) {
		return nil
	}
	t := r.task(s)
	if t.q.met {
		return t.skip(t.q.metBy())
	}
	if r.skipsData(t.q, s) {
		return t.skip(t.q.of.metBy())
	}
	if err := r.mayBegin(t); err != nil {
		return err
	}
	t.emit(Event{Type: StepStarted, Text: s.Reason})
	k, _ := kindOfStep(s)
	if k.probe != nil && (s.Run != "" || s.Recovery != "" || r.result.Resumed || s.Kind == plan.Verify || t.q.shape || s.Schedules()) {
		done, seen, err := k.probe(ctx, t)
		if t.q.shape && err != nil && ctx.Err() == nil {
			done, err = false, nil // it is found out by doing it
		}
		if err != nil {
			return t.failed(err)
		}
		if done {
			return t.skip(seen)
		}
	}
	if t.q.shape && r.afresh(r.ranBefore) {
		if t.overtaken() {
			return t.skip("it was carried out, and a later step of this plan has undone it")
		}
		return t.failed(t.stale([]plan.Change{r.carriedOut()}))
	}
	seen, err := t.carryOut(ctx, k)
	if errors.Is(err, errMet) {
		t.q.met = true
		return t.skip(t.q.metBy())
	}
	if err != nil {
		return t.failed(err)
	}
	if err := t.record(record{Type: recOutcome, Text: seen}); err != nil {
		return t.failed(err)
	}
	t.emit(Event{Type: StepDone, Text: seen})
	return nil
}

// carryOut is guard, intent, effect and wait.
func (t *task) carryOut(ctx context.Context, k kind) (string, error) {
	if k.guard != nil {
		if err := k.guard(ctx, t); err != nil {
			return "", err
		}
	}
	if t.s.Kind == plan.Stop && t.stopAsked() {
		return "", ErrInterrupted
	}
	if !t.j.progress.intended(t.s.ID) {
		rec := record{Type: recIntent}
		if t.s.Kind == plan.Stop {
			rec.Facts = &t.q.facts
		}
		if err := t.record(rec); err != nil {
			return "", err
		}
	}
	if k.act != nil {
		if err := t.mayAct(); err != nil {
			return "", err
		}
		if err := k.act(ctx, t); err != nil {
			return "", err
		}
	}
	if k.wait == nil {
		return "", nil
	}
	return k.wait(ctx, t)
}

// mayBegin tells whether the step may be begun. What a backup has stopped is
// brought back also after an interrupt, and also when the plan has gone stale.
func (r *runner) mayBegin(t *task) error {
	if err := r.mayAct(); err != nil {
		return err
	}
	if err := t.missedLock(); err != nil {
		return err
	}
	begun := r.begun(t.q) && (!t.q.onData || t.s.Kind == plan.Resume)
	if len(r.changes) > 0 && !begun {
		return &StaleError{Step: t.s.ID, Changes: r.changes, Begun: true}
	}
	bringsBack := begun && !t.q.shape && (t.s.Kind == plan.Archive || t.s.Kind == plan.Start || t.s.Kind == plan.Unlock || t.s.Kind == plan.Resume)
	if r.stopAsked() && !bringsBack {
		return ErrInterrupted
	}
	return nil
}

// begun tells whether a step of the sequence was intended.
func (r *runner) begun(q *sequence) bool {
	for _, s := range q.steps {
		if r.j.progress.intended(s.ID) {
			return true
		}
	}
	return false
}

// open tells whether a sequence was begun and is not at its end.
func (r *runner) open(q *sequence) bool {
	return r.begun(q) && !r.j.progress.done(q.steps[len(q.steps)-1].ID)
}

// skip journals that there is nothing to do. A step that an earlier try had
// begun counts as done by it.
func (t *task) skip(seen string) error {
	earlier := t.j.progress.intended(t.s.ID)
	if err := t.record(record{Type: recOutcome, Text: seen, Skipped: !earlier}); err != nil {
		return t.failed(err)
	}
	if earlier {
		t.emit(Event{Type: StepDone, Text: seen})
		return nil
	}
	t.result.Skipped = append(t.result.Skipped, t.s.ID)
	t.emit(Event{Type: StepSkipped, Text: seen})
	return nil
}

func (t *task) record(rec record) error {
	rec.Step, rec.Kind, rec.Node, rec.Run = t.s.ID, t.s.Kind, t.s.Node, t.q.id
	return t.runner.record(rec)
}

func (t *task) emit(e Event) {
	e.Step, e.Kind, e.Node = t.s.ID, string(t.s.Kind), t.called()
	if t.s.Recovery == "" {
		e.Backup = t.q.id
	}
	t.runner.emit(e)
}

// run is the port's word for the step's run.
func (t *task) run() Run {
	run := t.portRun(t.s)
	if run.Backup == "" {
		run.Backup = t.status.Backup
	}
	if run.Repository == "" {
		run.Repository = t.status.Repository
	}
	return run
}
