package view

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/plan"
)

// goes is a backup that a step removes, with the reason.
func goes(j plan.Judged) string {
	return fmt.Sprintf("%s, taken %s: %s", j.ID, stamp(j.TakenAt), strings.TrimPrefix(j.Reason, "removed: "))
}

// staysText is a backup that a step leaves, with the reason.
func staysText(j plan.Judged) string {
	return fmt.Sprintf("%s, taken %s: %s", j.ID, stamp(j.TakenAt), strings.TrimPrefix(j.Reason, "kept: "))
}

// pruned writes which backups a step removes, and which stay.
func (s Screen) pruned(list *plan.Prune) {
	if list == nil {
		return
	}
	s.printf("      %s\n", s.paint(bold, "Removed:"))
	for _, j := range list.Remove {
		s.hanging("        ", goes(j))
	}
	if s.Compact {
		s.paragraph("      ", count(len(list.Keep), "backup stays", "backups stay"))
		return
	}
	s.printf("      %s\n", s.paint(bold, "Kept:"))
	for _, j := range list.Keep {
		s.hanging("        ", staysText(j))
	}
}

// pruned are the backups that go, and then those that stay.
func (m *markdown) pruned(p *plan.Plan) {
	var gone, kept []entry
	for _, s := range p.Steps {
		if s.Prune == nil {
			continue
		}
		for _, j := range s.Prune.Remove {
			gone = append(gone, entry{fmt.Sprintf("- step %d, %s: %s\n", s.ID, code(s.Backup+" in "+s.Repository), prose(goes(j), 600)), 0})
		}
		for _, j := range s.Prune.Keep {
			kept = append(kept, entry{fmt.Sprintf("- %s: %s\n", code(s.Backup+" in "+s.Repository), prose(staysText(j), 600)), 0})
		}
	}
	m.folded(fmt.Sprintf("The backups that are removed (%d), and why", len(gone)), gone, "backups that are removed")
	m.folded(fmt.Sprintf("The backups that stay (%d), and why", len(kept)), kept, "backups that stay")
}

// pruned are a step's backups for the page.
func (step *pageStep) pruned(list *plan.Prune) {
	if list == nil {
		return
	}
	for _, j := range list.Remove {
		step.Gone = append(step.Gone, plain(goes(j)))
	}
	for _, j := range list.Keep {
		step.Kept = append(step.Kept, plain(staysText(j)))
	}
}
