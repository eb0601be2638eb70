package apply_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// TestApproval: no step of today's plans is destructive, so the plan is a made
// up one.
func TestApproval(t *testing.T) {
	w := applytest.New(3)
	safe := thePlan(w)
	p := thePlan(w)
	p.Steps[0].Risk, p.Steps[2].Risk = plan.Destructive, plan.Destructive
	p.Hazards = []plan.Hazard{{Code: diag.TasksOnManager, Step: 1}, {Code: diag.SingleManager}}
	need := apply.NeedsApproval(p)
	if !slices.Equal(need, []string{diag.TasksOnManager, "step:3"}) || len(apply.NeedsApproval(safe)) > 0 {
		t.Fatalf("needs %v", need)
	}
	for _, c := range []struct {
		name string
		p    *plan.Plan
		a    apply.Approval
		ok   bool
	}{
		{"safe", safe, apply.Approval{}, true},
		{"nothing", p, apply.Approval{}, false},
		{"one of two", p, apply.Approval{Codes: []string{diag.TasksOnManager}}, false},
		{"both", p, apply.Approval{Codes: []string{"step:3", diag.TasksOnManager}}, true},
		{"typed", p, apply.Approval{Typed: true}, true},
		{"digest", p, apply.Approval{Digest: digest}, true},
		{"another digest", p, apply.Approval{Digest: "sha256:00", Typed: true}, false},
		{"another digest of a safe plan", safe, apply.Approval{Digest: "sha256:00"}, false},
	} {
		err := apply.Check(c.p, digest, c.a)
		var told *apply.NotApprovedError
		if (err == nil) != c.ok || err != nil && !errors.As(err, &told) {
			t.Errorf("%s: %v", c.name, err)
		}
		if !c.ok {
			q := request(c.p, t.TempDir())
			q.Approval = c.a
			if _, err, _ := start(w.Process(), q); !errors.As(err, &told) || w.Stops() > 0 {
				t.Errorf("%s: run: %v", c.name, err)
			}
		}
	}
}
