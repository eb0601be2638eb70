package observe

import (
	"fmt"
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// TestALargeSwarmIsAskedOfItsManagers: nodes without a connection cost nothing, however
// many a swarm lists and a configuration declares. The swarm is a stub's.
func TestALargeSwarmIsAskedOfItsManagers(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	w := healthyWorld(cfg)
	for i := range 10000 {
		name := fmt.Sprintf("w%d", i)
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: name, Role: schema.RoleWorker, Connection: schema.Connection{None: true}})
		for _, m := range w.machines {
			m.engine.swarm.Nodes = append(m.engine.swarm.Nodes, state.SwarmNode{ID: idOf(name), Hostname: name, Role: "worker", Status: "ready"})
		}
	}
	s := observe(t, cfg, w)
	if s.Swarm == nil || len(s.Swarm.Nodes) != 10003 || len(s.Hosts) != 10003 {
		t.Fatalf("%+v", s.SwarmProblem)
	}
	dials := 0
	for name, m := range w.machines {
		dials += len(m.dials)
		if len(m.probes) != 1 {
			t.Errorf("%s was probed %d times", name, len(m.probes))
		}
	}
	if dials != 3 {
		t.Errorf("%d connections to engines, and there are three managers", dials)
	}
}
