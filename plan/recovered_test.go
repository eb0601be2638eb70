package plan_test

import (
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// TestRecovered: a recovery counts as done only where its own swarm answers, not
// one that was recovered again since.
func TestRecovered(t *testing.T) {
	led := []state.SwarmNode{{ID: "n1", Leader: true}}
	for _, c := range []struct {
		name  string
		rung  plan.Rung
		swarm *state.Swarm
		want  bool
	}{
		{"forced", plan.RungForce, &state.Swarm{ID: "s", Epoch: "e1", Nodes: led}, true},
		{"restored", plan.RungRestore, &state.Swarm{ID: "s", Epoch: "e1", Nodes: led}, true},
		{"recovered again", plan.RungForce, &state.Swarm{ID: "s", Epoch: "e2", Nodes: led}, false},
		{"another swarm", plan.RungStart, &state.Swarm{ID: "other", Nodes: led}, false},
		{"started, of whatever epoch", plan.RungStart, &state.Swarm{ID: "s", Epoch: "e0", Nodes: led}, true},
		{"no leader", plan.RungForce, &state.Swarm{ID: "s", Epoch: "e1", Nodes: []state.SwarmNode{{ID: "n1"}}}, false},
		{"nobody answers", plan.RungForce, nil, false},
	} {
		p := &plan.Plan{SwarmID: "s", Recovery: &plan.Recovery{ID: "e1", Rung: c.rung}}
		if is := plan.Recovered(p, &state.State{Swarm: c.swarm}); is != c.want {
			t.Errorf("%s: %v", c.name, is)
		}
	}
	if plan.Recovered(&plan.Plan{}, &state.State{Swarm: &state.Swarm{Nodes: led}}) {
		t.Error("a plan without a recovery has recovered")
	}
}
