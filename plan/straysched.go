package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// strayFor is how long after its newest backup a schedule on a host that is not declared
// is told of, at least: twice the interval of a daily one.
const strayFor = 48 * time.Hour

// StraySchedules are the newest backups of schedules on hosts that no node block declares
// any more, by node and block. Such a host can't be looked at: what its runs store is all
// that can be known of it, and a schedule that was taken away there since looks the same
// until its newest backup is old.
func StraySchedules(cfg *schema.Config, st *state.State, now time.Time) []state.Backup {
	newest := map[string]state.Backup{}
	for _, r := range st.Repositories {
		for _, b := range r.Backups {
			window := strayFor
			if block := cfg.Backup(b.Backup); block != nil {
				window = max(window, block.MaxAge)
			}
			key := b.ScheduledOn + "\x00" + b.Backup
			if b.ScheduledOn != "" && cfg.Node(b.ScheduledOn) == nil && b.Cluster == cfg.Cluster.Name && b.Problem == nil &&
				now.Sub(b.TakenAt) < window && b.TakenAt.After(newest[key].TakenAt) {
				newest[key] = b
			}
		}
	}
	list := make([]state.Backup, 0, len(newest))
	for _, b := range newest {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b state.Backup) int {
		return strings.Compare(a.ScheduledOn+"\x00"+a.Backup, b.ScheduledOn+"\x00"+b.Backup)
	})
	return list
}

func (p *planner) strayScheduleHazards() {
	for _, b := range StraySchedules(p.w.cfg, p.w.st, p.in.Now) {
		p.hazard(diag.ScheduleStray, 0, b.ScheduledOn, "Backup %s of %s, taken %s ago, was made by the schedule on %s, which no node block declares. Unless it was taken away there since, its timer, an old copy of the configuration and the keys are on that host still",
			b.ID, b.Backup, span(p.in.Now.Sub(b.TakenAt)), b.ScheduledOn)
	}
}
