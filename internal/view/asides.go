package view

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/status"
)

// Asides writes what lies beside the swarm directories: what may go first, then
// what is kept, each with the reason.
func (s Screen) Asides(list []status.Aside, now time.Time) {
	if len(list) == 0 {
		s.printf("%s\n", s.paint(green, "Nothing is set aside on the hosts that were looked at."))
		return
	}
	var sum int64
	part := func(title string, st style, superfluous bool) {
		head := false
		for _, a := range list {
			if a.Superfluous != superfluous {
				continue
			}
			if !head {
				head = true
				s.printf("%s\n", s.paint(bold, title))
			}
			what := "certificates"
			if a.HasRaft {
				what = "a whole cluster"
			}
			size := Bytes(a.Bytes)
			if a.DataOf != "" {
				what, size = "an application's data", "not counted"
			}
			changed := ""
			if !a.ChangedAt.IsZero() {
				changed = ", changed " + Age(now, a.ChangedAt) + " ago"
			}
			s.printf("  %s %s\n", s.paint(st, a.Node), a.Path)
			s.paragraph("      ", fmt.Sprintf("%s, %s%s; %s", what, size, changed, a.Why))
			if a.Superfluous {
				sum += a.Bytes
			} else if a.Remedy != "" {
				s.arrow(a.Remedy)
			}
		}
	}
	part("May go:", green, true)
	part("Kept:", yellow, false)
	if sum > 0 {
		s.printf("%s in all may go.\n", Bytes(sum))
	}
}
