package view

import (
	"fmt"

	"github.com/requeen/requeen/internal/specdiff"
)

// SpecDiff writes what is otherwise in the second of two backups than in the first.
func (s Screen) SpecDiff(first, second string, list []specdiff.Object) {
	if len(list) == 0 {
		s.printf("Nothing of what was asked for differs between %s and %s.\n", plain(first), plain(second))
		return
	}
	s.printf("From %s to %s:\n", plain(first), plain(second))
	signs := map[string]string{specdiff.Added: s.paint(green, "+"), specdiff.Removed: s.paint(red, "-"), specdiff.Changed: s.paint(yellow, "~"), specdiff.Remade: s.paint(yellow, "±")}
	for _, o := range list {
		s.printf("  %s %-8s %s %s\n", signs[o.Change], plain(o.Kind), s.paint(bold, plain(or(o.Name, o.ID))), o.Change)
		for _, f := range o.Fields {
			text := fmt.Sprintf("%s: %s -> %s", f.Path, or(f.Was, "(not set)"), or(f.Is, "(not set)"))
			if f.Hidden {
				text = f.Path + ": another value, which is not shown"
			}
			s.hanging("      ", plain(text))
		}
	}
}
