package apply

import (
	"context"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// settle finds out, after a cut, how far each begun backup has come on its
// host and in its repository, and starts over what can't be gone on with.
func (r *runner) settle(ctx context.Context) error {
	for _, q := range r.seqs {
		if q.own && r.begun(q) && !r.open(q) {
			r.recall(ctx, q)
		}
		if !q.own || !r.open(q) {
			continue
		}
		if err := r.settleOne(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) settleOne(ctx context.Context, q *sequence) error {
	t := r.task(q.first())
	backup, stored, err := t.find(ctx)
	if err != nil {
		return err
	}
	st, onHost, err := t.cutRun(ctx)
	if err != nil {
		return err
	}
	again := false
	for _, s := range q.steps {
		again = again || r.j.progress.again[s.ID]
	}
	switch {
	case stored && !onHost:
		q.gone = true
		r.result.Backups = append(r.result.Backups, backup)
	case stored:
		q.onHost = true
	case again:
		return t.startOver(ctx, "its run could not be finished")
	case !onHost && !r.j.progress.done(q.first().ID):
		// The intent was journalled and the effect not had: it is had now.
	case !onHost:
		return &StaleError{Step: t.s.ID, Node: t.s.Node, Closed: true, Begun: true, Changes: []plan.Change{
			change(plan.RunGone, t.s.Node, "%s does not know the run %s any more, and its backup is not in %s", t.s.Node, q.id, t.s.Repository)}}
	case !copied(st) && !st.UnitActive:
		return t.startOver(ctx, "its run ended before the copy was whole")
	default:
		q.onHost = true
	}
	return nil
}

// recall adds a backup that an earlier try made to the result; nothing rests on
// it, so a repository that does not answer is no reason to stop.
func (r *runner) recall(ctx context.Context, q *sequence) {
	if b, found, err := r.Archive.Find(ctx, q.first().Repository, q.id); err == nil && found {
		r.result.Backups = append(r.result.Backups, b)
	}
}

// cutRun asks for the run's state, and believes that its unit has ended only
// when that is seen for a while.
func (t *task) cutRun(ctx context.Context) (st state.HostRun, found bool, err error) {
	err = t.poll(ctx, t.s.Node+" tells how far its run has come", func(ctx context.Context) (bool, error) {
		var err error
		st, found, err = t.lookRun(ctx)
		if err != nil {
			return false, err
		}
		return !found || st.UnitActive || copied(st) || t.dead(st), nil
	})
	return st, found, err
}

// startOver brings the manager back, removes the run and forgets it: the
// sequence begins again with a new ID. Nothing of it is stored.
func (t *task) startOver(ctx context.Context, why string) error {
	back, seen := t.back(ctx, t.q, true)
	if !back {
		return stepError(t.s, "", "The backup on "+t.s.Node+" can't be started over", "Of an earlier try, "+why+". "+seen,
			"Bring the manager back, then run requeen apply again.", ctx.Err())
	}
	t.note(t.s, "starts over on %s: %s", t.s.Node, why)
	if err := t.removeRun(ctx); err != nil {
		return err
	}
	if err := t.record(record{Type: recRestart}); err != nil {
		return err
	}
	t.q.id, t.q.facts = "", facts{}
	return nil
}
