package plan

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// TestTheSimulationRefusesBadShapes: what the planner must never make of a cluster's
// shape is caught before anybody sees it.
func TestTheSimulationRefusesBadShapes(t *testing.T) {
	on := func(kind Kind, name string) Step { return Step{Kind: kind, Node: name, Entry: name} }
	joins := func(name, role string) Step { return Step{Kind: Join, Node: name, Join: &JoinAs{Role: role}} }
	w4 := func(up3 bool) *world {
		w := three(up3)
		w.nodes = append(w.nodes, &node{}, &node{})
		w.nodes[3].cfg.Name, w.nodes[4].cfg.Name = "m4", "w1"
		return w
	}
	sealed := func(w *world) *world {
		w.st.Swarm = &state.Swarm{Autolock: true}
		return w
	}
	raftOn := func(w *world, name string) *world {
		for _, n := range w.nodes {
			n.host.SwarmDir.HasRaft = n.host.SwarmDir.HasRaft || n.cfg.Name == name
		}
		return w
	}
	for name, c := range map[string]struct {
		steps []Step
		world *world
		want  string
	}{
		"a follower goes":            {steps: []Step{on(Demote, "m2"), on(Leave, "m2"), on(RemoveNode, "m2")}, world: w4(true)},
		"one follows the other":      {steps: []Step{on(Demote, "m2"), on(Demote, "m3")}, world: w4(true)},
		"a dead one goes":            {steps: []Step{on(Demote, "m3"), on(Demote, "m2")}, world: w4(false)},
		"one joins, the leader goes": {steps: []Step{joins("m4", "manager"), on(Demote, "m1")}, world: w4(true)},
		"a worker is promoted":       {steps: []Step{on(Promote, "w1"), on(Demote, "m2")}, world: w4(false)},
		"quorum":                     {steps: []Step{on(Demote, "m2")}, world: w4(false), want: "loses the quorum: 1 of 2"},
		"the last":                   {steps: []Step{on(Demote, "m2"), on(Demote, "m3"), on(Demote, "m1")}, world: w4(true), want: "no other manager is up"},
		"the leader first":           {steps: []Step{on(Demote, "m1"), on(Demote, "m2")}, world: w4(true), want: "the leader was before it"},
		"no manager":                 {steps: []Step{on(Demote, "w1")}, world: w4(true), want: "is no manager"},
		"a voter leaves":             {steps: []Step{on(Leave, "m2")}, world: w4(true), want: "counts for the quorum"},
		"a voter is removed":         {steps: []Step{on(RemoveNode, "m2")}, world: w4(true), want: "counts for the quorum"},
		"a manager joins":            {steps: []Step{joins("m2", "manager")}, world: w4(true), want: "is a manager already"},
		"joins twice":                {steps: []Step{joins("m4", "manager"), joins("m4", "worker")}, world: w4(true), want: "is a manager already"},
		"one comes back":             {steps: []Step{{Kind: Start, Node: "m3", NodeID: "m3"}, on(Demote, "m2")}, world: w4(false)},
		"one is locked":              {steps: []Step{{Kind: Start, Node: "m3", NodeID: "m3"}, on(Demote, "m2")}, world: sealed(w4(false)), want: "loses the quorum: 1 of 2"},
		"one is unlocked":            {steps: []Step{{Kind: Start, Node: "m3", NodeID: "m3"}, {Kind: Unlock, Node: "m3", NodeID: "m3"}, on(Demote, "m2")}, world: sealed(w4(false))},
		"what is left starts":        {steps: []Step{{Kind: Start, Node: "w1", NodeID: "w1"}}, world: raftOn(w4(true), "w1"), want: "two clusters with one ID"},
		"a worker starts":            {steps: []Step{{Kind: Start, Node: "w1", NodeID: "w1"}}, world: w4(true)},
		"nobody":                     {steps: []Step{{Kind: UpdateNode, Node: ""}}, world: w4(true), want: "in doubt"},
		"no quorum": {steps: []Step{on(UpdateNode, "m1")}, want: "none has a quorum", world: func() *world {
			w := w4(false)
			w.voters[1].up = false
			return w
		}()},
	} {
		p := &Plan{}
		s := simulate(c.world)
		for i, step := range c.steps {
			step.ID = i + 1
			_ = s.step(step) // what is wrong is for checkFrom to find
			step.Margin = s.margin()
			p.Steps = append(p.Steps, step)
		}
		err := checkFrom(simulate(c.world), p, c.world)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
