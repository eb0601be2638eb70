package plan_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/requeen/requeen/plan"
)

// Workers that are only waited for are counted once they are many, and come back all
// the same: the picture does not grow with the swarm.
func TestPictureCountsManyWorkers(t *testing.T) {
	for _, g := range goldens() {
		if g.name != "force" {
			continue
		}
		in := g.input(t)
		worker, host := *in.Config.Node("w1"), *in.State.Host("w1")
		for i := 2; i <= 200; i++ {
			w, h := worker, host
			w.Name, w.Address = fmt.Sprintf("w%d", i), fmt.Sprintf("10.0.1.%d", i)
			h.Name, h.Address, h.MachineID = w.Name, w.Address, "machine-"+w.Name
			h.Engine.NodeID, h.SwarmDir.NodeID, h.Engine.NodeAddr = "node"+w.Name, "node"+w.Name, w.Address
			in.Config.Nodes, in.State.Hosts = append(in.Config.Nodes, w), append(in.State.Hosts, h)
		}
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p.Picture)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Picture.Nodes) != 3 || len(text) > 2000 {
			t.Errorf("%d nodes, %d bytes: %.400s", len(p.Picture.Nodes), len(text), text)
		}
		var last []plan.PictureWorkers
		for _, c := range p.Picture.Changes {
			if c.Workers != nil {
				last = c.Workers
			}
		}
		if len(last) != 1 || last[0] != (plan.PictureWorkers{Look: plan.LookUp, Count: 200}) {
			t.Errorf("at the end the workers are %+v", last)
		}
	}
}
