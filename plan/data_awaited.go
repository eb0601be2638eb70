package plan

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// brings tells whether a restore brings all of the sources.
func brings(list []restoredData, sources []string) bool {
	return !slices.ContainsFunc(sources, func(source string) bool {
		return !slices.ContainsFunc(list, func(d restoredData) bool { return d.held.ID() == source })
	})
}

// awaited is the unmet goal of a restore that was asked for while a service which it
// would let run again waits for other data of a restore that was cut: it would start
// without them. nil where no service does. What is excluded by name is waited for no
// more.
func (p *planner) awaited(goal string, list []restoredData) *Unmet {
	var services []string
	for _, d := range list {
		services = append(services, d.cfg.Quiesce...)
	}
	for _, s := range p.w.st.Swarm.Services {
		r, ok := state.ParsePendingRestore(s.Waits)
		if !ok || !contains(services, s.Name) {
			continue
		}
		for _, source := range r.Sources {
			if contains(p.in.Exclude, source) || brings(list, []string{source}) {
				continue
			}
			return &Unmet{Code: diag.DataUnfit, Goal: goal,
				Reason: fmt.Sprintf("The service %s still waits for %s of backup %s, a restore of which was cut, and this one would let it run without.", s.Name, source, r.Backup),
				Remedy: fmt.Sprintf("Let that restore end first (requeen plan without -restore), restore %s too (-only=%s), or go without it (-exclude=%s).", source, source, source)}
		}
	}
	return nil
}
