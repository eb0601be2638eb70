package plan

import (
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// Drift is how what was observed stands to what is declared, with nothing planned
// about it.
type Drift struct {
	Cluster    string
	Condition  Condition
	ObservedAt time.Time
	// Differs are the goals that are not reached, each with what to type; nodes
	// that can't be told apart or bound to their machine are among them.
	Differs []Unmet
	Backups []BackupAge // sorted by Backup
	Unseen  []Unseen    // nodes, then repositories, each sorted by name
}

// BackupAge is how a backup block stands.
type BackupAge struct {
	Backup     string
	Repository string
	ID         string    // of the newest that counts, empty where none does
	TakenAt    time.Time // zero where none counts
	Age        time.Duration
	MaxAge     time.Duration
	Due        bool
	Reason     string
}

// Unseen is what was not looked at; one of Node and Repository is set.
type Unseen struct {
	Node       string
	Repository string
	Reason     string
}

// FindDrift compares. A backup is judged by its age at now.
func FindDrift(cfg *schema.Config, st *state.State, now time.Time) *Drift {
	w := join(cfg, st)
	d := &Drift{Cluster: cfg.Cluster.Name, Condition: w.cond, ObservedAt: st.ObservedAt.UTC()}
	if w.id.problem != nil {
		d.Differs = append(d.Differs, *w.id.problem)
	} else {
		for _, n := range w.nodes {
			if n.doubt != nil {
				d.Differs = append(d.Differs, *n.doubt)
			}
		}
		d.Differs = append(d.Differs, w.differences()...)
	}
	for _, n := range w.nodes {
		if n.host.Looked != state.Present && !n.cfg.Connection.None {
			d.Unseen = append(d.Unseen, Unseen{Node: n.cfg.Name, Reason: sentence(or(problemText(n.host.Problem), "it was not looked at"))})
		}
	}
	for _, n := range w.needs(now, false) {
		if n.repo != nil {
			d.Backups = append(d.Backups, backupAge(n, now))
		}
	}
	d.unseenRepositories(w)
	return d
}

// unseenRepositories are those that a backup names.
func (d *Drift) unseenRepositories(w *world) {
	var seen []string
	for _, b := range sortedBackups(w.cfg) {
		for _, name := range b.Places() {
			r := w.st.Repository(name)
			if contains(seen, name) || r != nil && r.Looked == state.Present {
				continue
			}
			seen = append(seen, name)
			reason := "it was not looked at"
			if r != nil {
				reason = or(problemText(r.Problem), reason)
			}
			d.Unseen = append(d.Unseen, Unseen{Repository: name, Reason: sentence(reason)})
		}
	}
}

func backupAge(n *need, now time.Time) BackupAge {
	b := BackupAge{Backup: n.block.Name, Repository: n.block.Repository, MaxAge: n.block.MaxAge, Due: n.due || len(n.missing) > 0, Reason: sentence(n.reason)}
	if n.newest != nil {
		b.ID, b.TakenAt = n.newest.ID, n.newest.TakenAt.UTC()
		b.Age = max(now.Sub(b.TakenAt), 0)
	}
	return b
}

// Drifted tells whether anything is otherwise than it is declared to be: what
// could not be looked at is not known to be.
func (d *Drift) Drifted() bool {
	due := false
	for _, b := range d.Backups {
		due = due || b.Due
	}
	return due || len(d.Differs) > 0 || d.Condition.Name != Healthy && d.Condition.Name != Unknown
}

// Sure tells whether everything could be looked at.
func (d *Drift) Sure() bool { return len(d.Unseen) == 0 && d.Condition.Name != Unknown }
