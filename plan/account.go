package plan

import (
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// Quorum is how the managers stand now: those that the swarm counts, or where no
// manager tells, those declared.
func Quorum(cfg *schema.Config, st *state.State) Margin { return simulate(join(cfg, st)).margin() }

// Leader is the manager that leads, as it is called in a plan; empty where none
// or more than one does.
func Leader(cfg *schema.Config, st *state.State) string {
	w := join(cfg, st)
	if leaders(w.voters) != 1 {
		return ""
	}
	for _, v := range w.voters {
		if v.leader {
			return v.label()
		}
	}
	return ""
}

// Freshness is how one backup block stands.
type Freshness struct {
	Block  schema.Backup
	Goal   string        // as an unmet goal of a plan names it
	Looked bool          // a repository of it could be looked at; else Reason says why not
	Newest *state.Backup // the newest that counts; nil when there is none
	Due    bool
	Lacks  []string // the repositories of copies that do not hold the newest
	Reason string   // why it is due, or why it is not
	Remedy string   // where its repository could not be looked at
}

// Freshnesses judges every backup block as Build does, sorted by name.
func Freshnesses(cfg *schema.Config, st *state.State, now time.Time) []Freshness {
	w := join(cfg, st)
	var list []Freshness
	for _, n := range w.needs(now, false) {
		f := Freshness{Block: n.block, Goal: n.goal(), Looked: n.repo != nil, Newest: n.newest, Due: n.due || len(n.missing) > 0, Lacks: placeNames(n.missing), Reason: n.reason}
		if n.repo == nil {
			u := w.unusableRepository(n)
			f.Reason, f.Remedy = u.Reason, or(u.Remedy, remedy(diag.RepositoryUnusable))
		}
		list = append(list, f)
	}
	return list
}
