package apply

import (
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// Change is one thing that is no longer as the plan has it.
type Change struct{ Text string }

func staleChanges(p *plan.Plan, st *state.State, steps int, node string) []Change { return nil }

func satisfied(p *plan.Plan, st *state.State, backup string) bool { return false }

// skipMet marks the backups that somebody else has made meanwhile: a due backup
// that is there is done, not stale.
func (r *runner) skipMet() {
	for _, q := range r.seqs {
		if q.own && !r.begun(q) && satisfied(r.p, r.seen, q.first().Backup) {
			q.met = true
		}
	}
}

// compare refuses a plan that the world no longer fits. What is begun is
// finished all the same: a manager must not stay stopped because the leader
// changed meanwhile.
func (r *runner) compare(ranBefore bool) error {
	done, left, node := 0, false, ""
	for _, s := range r.p.Steps {
		q := r.byStep[s.ID]
		if r.j.progress.done(s.ID) && !left {
			done++
			continue
		}
		left = left || !q.met
		if r.open(q) {
			node = s.Node
		}
	}
	if !left {
		return nil
	}
	changes := staleChanges(r.p, r.seen, done, node)
	changes = append(changes, r.strangers()...)
	if ranBefore && !r.j.progress.everActed && len(changes) == 0 && r.ownLeft() {
		changes = append(changes, Change{Text: "this plan was carried out already (" + clock(r.j.progress.closing) + ")"})
	}
	if len(changes) == 0 {
		return nil
	}
	if node != "" {
		r.changes = changes
		return nil
	}
	return &StaleError{Changes: changes, Begun: r.j.progress.everActed}
}

// strangers are runs on the plan's hosts that neither the plan nor the journal
// knows: the plan was half carried out from elsewhere, or another run is at work.
func (r *runner) strangers() []Change {
	known := map[string]bool{}
	for _, q := range r.seqs {
		known[q.id] = true
	}
	var list []Change
	for _, print := range r.p.Fingerprint.Hosts {
		h := r.seen.Host(print.Name)
		if h == nil {
			continue
		}
		for _, run := range h.Runs {
			if run.Cluster == r.p.Cluster && !known[run.ID] {
				list = append(list, Change{Text: h.Name + " has a run (" + run.ID + ") that this plan does not know"})
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
