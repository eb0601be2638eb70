package host

import (
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// parseRecoveries reads the lines of list_recoveries, sorted by ID.
func parseRecoveries(lines []string) []state.HostRecovery {
	var list []state.HostRecovery
	base := ""
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "=")
		if key == "recovery" {
			list = append(list, state.HostRecovery{ID: value, Phase: state.RecoveryBegun})
			base = ""
			continue
		}
		if len(list) == 0 {
			continue
		}
		r := &list[len(list)-1]
		switch key {
		case "recovery.meta":
			switch k, v, _ := strings.Cut(value, "="); k {
			case "cluster":
				r.Cluster = v
			case "base":
				base = v
			}
		case "recovery.status":
			word, _, _ := strings.Cut(value, " ")
			if phase := state.RecoveryPhase(word); slices.Contains(recoveryPhases, phase) {
				r.Phase = phase
			}
		case "recovery.held":
			r.Held = true
		case "recovery.aside":
			r.Aside = base
		case "recovery.staged":
			r.Staged = base + ".new"
		}
	}
	slices.SortFunc(list, func(a, b state.HostRecovery) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// recoveryPhases are those that are told; the others in a status file are for
// the scripts alone.
var recoveryPhases = []state.RecoveryPhase{
	state.RecoveryBegun, state.RecoveryHeld, state.RecoveryFenced, state.RecoveryStaged,
	state.RecoverySwapped, state.RecoveryLifted,
}
