package observe

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

const clusterID = "c1aaaaaaaaaaaaaaaaaaaaaaa"

var observedAt = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// idOf is a node's ID in the fakes' swarm.
func idOf(name string) string { return "id-" + name }

// node declares a node that is reached over ssh.
func node(name, role string) schema.Node {
	return schema.Node{
		Name: name, Role: role, Address: "10.0.0." + name[1:],
		Connection: schema.Connection{SSH: schema.Target{User: "root", Host: name}},
	}
}

// declare makes a configuration of managers m1… and workers w1… by their names.
func declare(names ...string) *schema.Config {
	cfg := &schema.Config{Cluster: schema.Cluster{Name: "prod"}}
	for _, name := range names {
		role := schema.RoleManager
		if name[0] == 'w' {
			role = schema.RoleWorker
		}
		cfg.Nodes = append(cfg.Nodes, node(name, role))
	}
	return cfg
}

// healthyWorld fits a configuration: m1 leads, everything answers at once.
func healthyWorld(cfg *schema.Config) *world {
	w := &world{machines: map[string]*fakeMachine{}, repositories: map[string]*fakeRepository{}}
	for i, n := range cfg.Nodes {
		w.machines[n.Name] = healthyMachine(cfg, n, uint64(100+i))
	}
	for _, r := range cfg.Repositories {
		w.repositories[r.Name] = &fakeRepository{}
	}
	return w
}

func healthyMachine(cfg *schema.Config, n schema.Node, version uint64) *fakeMachine {
	info := state.Engine{
		Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "active",
		NodeID: idOf(n.Name), NodeAddr: n.Address, ControlAvailable: n.Role == schema.RoleManager,
	}
	e := &fakeEngine{info: info, swarm: swarmAs(cfg, "m1")}
	e.swarm.VersionIndex = version
	return &fakeMachine{
		name: n.Name,
		facts: facts{
			dataRoot:    "/var/lib/docker",
			certificate: []byte(idOf(n.Name)),
			host: state.Host{
				MachineID: "machine-" + n.Name, Hostname: n.Name, System: "linux/amd64",
				Service:  state.Service{Unit: "docker.service", Socket: "docker.socket", ActiveState: "active"},
				SwarmDir: state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", HasKey: true, HasRootCA: true, HasRaft: true},
			},
		},
		engine: e,
	}
}

// swarmAs is a swarm's account in which one node leads.
func swarmAs(cfg *schema.Config, leader string) state.Swarm {
	s := state.Swarm{ID: clusterID}
	for _, n := range slices.Backward(cfg.Nodes) { // out of order
		s.Nodes = append(s.Nodes, state.SwarmNode{ID: idOf(n.Name), Role: n.Role, Leader: n.Name == leader})
	}
	return s
}

// observe reads and fails the test on an error.
func observe(t *testing.T, cfg *schema.Config, w *world) *state.State {
	t.Helper()
	s, err := read(t.Context(), cfg, w.ports(), Options{Now: func() time.Time { return observedAt }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deaf hangs until the test ends, whatever its context says.
func deaf(t *testing.T) func(context.Context) error {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	return func(context.Context) error {
		<-end
		return nil
	}
}

// hangs until its context ends.
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
