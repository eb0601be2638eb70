package plan_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
	"github.com/requeen/requeen/schema"
)

// drawShape declares another shape than is observed, whatever that is.
func drawShape(t *rapid.T, in *plan.Input) {
	c := &in.Config.Cluster
	c.PruneNodes = rapid.Bool().Draw(t, "prune")
	c.RemoveDownAfter = rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "remove_down_after")
	c.Rebalance = []string{"web"}
	if rapid.Bool().Draw(t, "autolock is declared") {
		on := rapid.Bool().Draw(t, "declared autolock")
		c.Autolock = &on
	}
	for i := range in.Config.Nodes {
		n := &in.Config.Nodes[i]
		if i > 0 {
			n.Role = rapid.SampledFrom([]string{schema.RoleManager, schema.RoleManager, schema.RoleWorker}).Draw(t, "role")
		}
		n.Availability = rapid.SampledFrom([]string{"", "", "active", "drain"}).Draw(t, "declared availability")
		if rapid.Bool().Draw(t, "labelled") {
			n.Labels = map[string]string{"zone": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "zone")}
		}
	}
	if in.State.Swarm == nil {
		return
	}
	for i := range in.State.Swarm.Nodes {
		m := &in.State.Swarm.Nodes[i]
		m.ChangedAt = observedAt.Add(-rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Hour}).Draw(t, "changed"))
		switch rapid.IntRange(0, 11).Draw(t, "entry") {
		case 0:
			m.ManagerAddr, m.Addr = "172.16.0.1:2377", "172.16.0.1"
		case 1:
			m.Labels = map[string]string{state.MovesLabel: rapid.SampledFrom([]string{"m1", "m2", "w1"}).Draw(t, "moves")}
		case 2:
			m.Role = "manager"
		case 3:
			m.Status = "down"
		}
	}
	for _, name := range []string{"n1", "n2"}[:rapid.IntRange(0, 2).Draw(t, "new hosts")] {
		address := "10.0.9." + name[1:]
		in.Config.Nodes = append(in.Config.Nodes, schema.Node{Name: name, Address: address, Role: rapid.SampledFrom([]string{"manager", "worker"}).Draw(t, "new role")})
		h := host(name, address, "worker")
		h.Engine = state.Engine{Answered: state.Present, LocalNodeState: rapid.SampledFrom([]string{"inactive", "inactive", "pending"}).Draw(t, "new state")}
		h.SwarmDir = state.SwarmDir{Presence: rapid.SampledFrom([]state.Presence{state.Absent, state.Absent, state.Unknown}).Draw(t, "new disk")}
		in.State.Hosts = append(in.State.Hosts, h)
	}
}

// TestEveryShapePlanKeepsTheRules plans shapes from anything that can be observed. The
// quorum is counted from the observation, apart from the planner's own simulation.
func TestEveryShapePlanKeepsTheRules(t *testing.T) {
	shapes := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawWild(t)
		drawShape(t, &in)
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		rules(t, in, p)
		for _, d := range plan.Stale(p, in.State, plan.Done{}) {
			if len(p.Steps) > 0 && d.Kind != plan.AlreadyDone && d.Kind != plan.RunBegun {
				t.Fatalf("stale at once: %+v", d)
			}
		}
		document, _, err := planfile.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if second, _, _ := planfile.Encode(again); !bytes.Equal(document, second) {
			t.Fatal("the same input gave other bytes")
		}
		shapeRules(t, in, p)
		for _, s := range p.Steps {
			if s.Shapes() {
				shapes++
			}
		}
	})
	t.Logf("%d steps on the shape", shapes)
}

func shapeRules(t *rapid.T, in plan.Input, p *plan.Plan) {
	up, entries := map[string]bool{}, map[string]bool{}
	if in.State.Swarm != nil {
		for _, m := range in.State.Swarm.Nodes {
			entries[m.ID] = true
			if m.Reachability != "" || m.Leader || m.ManagerAddr != "" || m.Role == "manager" && m.Status == "ready" {
				up[m.ID] = m.Reachability == "reachable"
			}
		}
	}
	for i, s := range p.Steps {
		switch {
		case s.Kind == plan.Start || s.Kind == plan.Unlock:
			up[s.NodeID] = true
			continue
		case !s.Shapes():
			continue
		case p.Recovery != nil || in.NoLock:
			t.Fatalf("step %d changes the shape beside a recovery or without the lock", s.ID)
		case s.Entry != "" && !entries[s.Entry]:
			t.Fatalf("step %d is on an entry that is not there", s.ID)
		case s.Node == "" && (s.Host == "" && s.Entry == "" || s.Kind == plan.Join || s.Kind == plan.Leave || s.Kind == plan.Promote):
			t.Fatalf("step %d (%s) is on no declared node", s.ID, s.Kind)
		}
		switch _, voter := up[s.Entry]; {
		case s.Kind == plan.Join && s.Join.Role == "manager":
			up["?"+s.Node] = true
		case s.Kind == plan.Promote:
			up[s.Entry] = true
		case s.Kind == plan.Demote:
			delete(up, s.Entry)
		case (s.Kind == plan.Leave || s.Kind == plan.RemoveNode) && voter:
			t.Fatalf("step %d takes a voter out", s.ID)
		}
		count := 0
		for _, is := range up {
			if is {
				count++
			}
		}
		if count < len(up)/2+1 {
			t.Fatalf("after step %d (%s %s) %d of %d are up: %s", s.ID, s.Kind, s.Where(), count, len(up), stepsOf(p))
		}
		if i > 0 && p.Steps[i-1].Kind == plan.Stop {
			t.Fatalf("step %d changes the shape while a manager is down", s.ID)
		}
	}
}
