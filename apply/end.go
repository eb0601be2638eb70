package apply

import (
	"context"
	"errors"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// failed journals a step's failure and tells it.
func (t *task) failed(err error) error {
	if errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled) {
		return err
	}
	var e *RunError
	again := errors.As(err, &e) && e.again
	// A journal that can't be written is told by what it was written for.
	_ = t.record(record{Type: recFailed, Again: again, Text: err.Error()})
	d, _ := diagnosticOf(err)
	t.emit(Event{Type: StepFailed, Error: err.Error(), Remedy: d.Remedy})
	return err
}

// end is what every run ends with: the manager that it stopped is seen back,
// the locks are given back, and the operator is told what to do next.
func (r *runner) end(ctx context.Context, err error) (Result, error) {
	switch {
	case err == nil:
		r.emit(Event{Type: RunDone, Digest: r.req.Digest, Text: "every step is done"})
		return r.result, nil
	case ctx.Err() != nil:
		r.releaseLocks(ctx)
		r.emit(Event{Type: RunFailed, Digest: r.req.Digest, Error: err.Error(),
			Remedy: "What runs on the hosts goes on by itself. Run requeen apply again: it goes on from here."})
		return r.result, err
	}
	backs := r.bringBack(ctx, err)
	backs = strings.TrimSpace(backs + " " + r.bringApplicationsBack(ctx, r.mayEnd(err)))
	stale := r.closeIfOver(err)
	r.releaseLocks(ctx)
	if errors.Is(err, ErrInterrupted) {
		return r.result, r.endInterrupted(backs)
	}
	err = withDetail(err, backs, stale)
	d, _ := diagnosticOf(err)
	r.emit(Event{Type: RunFailed, Digest: r.req.Digest, Error: err.Error(), Remedy: d.Remedy})
	return r.result, err
}

// bringBack waits for each manager that this plan has stopped, and removes what
// a run that can't be finished left.
func (r *runner) bringBack(ctx context.Context, err error) string {
	var e *RunError
	errors.As(err, &e)
	effects := r.mayEnd(err)
	var texts []string
	for _, q := range r.seqs {
		if !q.own || !r.open(q) || q.refused || q.gone {
			continue
		}
		if e != nil && e.timedOut && r.byStep[e.Step] == q && (r.kindOf(e.Step) == plan.Start || r.kindOf(e.Step) == plan.Unlock) {
			texts = append(texts, q.first().Node+" was not seen to be back; if it stays away, "+byHand(q)+".")
			continue
		}
		back, text := r.back(ctx, q, effects)
		if text != "" {
			texts = append(texts, text)
		}
		if back && effects && e != nil && e.again && r.byStep[e.Step] == q {
			t := r.task(q.first())
			if err := t.removeRun(ctx); err != nil {
				t.note(t.s, "what the run left on %s could not be removed now; the next apply does: %v", t.s.Node, err)
			}
		}
	}
	return strings.Join(texts, " ")
}

// mayEnd tells whether the run may still have effects: none without its lock.
func (r *runner) mayEnd(err error) bool {
	var lost *LockLostError
	var held *HeldError
	return !errors.As(err, &lost) && !errors.As(err, &held)
}

func (r *runner) kindOf(step int) plan.Kind {
	for _, s := range r.p.Steps {
		if s.ID == step {
			return s.Kind
		}
	}
	return ""
}

// closeIfOver closes a journal of which nothing is left to finish: nothing was
// begun, or no further than what can't be opened here, or the plan is stale and
// nothing is half done.
func (r *runner) closeIfOver(err error) bool {
	var stale *StaleError
	var run *RunError
	over := !r.j.progress.everActed || errors.As(err, &run) && run.untouched
	if errors.As(err, &stale) {
		over = over || stale.Closed || !r.anyOpen()
	}
	if !over || !r.j.progress.open {
		return false
	}
	return r.record(record{Type: recClosed, Text: err.Error()}) == nil
}

func (r *runner) anyOpen() bool {
	for _, s := range r.p.Steps {
		if s.Recovery != "" && r.j.progress.everActed && !r.j.progress.done(s.ID) {
			return true // what it holds is let go by going on
		}
	}
	for _, q := range r.seqs {
		if r.open(q) {
			return true
		}
	}
	return false
}

func (r *runner) endInterrupted(backs string) error {
	e := &InterruptedError{Done: "nothing was begun", Next: "run requeen apply again to begin"}
	if r.j.progress.everActed {
		e.Done = "the current step was finished and no manager is left stopped"
		e.Next = "run requeen apply again: it goes on from here"
	}
	if r.p.Recovery != nil && r.j.progress.everActed {
		e.Done = "the current step was finished; an engine that the recovery holds stays down until it is finished"
	}
	if backs != "" {
		e.Done = strings.TrimSuffix(backs, ".")
	}
	r.emit(Event{Type: Interrupted, Digest: r.req.Digest, Text: e.Done, Remedy: e.Next})
	return e
}

// withDetail adds what is known of the managers' return to an error.
func withDetail(err error, backs string, closed bool) error {
	var e *RunError
	var lost *LockLostError
	var stale *StaleError
	switch {
	case errors.As(err, &e):
		e.Diag.Detail = strings.TrimSpace(e.Diag.Detail + " " + backs)
	case errors.As(err, &lost):
		lost.Back = backs
	case errors.As(err, &stale):
		stale.Closed, stale.Back = stale.Closed || closed, backs
	default:
		d, ok := diagnosticOf(err)
		if !ok {
			d = diag.Diagnostic{Severity: diag.Error, Summary: "The run could not go on", Detail: err.Error() + ".",
				Remedy: "Mend what the message names, then run requeen apply again."}
		}
		d.Detail = strings.TrimSpace(d.Detail + " " + backs)
		return &RunError{Err: err, Diag: d}
	}
	return err
}
