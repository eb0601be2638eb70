package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/plan"
)

// TestRecoveryWithoutALeaderForAWhile: a swarm that grows back loses its leader between
// two steps, as two managers do when one of them is cut off. An engine that gave up its
// join is joined anew, and what only a leader carries out is asked for again.
func TestRecoveryWithoutALeaderForAWhile(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			w := l.make()
			w.Faults.JoinsGivenUp, w.Faults.NoLeader = 2, 3
			q := approved(recoveryPlan(t, w), t.TempDir())
			process := w.Process()
			_, err, _ := start(process, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range recovered(w) {
				t.Error(wrong)
			}
			var text strings.Builder
			for _, e := range process.Events {
				if e.Type == apply.Note {
					text.WriteString(e.Text + "\n")
				}
			}
			joins := slices.ContainsFunc(q.Plan.Steps, func(s plan.Step) bool { return s.Kind == plan.Join })
			if joins && !strings.Contains(text.String(), "it joins anew") {
				t.Errorf("nobody is told that a host joins anew:\n%s", text.String())
			}
		})
	}
}
