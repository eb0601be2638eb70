package plan_test

import (
	"testing"
	"time"

	"github.com/requeen/requeen/plan"
)

// TestAPlanThatReplacesDataExpires, unless it was begun, and one that destroys nothing
// does not (safety rule 21).
func TestAPlanThatReplacesDataExpires(t *testing.T) {
	expires := map[string]bool{"data-restore": true, "data-restore-gone": true, "data-restore-cut": true,
		"data-restore-cut-declined": false, "data": false, "data-at-rest": false, "force": true, "all-stopped": false}
	for _, g := range goldens() {
		want, asked := expires[g.name]
		if !asked {
			continue
		}
		delete(expires, g.name)
		in := g.input(t)
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if until := p.BegunUntil(); until.IsZero() == want || want && !until.Equal(in.Now.Add(time.Hour)) {
			t.Errorf("%s may be begun until %v", g.name, until)
		}
		stale := func(after time.Duration, done plan.Done) (gone bool) {
			in.State.ObservedAt = in.Now.Add(after)
			for _, c := range plan.Stale(p, in.State, done) {
				gone = gone || c.Kind == plan.Expired
			}
			return gone
		}
		if stale(time.Hour, plan.Done{}) || stale(2*time.Hour, plan.Done{}) != want || stale(2*time.Hour, plan.Done{Steps: 1}) {
			t.Errorf("%s is stale at the wrong time", g.name)
		}
		if p.Recovery == nil && stale(2*time.Hour, plan.Done{Node: "m1"}) {
			t.Errorf("%s was begun and is not finished", g.name)
		}
	}
	for name := range expires {
		t.Errorf("there is no case %s", name)
	}
}
