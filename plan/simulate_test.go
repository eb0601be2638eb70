package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// three is a world of managers m1 (which leads), m2 and m3.
func three(up3 bool) *world {
	w := &world{cfg: &schema.Config{}, st: &state.State{}}
	for i, name := range []string{"m1", "m2", "m3"} {
		n := &node{cfg: schema.Node{Name: name}}
		w.nodes = append(w.nodes, n)
		w.voters = append(w.voters, &voter{id: name, node: n, up: i < 2 || up3, leader: i == 0})
	}
	return w
}

// TestTheSimulationRefusesBadPlans: what the planner must never make is caught
// before anybody sees it.
func TestTheSimulationRefusesBadPlans(t *testing.T) {
	step := func(kind Kind, node string) Step { return Step{Kind: kind, Node: node, NodeID: node, Backup: "state"} }
	whole := []Step{step(Stop, "m2"), step(Archive, "m2"), step(Start, "m2"), step(Verify, "m2")}
	sealed := three(true)
	sealed.nodes[1].host.SwarmDir.Locked = true
	for name, c := range map[string]struct {
		steps []Step
		world *world
		edit  func(*Plan, *world)
		want  string
	}{
		"whole":                {steps: whole, world: three(true)},
		"twice":                {steps: append(whole[:4:4], whole...), world: three(true)},
		"the leader":           {steps: []Step{step(Stop, "m1")}, world: three(true), want: "leads"},
		"no manager":           {steps: []Step{step(Stop, "w1")}, world: three(true), want: "no manager"},
		"down already":         {steps: []Step{step(Stop, "m3")}, world: three(false), want: "down already"},
		"quorum":               {steps: whole, world: three(false), want: "loses the quorum"},
		"two at once":          {steps: []Step{step(Stop, "m2"), step(Stop, "m3")}, world: three(true), want: "while m2 is"},
		"copied while it runs": {steps: []Step{step(Archive, "m2")}, world: three(true), want: "while it runs"},
		"verified too early":   {steps: []Step{step(Stop, "m2"), step(Verify, "m2")}, world: three(true), want: "still down"},
		"never started":        {steps: whole[:2], world: three(true), want: "not brought back"},
		"never verified":       {steps: whole[:3], world: three(true), want: "never verified"},
		"never unlocked":       {steps: whole[:3], world: sealed, want: "not brought back"},
		"a margin that is not so": {steps: whole, world: three(true), want: "margin",
			edit: func(p *Plan, _ *world) { p.Steps[1].Margin.Spare = 2 }},
		"a step out of place": {steps: whole, world: three(true), want: "stands in place",
			edit: func(p *Plan, _ *world) { p.Steps[1].ID = 7 }},
		"a node in doubt": {steps: whole, world: three(true), want: "in doubt",
			edit: func(_ *Plan, w *world) { w.nodes[1].doubt = &Unmet{} }},
	} {
		p := &Plan{}
		s := simulate(c.world)
		for i, step := range c.steps {
			step.ID = i + 1
			_ = s.step(step) // what is wrong is for checkFrom to find
			step.Margin = s.margin()
			p.Steps = append(p.Steps, step)
		}
		if c.edit != nil {
			c.edit(p, c.world)
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

func TestWords(t *testing.T) {
	for d, want := range map[int64]string{5: "5 s", 119: "119 s", 120: "2 min", 5400: "90 min", 86400: "24 h", 93600: "26 h", 94200: "26 h 10 min", 7 * 86400: "7 days", -300: "5 min"} {
		if have := span(time.Duration(d) * time.Second); have != want {
			t.Errorf("%d s is %q, want %q", d, have, want)
		}
	}
	if have := listing([]string{"a", "b", "c"}); have != "a, b and c" {
		t.Error(have)
	}
	for n, want := range map[int64]string{-1: "an unknown number of bytes", 12: "12 bytes", 420_000: "420 KB", 160_420_000: "160 MB", 20_000_000_000: "20 GB"} {
		if have := room(n); have != want {
			t.Errorf("%d is %q, want %q", n, have, want)
		}
	}
}
