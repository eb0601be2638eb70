package view

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/plan"
)

// recovery writes what a plan brings back and on which evidence: the survivors
// with what choosing another would lose, and who can't be fenced.
func (s Screen) recovery(r *plan.Recovery) {
	if r == nil {
		return
	}
	s.labelled("", "Recovery:", recoveryText(r))
	if len(r.Survivors) > 0 {
		s.printf("%s\n", s.paint(bold, "Survivors:"))
		s.survivors(r.Survivors)
	}
	if len(r.Unfenced) > 0 {
		s.printf("%s\n", s.paint(bold, "Not to be fenced:"))
	}
	for _, u := range r.Unfenced {
		s.hanging("  ", unfencedText(u))
	}
}

func recoveryText(r *plan.Recovery) string {
	var parts []string
	switch r.Rung {
	case plan.RungStart:
		return "by what is there: nothing is forced or restored, nothing is lost. ID " + r.ID + "."
	case plan.RungGrow:
		return "managers come back into the swarm that answers. ID " + r.ID + "."
	case plan.RungForce:
		parts = append(parts, fmt.Sprintf("a new cluster out of %s, at %s", r.Node, r.Address))
	case plan.RungRestore:
		parts = append(parts, fmt.Sprintf("backup %s of repository %s onto %s, at %s", r.Backup, r.Repository, r.Node, r.Address))
	}
	if r.Autolock {
		parts = append(parts, "auto-locked again at its end")
	}
	if r.FreshIdentity {
		parts = append(parts, "with a node ID of its own, since the backup is another host's")
	}
	text := strings.Join(parts, ", ") + ". It opens the epoch " + r.ID
	if r.ParentEpoch != "" && r.ParentEpoch != r.ID {
		text += ", after " + r.ParentEpoch
	}
	if !r.Expires.IsZero() {
		text += ". This plan may be begun until " + stamp(r.Expires)
	}
	return text + "."
}

// survivors are a line each where that fits, else what is lost goes below.
func (s Screen) survivors(list []plan.Survivor) {
	width := 0
	for _, v := range list {
		width = max(width, len([]rune(v.Node)))
	}
	for _, v := range list {
		at := fmt.Sprintf("term %d, index %d, commit %d", v.Term, v.Index, v.Commit)
		word := s.paint(green, "chosen")
		if !v.Chosen {
			word = "choosing it would lose " + v.Loses
		}
		name := fmt.Sprintf("%-*s", width, v.Node)
		if line := "  " + name + "  " + at + "; " + word; v.Chosen || s.Width < 20 || len([]rune(line)) <= s.Width {
			s.printf("  %s  %s; %s\n", s.paint(bold, name), at, word)
			continue
		}
		s.printf("  %s  %s\n", s.paint(bold, name), at)
		s.paragraph("      ", word)
	}
}
