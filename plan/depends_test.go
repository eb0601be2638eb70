package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/requeen/requeen/plan"
)

func needsOf(p *plan.Plan) string {
	var words []string
	for i, needs := range p.Needs() {
		for _, n := range needs {
			words = append(words, fmt.Sprintf("%d<%d %s", p.Steps[i].ID, n.Step, n.Why))
		}
	}
	return strings.Join(words, ", ")
}

func TestNeeds(t *testing.T) {
	worker, manager := &plan.JoinAs{Role: "worker"}, &plan.JoinAs{Role: "manager"}
	for name, c := range map[string]struct {
		steps []plan.Step
		want  string
	}{
		"two backups of two managers": {
			steps: []plan.Step{{Kind: plan.Stop, Node: "m2", Backup: "a"}, {Kind: plan.Start, Node: "m2", Backup: "a"}, {Kind: plan.Verify, Node: "m2", Backup: "a"},
				{Kind: plan.Stop, Node: "m3", Backup: "b"}, {Kind: plan.Start, Node: "m3", Backup: "b"}},
			want: "2<1 the same node, 3<2 the same node, 4<2 one manager after the other, 5<4 the same node",
		},
		"workers join side by side, managers do not": {
			steps: []plan.Step{{Kind: plan.Join, Node: "m2", Join: manager}, {Kind: plan.Join, Node: "w1", Join: worker}, {Kind: plan.Join, Node: "w2", Join: worker},
				{Kind: plan.Join, Node: "m3", Join: manager}, {Kind: plan.UpdateNode, Node: "w1"}},
			want: "2<1 the swarm answers, 3<1 the swarm answers, 4<1 one manager after the other, 5<2 the same node, 5<4 the swarm answers",
		},
		"a recovery touches no manager before the new directory is laid beside": {
			steps: []plan.Step{{Kind: plan.Prepare, Node: "m2", Recovery: "r"}, {Kind: plan.Fence, Node: "m1", Recovery: "r"}, {Kind: plan.Restore, Node: "m2", Recovery: "r"},
				{Kind: plan.Init, Node: "m2", Recovery: "r"}, {Kind: plan.Await, Node: "w1", Recovery: "r"}, {Kind: plan.RotateJoinTokens, Node: "m2", Recovery: "r"}, {Kind: plan.Check, Node: "m2", Recovery: "r"}},
			want: "2<1 one manager after the other, 3<2 one manager after the other, 4<3 the same node, 5<4 the swarm answers, 6<4 the same node, 7<5 all that came before, 7<6 the same node",
		},
		"side by side": {
			steps: []plan.Step{{Kind: plan.Start, Node: "m1", With: []string{"m2"}}, {Kind: plan.Fence, Node: "m2"}},
			want:  "2<1 the same node",
		},
		"entries that are not declared": {
			steps: []plan.Step{{Kind: plan.Demote, Entry: "x"}, {Kind: plan.RemoveNode, Entry: "x"}, {Kind: plan.RemoveNode, Entry: "y"}},
			want:  "2<1 the same node, 3<1 the swarm answers",
		},
	} {
		for i := range c.steps {
			c.steps[i].ID = i + 1
		}
		if have := needsOf(&plan.Plan{Steps: c.steps}); have != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, have, c.want)
		}
	}
}

// Every plan's needs point back, and no step but the first of its kind stands alone
// where managers are touched: what touches the quorum is one chain.
func TestNeedsPointBack(t *testing.T) {
	for _, g := range goldens() {
		p, err := plan.Build(g.input(t))
		if err != nil {
			t.Fatal(err)
		}
		for i, needs := range p.Needs() {
			for _, n := range needs {
				if n.Step >= p.Steps[i].ID || n.Step < 1 {
					t.Errorf("%s: step %d waits for step %d", g.name, p.Steps[i].ID, n.Step)
				}
			}
			if s := p.Steps[i]; i > 0 && s.Kind == plan.Stop && len(needs) == 0 {
				for _, before := range p.Steps[:i] {
					if before.Kind == plan.Stop || before.Kind == plan.Start {
						t.Errorf("%s: step %d stops %s and waits for nothing", g.name, s.ID, s.Node)
					}
				}
			}
		}
	}
}
