package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/plan"
)

// back waits, bounded by the steps' own time, until the manager of a sequence
// is seen again, and says so or not in a sentence. With effects it does what
// the start and unlock steps would do; without it only looks.
func (r *runner) back(ctx context.Context, q *sequence, effects bool) (bool, string) {
	seen := ""
	for _, k := range []plan.Kind{plan.Start, plan.Unlock} {
		s, ok := q.step(k)
		if !ok || r.j.progress.done(s.ID) {
			continue
		}
		t := r.task(s)
		t.watching = !effects
		t.note(s, "waits for %s to be back", s.Node)
		text, err := kinds[k].wait(ctx, t)
		if err != nil {
			words := []string{fmt.Sprintf("%s was not seen to be back: %v", s.Node, err)}
			if by := t.itself(); by != "" && !strings.Contains(err.Error(), by) {
				words = append(words, sentence(by)+".")
			}
			return false, strings.Join(append(words, "requeen plan shows how it is; if it stays away, "+byHand(q)+"."), " ")
		}
		seen = text
	}
	if seen == "" {
		return true, ""
	}
	return true, q.first().Node + " is back: " + seen + "."
}

func byHand(q *sequence) string {
	s := "systemctl start docker on " + q.first().Node
	if _, ok := q.step(plan.Unlock); ok {
		s += " and docker swarm unlock"
	}
	return s
}

// rescueBy is when the host starts its engine at the latest by itself: the
// archive step's time is the host's own bound (engine.down_max).
func (t *task) rescueBy() (time.Time, bool) {
	archive, ok := t.q.step(plan.Archive)
	if !ok {
		return time.Time{}, false
	}
	if !t.status.StoppedAt.IsZero() {
		return t.status.StoppedAt.Add(archive.Timeout()), true
	}
	if in, ok := t.j.progress.intents[t.q.first().ID]; ok {
		stop, _ := t.q.step(plan.Stop)
		return in.At.Add(stop.Timeout() + archive.Timeout()), true
	}
	return time.Time{}, false
}
