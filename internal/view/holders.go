package view

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/status"
)

// Holders writes the containers with which recoveries hold volumes: what may go
// first, then what is kept, each with the reason, and that the volumes stay. It
// writes nothing where there are none.
func (s Screen) Holders(list []status.Holder, now time.Time) {
	may := false
	part := func(title string, st style, superfluous bool) {
		head := false
		for _, l := range list {
			if l.Superfluous != superfluous {
				continue
			}
			if !head {
				head = true
				s.printf("%s\n", s.paint(bold, title))
			}
			may = may || superfluous
			s.holder(l, st, now)
		}
	}
	part("Containers that hold volumes and may go:", green, true)
	part("Containers that hold volumes and are kept:", yellow, false)
	if may {
		s.paragraph("", "Only the containers go; the volumes stay on their hosts. Look into them there: docker volume inspect VOLUME tells the directory. Then docker volume rm VOLUME. A docker volume prune there takes what nothing holds.")
	}
}

func (s Screen) holder(l status.Holder, st style, now time.Time) {
	made := ""
	if !l.CreatedAt.IsZero() {
		made = "made " + Age(now, l.CreatedAt) + " ago; "
	}
	s.printf("  %s %s\n", s.paint(st, l.Node), l.Name)
	s.paragraph("      ", "recovery "+l.Recovery+"; "+made+l.Why+"; "+count(len(l.Volumes), "volume", "volumes")+": "+strings.Join(l.Volumes, ", "))
	if l.Remedy != "" {
		s.arrow(l.Remedy)
	}
}
