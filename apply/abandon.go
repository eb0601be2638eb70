package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// Abandon closes the journal of a run that is not to be finished. A manager
// that the run stopped is brought back first, and what the run left on its host
// is removed; only a whole copy that is not in the repository stays there, for
// a new plan to adopt. It is an error when the manager can't be brought back.
func Abandon(ctx context.Context, ports Ports, req Request) error {
	r, err := prepare(ports, req)
	if err != nil {
		return err
	}
	defer r.j.close()
	if !r.j.progress.open {
		return nil
	}
	err = r.abandon(ctx)
	r.releaseLocks(ctx)
	return err
}

func (r *runner) abandon(ctx context.Context) error {
	if _, err := r.begin(); err != nil {
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	var held *HeldError
	if err := r.takeLocks(ctx); errors.As(err, &held) {
		return err
	} else if err != nil {
		r.emit(Event{Type: Note, Text: "goes on without the repository's lock", Error: err.Error()})
	}
	for _, q := range r.seqs {
		if !q.own || !r.open(q) {
			continue
		}
		if err := r.abandonOne(ctx, q); err != nil {
			return err
		}
	}
	return r.record(record{Type: recClosed, Text: "abandoned"})
}

func (r *runner) abandonOne(ctx context.Context, q *sequence) error {
	t := r.task(q.first())
	st, found, err := t.cutRun(ctx)
	if err != nil {
		return err
	}
	back, seen := r.back(ctx, q, true)
	if !back {
		return stepError(t.s, "", "The run on "+t.s.Node+" can't be given up while the manager is away", seen,
			"Bring the manager back, then try again.", nil)
	}
	if !found {
		return nil
	}
	if st, found, err = t.cutRun(ctx); err != nil || !found {
		return err
	}
	_, stored, err := t.find(ctx)
	if copied(st) && !stored {
		t.note(t.s, "the copy of the run %s stays on %s: a new plan adopts it", q.id, t.s.Node)
		return nil
	}
	if err != nil {
		return err
	}
	t.note(t.s, "what the run %s left on %s is removed", q.id, t.s.Node)
	return t.removeRun(ctx)
}

// prepare checks a request and opens its journal.
func prepare(ports Ports, req Request) (*runner, error) {
	req, err := req.complete()
	if err != nil {
		return nil, err
	}
	seqs, byStep, err := sequences(req.Plan)
	if err == nil {
		err = ports.carriesOut(req.Plan)
	}
	if err != nil {
		return nil, &RunError{Err: err, Diag: diag.Diagnostic{Severity: diag.Error, Summary: "The plan can't be run",
			Detail: fmt.Sprintf("%v. Nothing was changed.", err), Remedy: "Run requeen plan again with this version."}}
	}
	r := &runner{Ports: ports, req: req, p: req.Plan, seqs: seqs, byStep: byStep, seen: &state.State{}}
	r.j, err = openJournal(req.JournalRoot, r.p.Cluster, req.Digest, req.PlanBytes,
		func(stop int) []int { return ids(seqs, stop) })
	if err != nil {
		return nil, err
	}
	r.j.fault = req.fault
	r.result.Journal = r.j.dir
	return r, nil
}
