package apply_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/plan"
)

// TestAwaitNamesWhoIsNotBack has a node that never comes back: it is named, and the
// recovery is done all the same.
func TestAwaitNamesWhoIsNotBack(t *testing.T) {
	w := losses[1].make() // m2 has crashed
	p := recoveryPlan(t, w)
	last := p.Steps[len(p.Steps)-1]
	p.Steps = append(p.Steps, plan.Step{ID: last.ID + 1, Kind: plan.Await, Node: "m3", With: []string{"m2"}, Recovery: p.Recovery.ID,
		Risk: plan.Safe, TimeoutSeconds: 30, Margin: last.Margin, Reason: "They are waited for."})
	proc := w.Process()
	began := w.Clock.Now()
	if _, err, _ := start(proc, approved(p, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	notes := texts(proc, apply.Note)
	if !strings.Contains(notes, "m2 is not ready") || strings.Contains(notes, "m3 is not ready") {
		t.Errorf("who is named: %s", notes)
	}
	if took := w.Clock.Now().Sub(began); took.Seconds() < 29 {
		t.Errorf("it was waited for %s", took)
	}
}
