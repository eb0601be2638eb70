package plan_test

import (
	"testing"

	"github.com/requeen/requeen/plan"
)

// The picture and the margins are two accounts of one simulation: after every step
// as many managers are drawn, and as many of them up, as the margin counts.
func TestPicturesShowWhatTheMarginsCount(t *testing.T) {
	for _, g := range goldens() {
		p, err := plan.Build(g.input(t))
		if err != nil {
			t.Fatal(err)
		}
		nodes := map[string]plan.PictureNode{}
		for _, n := range p.Picture.Nodes {
			if _, twice := nodes[n.Name]; twice {
				t.Errorf("%s: two nodes are called %s", g.name, n.Name)
			}
			nodes[n.Name] = n
		}
		changes := p.Picture.Changes
		for _, step := range p.Steps {
			if len(changes) > 0 && changes[0].Step == step.ID {
				for _, n := range changes[0].Nodes {
					if _, known := nodes[n.Name]; !known {
						t.Errorf("%s: step %d changes %s, which is not there", g.name, step.ID, n.Name)
					}
					nodes[n.Name] = n
				}
				changes = changes[1:]
			}
			managers, up, leaders := 0, 0, 0
			for _, n := range nodes {
				if n.Part == plan.PartManager {
					managers++
					if n.Look == plan.LookUp {
						up++
					}
				}
				if n.Leader {
					leaders++
					if n.Part != plan.PartManager || n.Look != plan.LookUp {
						t.Errorf("%s: after step %d %s leads and is a %s that is %s", g.name, step.ID, n.Name, n.Part, n.Look)
					}
				}
			}
			if managers != step.Margin.Managers || up != step.Margin.Up {
				t.Errorf("%s: after step %d the picture has %d of %d managers up, the margin %d of %d", g.name, step.ID, up, managers, step.Margin.Up, step.Margin.Managers)
			}
			if leaders > 0 && step.Margin.Spare < 0 {
				t.Errorf("%s: after step %d %d managers lead, with %d to spare", g.name, step.ID, leaders, step.Margin.Spare)
			}
		}
		if len(changes) > 0 {
			t.Errorf("%s: changes of no step: %+v", g.name, changes)
		}
	}
}
