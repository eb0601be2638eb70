package view

import (
	"fmt"

	"github.com/requeen/requeen/internal/specdiff"
)

// BackupDiff is what backup diff -json prints: what is otherwise in the second than in
// the first.
type BackupDiff struct {
	First   string            `json:"first"`   // the ID of a backup, or live for the swarm as it is now
	Second  string            `json:"second"`  // the ID of the other backup, or live
	Objects []specdiff.Object `json:"objects"` // those that are otherwise in the second, sorted by kind and name
}

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
