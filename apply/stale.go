package apply

import (
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// skipMet marks what is done, and so not stale: a due backup that somebody else
// has made meanwhile, and the recovery of a plan that came to its end before, as
// long as the swarm that it made answers.
func (r *runner) skipMet(ranBefore bool) {
	if r.afresh(ranBefore) && plan.Recovered(r.p, r.seen) {
		for _, q := range r.byStep {
			q.met = q.met || q.recovery
		}
	}
	if r.afresh(ranBefore) && (r.p.Recovery == nil || plan.Recovered(r.p, r.seen)) {
		for _, q := range r.byStep { // what was restored has been written to since
			q.met = q.met || q.restores
		}
	}
	for _, q := range r.seqs {
		if q.own && !r.begun(q) && plan.Satisfied(r.p, r.seen, q.first().Backup) {
			q.met = true
		}
	}
}

// compare refuses a plan that the world no longer fits. What is begun is
// finished all the same: a manager must not stay stopped because the leader
// changed meanwhile.
func (r *runner) compare(ranBefore bool) error {
	if changes := slices.Concat(r.otherCommands(), r.otherShape(), r.otherData()); len(changes) > 0 {
		return &StaleError{Changes: changes, Begun: true}
	}
	done, left, node, open := 0, false, "", 0
	for _, s := range r.p.Steps {
		q := r.byStep[s.ID]
		if r.j.progress.done(s.ID) && !left {
			done = s.ID
			continue
		}
		left = left || !q.met
		if r.open(q) {
			node, open = s.Node, s.ID
		}
	}
	if !left {
		return nil
	}
	changes := r.changed(plan.Done{Steps: done, Node: node}, ranBefore)
	if len(changes) > 0 && open > 0 && r.byStep[open].shape {
		// It was cut with its effect or without it.
		if after := r.changed(plan.Done{Steps: open, Node: node}, ranBefore); len(after) < len(changes) {
			changes = after
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if open > 0 && !(r.byStep[open].shape && r.seen.Swarm == nil) { // which nobody could finish
		r.changes = changes
		return nil
	}
	return &StaleError{Changes: changes, Begun: r.j.progress.everActed}
}

// changed is what makes the plan stale. One that came to its end is not carried out
// a second time: a recovery's ID and epoch are for one.
func (r *runner) changed(done plan.Done, ranBefore bool) []plan.Change {
	changes := append(staleOnly(plan.Stale(r.p, r.seen, done)), r.strangers()...)
	if !r.afresh(ranBefore) {
		return changes
	}
	if r.p.Recovery == nil && r.shapes() { // what it made is to be there, not what it was made from
		changes = append(staleOnly(plan.Stale(r.p, r.seen, plan.Done{Steps: len(r.p.Steps)})), r.strangers()...)
	}
	if r.p.Recovery == nil && (len(changes) > 0 || !r.ownLeft()) {
		return changes
	}
	return []plan.Change{r.carriedOut()}
}

func (r *runner) carriedOut() plan.Change {
	return change(plan.RunGone, "", "This plan was carried out already, at %s", r.j.progress.finishedAt.UTC().Format(time.RFC3339))
}

// afresh tells that the plan came to its end before, and that this try has begun
// nothing.
func (r *runner) afresh(ranBefore bool) bool { return ranBefore && !r.j.progress.everActed }

// otherShape tells of a run that would go on towards a shape that is not the declared
// one any more: nothing of it is half done that a new plan does not see.
func (r *runner) otherShape() []plan.Change {
	if r.req.ConfigSHA256 == "" || r.req.ConfigSHA256 == r.p.ConfigSHA256 || !r.shapes() {
		return nil
	}
	return []plan.Change{change(plan.ConfigurationChanged, "", "The configuration was changed since the plan was made, which brings the cluster into the shape that it declares")}
}

// strangers are runs on the plan's hosts that began after the plan was made and
// are not in the journal: the plan was half carried out from elsewhere, or its
// journal is lost.
func (r *runner) strangers() []plan.Change {
	known := map[string]bool{}
	for _, q := range r.seqs {
		known[q.id] = true
	}
	planned := r.p.PlannedAt.UTC().Format("20060102T150405Z")
	var list []plan.Change
	for _, print := range r.p.Fingerprint.Hosts {
		h := r.seen.Host(print.Name)
		if h == nil {
			continue
		}
		for _, run := range h.Runs {
			if run.Cluster == r.p.Cluster && !known[run.ID] && run.ID >= planned {
				list = append(list, change(plan.RunBegun, h.Name,
					"The run %s was begun on %s after the plan was made, and there is no journal of it here; a new plan finishes it", run.ID, h.Name))
			}
		}
	}
	return list
}

// ownLeft tells whether a backup of the plan's own is still to be made.
func (r *runner) ownLeft() bool {
	for _, q := range r.seqs {
		if q.own && !q.met {
			return true
		}
	}
	return false
}

// staleOnly leaves out what somebody else has done already.
func staleOnly(changes []plan.Change) []plan.Change {
	var list []plan.Change
	for _, c := range changes {
		if c.Kind != plan.AlreadyDone {
			list = append(list, c)
		}
	}
	return list
}

// change is one that only a run sees.
func change(kind plan.ChangeKind, node, format string, args ...any) plan.Change {
	row, _ := diag.Lookup(diag.PlanStale)
	return plan.Change{Kind: kind, Node: node, Text: sentence(fmt.Sprintf(format, args...)) + ".", Remedy: row.Remedy}
}
