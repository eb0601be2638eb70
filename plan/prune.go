package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/retention"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

const pruneTimeout = 3600 * time.Second

// newBackup is what a plan calls the backup that it makes itself.
const newBackup = "backup that this plan makes"

// Prune is what a prune step removes, and what of the same block stays.
type Prune struct {
	// Rules are the block's keep as it was planned by: the step judges by them again
	// before it removes anything.
	Rules KeepRules `json:"rules"`
	// Remove are the backups that go, oldest first; a run removes no other.
	Remove []Judged `json:"remove"`
	// Keep are the backups that stay, newest first, without those that are another
	// block's, another swarm's or a recovery's.
	Keep []Judged `json:"keep"`
}

// KeepRules are how many backups stay, as the keep block has it.
type KeepRules struct {
	Last    int `json:"last,omitempty"`    // the newest so many
	Hourly  int `json:"hourly,omitempty"`  // the newest of each of so many hours
	Daily   int `json:"daily,omitempty"`   // the newest of each of so many days
	Weekly  int `json:"weekly,omitempty"`  // the newest of each of so many weeks
	Monthly int `json:"monthly,omitempty"` // the newest of each of so many months
	Yearly  int `json:"yearly,omitempty"`  // the newest of each of so many years
	// WithinSeconds keeps all that are younger than the newest by less.
	WithinSeconds int64  `json:"within_seconds,omitempty"`
	TimeZone      string `json:"time_zone"` // where days, weeks, months and years begin
}

// Judged is a backup with the reason why it goes or stays.
type Judged struct {
	ID      string    `json:"id"`       // the backup's ID
	TakenAt time.Time `json:"taken_at"` // when its engine had stopped
	Reason  string    `json:"reason"`
}

func keepRules(k *schema.Keep) KeepRules {
	return KeepRules{Last: k.Last, Hourly: k.Hourly, Daily: k.Daily, Weekly: k.Weekly, Monthly: k.Monthly, Yearly: k.Yearly,
		WithinSeconds: int64(k.Within / time.Second), TimeZone: or(k.TimeZone, schema.DefaultTimeZone)}
}

func (k KeepRules) rules() retention.Rules {
	return retention.Rules{Last: k.Last, Hourly: k.Hourly, Daily: k.Daily, Weekly: k.Weekly, Monthly: k.Monthly, Yearly: k.Yearly,
		Within: time.Duration(k.WithinSeconds) * time.Second, Zone: k.TimeZone}
}

// words are the rules as a sentence has them.
func (k KeepRules) words() string {
	var list []string
	for _, r := range []struct {
		name string
		n    int
	}{{"last", k.Last}, {"hourly", k.Hourly}, {"daily", k.Daily}, {"weekly", k.Weekly}, {"monthly", k.Monthly}, {"yearly", k.Yearly}} {
		if r.n > 0 {
			list = append(list, fmt.Sprintf("%s %d", r.name, r.n))
		}
	}
	if k.WithinSeconds > 0 {
		list = append(list, "within "+span(time.Duration(k.WithinSeconds)*time.Second))
	}
	return strings.Join(list, ", ") + ", in " + k.TimeZone
}

// prune plans what goes of each block's backups, after everything else: a backup that
// the plan makes is counted as there already.
func (p *planner) prune(needs []*need) {
	var kept []*need
	for _, n := range p.wanted(needs) {
		if n.block.Keep != nil {
			kept = append(kept, n)
		}
	}
	if wait := p.pruneWaits(); wait != "" {
		for _, n := range kept {
			if p.in.Prune && n.repo != nil {
				p.unmet(Unmet{Code: diag.PruneWaits, Goal: fmt.Sprintf("remove the backups of %s that no rule keeps", n.block.Name), Reason: sentence(wait), Remedy: remedy(diag.PruneWaits)})
			}
		}
		return
	}
	for _, n := range kept {
		if n.repo != nil && n.newest != nil && (!n.due || n.met || p.in.Prune) {
			for _, r := range n.places {
				p.pruneOne(n, r)
			}
		}
	}
}

// pruneWaits says why no backup is removed now, "" where one may be: in a swarm that is
// in trouble, or that is being brought back, any backup may be the one that is needed.
func (p *planner) pruneWaits() string {
	if id, name := p.unliftedRecovery(); id != "" {
		return fmt.Sprintf("The recovery %s is not at its end on %s, and no backup is removed before", id, name)
	}
	if waiting := p.w.pendingRestores(); len(waiting) > 0 {
		what := "a backup"
		if r, ok := state.ParsePendingRestore(waiting[0]); ok {
			what = "backup " + r.Backup
		}
		return "Services wait for data out of " + what + ", of which the restore was cut, and no backup is removed before they run again"
	}
	switch {
	case p.plan.Recovery != nil || p.in.Restore != "":
		return "The swarm is to be brought back, and no backup is removed before that is done"
	case !p.w.usable():
		return fmt.Sprintf("The swarm is %s (%s), and no backup is removed while it is in trouble", p.w.cond.Name, strings.TrimSuffix(p.w.cond.Reason, "."))
	case len(p.busy) > 0:
		return "A run is in progress on " + listing(p.busy) + ", and no backup is removed meanwhile"
	case p.in.NoLock:
		return "Backups are removed only under their repository's lock, which -lock=false leaves"
	}
	return ""
}

// unliftedRecovery is a recovery that is not at its end on a host, with the host's name.
func (p *planner) unliftedRecovery() (id, name string) {
	for _, n := range p.w.nodes {
		for _, r := range n.host.Recoveries {
			if r.Phase != state.RecoveryLifted {
				return r.ID, n.cfg.Name
			}
		}
	}
	return "", ""
}

// added is the backup that the plan makes in a repository, or copies into it; there is
// one at most.
func (p *planner) added(n *need, r *state.Repository) []retention.Item {
	copied := slices.ContainsFunc(p.plan.Steps, func(s Step) bool {
		return s.Kind == CopyBackup && s.Backup == n.block.Name && s.Repository == r.Name
	})
	switch {
	case r != n.repo && !copied || r == n.repo && !n.met && !copied:
		return nil
	case !n.met:
		return []retention.Item{{ID: newBackup, At: n.newest.TakenAt}}
	case n.adopted != "":
		return []retention.Item{{ID: newBackup, At: n.adoptedAt}}
	}
	return []retention.Item{{ID: newBackup, At: p.plan.PlannedAt}}
}

func (p *planner) pruneOne(n *need, r *state.Repository) {
	rules := keepRules(n.block.Keep)
	m, made := p.w.measure(n.block.Name, p.in.Now), p.added(n, r)
	m.restoring = p.in.Here.Restoring
	if best, _, _ := m.newest(r.Backups); best == nil {
		return
	}
	if !n.met { // it is a copy of the newest
		m.madeAt = storedAt(n.newest)
	}
	verdicts, err := m.judge(rules, r.Backups, made...)
	if err != nil {
		if p.err == nil {
			p.err = fmt.Errorf("backup %s: keep: %w", n.block.Name, err)
		}
		return
	}
	list := Prune{Rules: rules, Remove: []Judged{}, Keep: []Judged{}}
	for _, v := range verdicts {
		switch j := (Judged{ID: v.ID, TakenAt: v.At.UTC(), Reason: v.Reason}); {
		case v.ID == newBackup:
		case v.Keep:
			list.Keep = append(list.Keep, j)
		default:
			list.Remove = append(list.Remove, j)
		}
	}
	if len(list.Remove) == 0 {
		return
	}
	slices.Reverse(list.Remove)
	also := ""
	if len(made) > 0 {
		also = ", counting the one that this plan makes"
	}
	p.append(Step{Kind: PruneBackups, Backup: n.block.Name, Repository: r.Name, Prune: &list, Risk: Safe, TimeoutSeconds: seconds(pruneTimeout),
		Reason: fmt.Sprintf("No rule of keep (%s) keeps %d of the %s of %s any more%s: %s manifest first, so that what a cut leaves counts as no backup. What uploads that were cut left is swept, too.",
			rules.words(), len(list.Remove), counted(len(list.Remove)+len(list.Keep), "backup", "backups"), n.block.Name, also, goWith(len(list.Remove)))})
}

// pruneAlone is a plan that removes backups and does nothing else.
func (p *planner) pruneAlone(needs []*need) {
	for _, n := range needs {
		if n.block.Keep != nil && n.repo == nil {
			p.unmetNeed(n, p.w.unusableRepository(n))
		} else if n.block.Keep != nil {
			p.unlookedCopies(n)
		}
	}
	p.prune(needs)
}

func goWith(n int) string {
	if n == 1 {
		return "it is removed, its"
	}
	return "they are removed, each"
}

// pruneHazards says of a step that removes backups which they are.
func (p *planner) pruneHazards(s Step) {
	var ids []string
	for _, j := range s.Prune.Remove {
		ids = append(ids, j.ID)
	}
	p.hazard(diag.BackupsRemoved, s.ID, "", "%s of %s in repository %s %s removed for good, and %d stay: %s",
		counted(len(ids), "backup", "backups"), s.Backup, s.Repository, isAre(len(ids)), len(s.Prune.Keep), few(ids))
}

// pruneSummary says how many backups go.
func (p *planner) pruneSummary() string {
	var parts []string
	for _, s := range p.plan.Steps {
		if s.Kind == PruneBackups {
			parts = append(parts, fmt.Sprintf("remove %s of %s from %s", counted(len(s.Prune.Remove), "backup", "backups"), s.Backup, s.Repository))
		}
	}
	return strings.Join(parts, "; ")
}
