//go:build lab

package scenario

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/lab"
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// TestShapePorts holds the ports that change a swarm's shape to real engines: to the
// fake's contract, and by plans that are made by hand, step after step.
func TestShapePorts(t *testing.T) {
	if !torture() {
		return
	}
	for _, o := range []lab.Options{{Suite: "sid"}, {Suite: "bookworm"}, {Suite: "sid", Autolock: true}} {
		name := o.Suite
		if o.Autolock {
			name += ", auto-locked"
		}
		o.Name, o.Managers, o.Workers = "shp", 3, 2
		t.Run(name, func(t *testing.T) {
			s := newSwarm(t, o)
			t.Run("the fake's contract", func(t *testing.T) { s.fresh(t).keepsTheShapeContract(t) })
			t.Run("a worker becomes a manager and back", func(t *testing.T) { s.fresh(t).changesRoles() })
			t.Run("the leader is given up and joins again", func(t *testing.T) { s.fresh(t).movesTheLeader() })
			t.Run("a run is cut every few seconds", func(t *testing.T) { s.fresh(t).cutWhileReshaped() })
			if !o.Autolock {
				t.Run("settings and auto-lock", func(t *testing.T) { s.fresh(t).setsTheSwarm() })
			}
			t.Run("services are spread again", func(t *testing.T) { s.fresh(t).spreads() })
			t.Run("what would do harm is refused", func(t *testing.T) { s.fresh(t).refusesShapes() })
		})
	}
}

// real are the ports of the swarm's configuration.
func (s *swarm) real() (apply.Ports, *schema.Config) {
	s.t.Helper()
	cfg, ds := schema.Load(s.dir, schema.Options{Environ: os.Environ()})
	if ds.HasErrors() {
		s.t.Fatal(ds)
	}
	pool, err := host.NewPool(observe.Targets(cfg), host.Options{SSHConfig: s.lab.SSHConfig(), Helper: program})
	must(s.t, err)
	s.t.Cleanup(func() { _ = pool.Close() })
	world := effects.New(effectsOf(cfg, pool))
	return apply.Ports{Observer: looking{cfg, pool}, Hosts: world, Archive: world, Recoverer: world, Shaper: world, Clock: passing{}, Sink: s}, cfg
}

// Event logs what happens in a run.
func (s *swarm) Event(e apply.Event) {
	if e.Type != apply.StepProgress {
		s.t.Logf("%s %s %d %s %s %s%s", e.At.Format("15:04:05.0"), e.Type, e.Step, e.Kind, e.Node, e.Text, e.Error)
	}
}

func (s *swarm) keepsTheShapeContract(t *testing.T) {
	ports, cfg := s.real()
	node := "m2"
	if s.leader() == node {
		node = "m3"
	}
	applytest.ShapeContract(t, applytest.Contracted{Ports: ports, Other: ports.Archive, Cluster: cfg.Cluster.Name, Node: node, Repository: "local",
		Worker: "w1", Service: "queue"})
	s.allBack()
}

// shaping is a run of a plan that was made by hand.
func (s *swarm) shaping(steps ...plan.Step) (apply.Ports, apply.Request) {
	s.t.Helper()
	ports, cfg := s.real()
	st, err := ports.Observer.Observe(s.ctx)
	must(s.t, err)
	if st.Swarm == nil {
		s.t.Fatalf("no swarm: %+v", st.SwarmProblem)
	}
	p := &plan.Plan{FormatVersion: 1, Cluster: cfg.Cluster.Name, SwarmID: st.Swarm.ID, Epoch: st.Swarm.Epoch, ConfigSHA256: cfg.SHA256, PlannedAt: time.Now().UTC(), Summary: "by hand",
		Fingerprint: plan.Fingerprint{SwarmID: st.Swarm.ID, Epoch: st.Swarm.Epoch, Autolock: st.Swarm.Autolock}}
	for _, step := range steps {
		step.ID, step.Risk, step.Reason, step.TimeoutSeconds = len(p.Steps)+1, plan.Safe, "by hand", 180
		if h := st.Host(step.Node); h != nil && step.Entry == "" && !slices.Contains([]plan.Kind{plan.Join, plan.UpdateNode, plan.UpdateSwarm, plan.Rebalance}, step.Kind) {
			step.Entry = h.SwarmDir.NodeID
		}
		p.Steps = append(p.Steps, step)
	}
	var sum [32]byte
	_, _ = rand.Read(sum[:])
	return ports, apply.Request{Plan: p, Digest: "sha256:" + hex.EncodeToString(sum[:]), PlanBytes: []byte("by hand"), JournalRoot: s.t.TempDir(),
		NewID: func(now time.Time) string { return repository.NewID(now, rand.Reader) }, ToolVersion: "test", Owner: "test"}
}

func (s *swarm) reshapes(steps ...plan.Step) {
	s.t.Helper()
	ports, q := s.shaping(steps...)
	_, err := apply.Start(s.ctx, ports, q)
	must(s.t, err)
}

// roles are the swarm's nodes by name, with their roles.
func (s *swarm) roles() map[string]string {
	s.t.Helper()
	list := map[string]string{}
	out := s.on(s.leader(), `docker node ls --format '{{.Hostname}} {{.Status}} {{if .ManagerStatus}}manager{{else}}worker{{end}}'`)
	for _, line := range strings.Split(out, "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "Ready" {
			list[f[0]] += f[2]
		} else {
			list[f[0]] += line
		}
	}
	return list
}

func (s *swarm) expectRoles(want map[string]string) {
	s.t.Helper()
	have := s.roles()
	for name, role := range want {
		if have[name] != role {
			s.t.Errorf("%s is %q, want %q", name, have[name], role)
		}
	}
	if len(have) != len(want) {
		s.t.Errorf("the nodes are %v", have)
	}
}

var asMade = map[string]string{"m1": "manager", "m2": "manager", "m3": "manager", "w1": "worker", "w2": "worker"}

func of(k plan.Kind, node string) plan.Step { return plan.Step{Kind: k, Node: node} }

func joins(node, role string) plan.Step {
	return plan.Step{Kind: plan.Join, Node: node, Join: &plan.JoinAs{Role: role}}
}

func (s *swarm) changesRoles() {
	s.reshapes(of(plan.Promote, "w2"))
	s.expectRoles(map[string]string{"m1": "manager", "m2": "manager", "m3": "manager", "w1": "worker", "w2": "manager"})
	s.reshapes(of(plan.Demote, "w2"))
	s.expectRoles(asMade)
}

// again is a node that leaves and joins anew, with its labels.
func again(node string) []plan.Step {
	return []plan.Step{of(plan.Demote, node), of(plan.Leave, node), of(plan.RemoveNode, node), joins(node, "manager"),
		{Kind: plan.UpdateNode, Node: node, Change: &plan.NodeChange{Availability: "drain", Labels: map[string]string{"again": node}}}}
}

func (s *swarm) movesTheLeader() {
	leader := s.leader()
	s.reshapes(again(leader)...)
	s.expectRoles(asMade)
	if label := s.on(s.leader(), `docker node inspect -f '{{index .Spec.Labels "again"}} {{.Spec.Availability}} {{.ManagerStatus.Addr}}' `+leader); !strings.HasPrefix(label, leader+" drain ") {
		s.t.Errorf("%s came back with %q", leader, label)
	}
	s.allBack()
}

// cutWhileReshaped ends a run wherever it is, every few seconds, until it is through.
func (s *swarm) cutWhileReshaped() {
	node := "m2"
	if s.leader() == node {
		node = "m3"
	}
	ports, q := s.shaping(again(node)...)
	for i := 1; ; i++ {
		ctx, cancel := context.WithTimeout(s.ctx, time.Duration(2500+700*i)*time.Millisecond)
		_, err := apply.Start(ctx, ports, q)
		ended := ctx.Err()
		cancel()
		if err == nil {
			s.t.Logf("it was cut %d times", i-1)
			break
		}
		if ended == nil || i > 40 {
			s.t.Fatal(err)
		}
	}
	s.expectRoles(asMade)
	s.allBack()
}

func (s *swarm) setsTheSwarm() {
	on, off, limit := true, false, int64(2)
	file := s.dir + "/key"
	s.reshapes(plan.Step{Kind: plan.UpdateSwarm, Node: "m1", KeyTo: &plan.KeyTo{Command: "cat >" + file},
		Settings: &plan.SwarmChange{Autolock: &on, TaskHistoryLimit: &limit}})
	key, err := os.ReadFile(file)
	must(s.t, err)
	if want := s.on("m1", "docker swarm unlock-key -q"); strings.TrimSpace(string(key)) != want || want == "" {
		s.t.Error("the key that was delivered is not the swarm's")
	}
	if have := s.on("m1", `docker info -f '{{.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers}} {{.Swarm.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit}}'`); !strings.HasPrefix(have, "true ") {
		s.t.Errorf("the swarm is %s", have)
	}
	s.reshapes(plan.Step{Kind: plan.UpdateSwarm, Node: "m1", Settings: &plan.SwarmChange{Autolock: &off}})
	if have := s.on("m1", `docker info -f '{{.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers}}'`); have != "false" {
		s.t.Errorf("auto-lock is %s", have)
	}
}

func (s *swarm) spreads() {
	forced := func() string { return s.on("m1", `docker service inspect -f '{{.Spec.TaskTemplate.ForceUpdate}}' web`) }
	before := forced()
	ports, q := s.shaping(plan.Step{Kind: plan.Rebalance, Node: "m1", Service: "web"}, plan.Step{Kind: plan.Rebalance, Node: "m1", Service: "nosuchservice"})
	_, err := apply.Start(s.ctx, ports, q)
	must(s.t, err)
	after := forced()
	q.JournalRoot = s.t.TempDir() // the journal is lost, and the plan is applied once more
	if _, err := apply.Start(s.ctx, ports, q); err != nil || before == after || forced() != after {
		s.t.Errorf("the count went from %s to %s and to %s, %v", before, after, forced(), err)
	}
}

// refusesShapes: a host that holds another swarm's state is not joined, and of three
// managers, one of which is down, none but that one is demoted.
func (s *swarm) refusesShapes() {
	s.on("w2", "docker swarm leave && docker swarm init --advertise-addr $(hostname -I | cut -d' ' -f1) >/dev/null")
	ports, q := s.shaping(joins("w2", "worker"))
	var stale *apply.StaleError
	if _, err := apply.Start(s.ctx, ports, q); !errors.As(err, &stale) || !strings.Contains(err.Error(), "is in the swarm") {
		s.t.Errorf("a host of another swarm: %v", err)
	}
	s.on("w2", "systemctl stop docker.socket docker; rm /var/lib/docker/swarm/docker-state.json; systemctl start docker")
	s.eventually(time.Minute, "the engine of w2", func() (bool, error) {
		out, err := s.lab.Run(s.ctx, "w2", "docker info -f '{{.Swarm.LocalNodeState}}'")
		return strings.TrimSpace(out) == "inactive", err
	})
	ports, q = s.shaping(joins("w2", "worker"))
	if _, err := apply.Start(s.ctx, ports, q); !errors.As(err, &stale) || !strings.Contains(err.Error(), "holds state of the swarm") {
		s.t.Errorf("a host with another swarm's state: %v", err)
	}
	st, err := ports.Observer.Observe(s.ctx)
	must(s.t, err)
	h := *st.Host("w2")
	h.SwarmDir = state.SwarmDir{}
	leader := st.Host(s.leader())
	shape := apply.Shape{Cluster: q.Plan.Cluster, SwarmID: q.Plan.SwarmID, Node: "w2", Role: "worker", Token: h.RunToken, Host: h,
		Through: []apply.Manager{{Name: leader.Name, NodeID: leader.Engine.NodeID, MachineID: leader.MachineID, Address: leader.Address + ":2377"}}}
	if err := ports.Shaper.JoinNode(s.ctx, shape); err == nil || !strings.Contains(err.Error(), "holds state of a swarm") {
		s.t.Errorf("the port alone: %v", err)
	}
	s.on("w2", "systemctl stop docker.socket docker; rm -r /var/lib/docker/swarm; systemctl reset-failed docker; systemctl start docker")
	var followers []string
	for _, m := range s.members {
		if m != leader.Name {
			followers = append(followers, m)
		}
	}
	s.on(followers[0], "systemctl stop docker.socket docker")
	s.eventually(time.Minute, followers[0]+" to be seen as unreachable", func() (bool, error) {
		list, err := s.managers(leader.Name)
		return list[followers[0]] == "unreachable", err
	})
	ports, q = s.shaping(of(plan.Demote, followers[1]))
	if _, err := apply.Start(s.ctx, ports, q); !errors.As(err, &stale) || !strings.Contains(err.Error(), "would lose the quorum: 1 of the 2 other managers are up") {
		s.t.Errorf("a demotion too many: %v", err)
	}
	s.reshapes(of(plan.Demote, followers[0]), of(plan.RemoveNode, followers[0]))
	if list, err := s.managers(leader.Name); err != nil || len(list) != 2 {
		s.t.Errorf("after the dead manager is removed the managers are %v, %v", list, err)
	}
	s.altered = true
}
