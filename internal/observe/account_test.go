package observe

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

func TestTheLeadersAccountIsPreferred(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	w := healthyWorld(cfg)
	for _, m := range w.machines {
		m.engine.swarm = swarmAs(cfg, "m2")
	}
	w.machines["m3"].engine.swarm.VersionIndex = 999
	if s := observe(t, cfg, w); s.Swarm.SeenFrom != "m2" {
		t.Errorf("seen from %s", s.Swarm.SeenFrom)
	}
}

func TestAFollowersAccountWillDo(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	w := healthyWorld(cfg)
	w.machines["m1"].connect = fails(said(host.ErrUnreachable, diag.HostUnreachable))
	if s := observe(t, cfg, w); s.Swarm == nil || s.Swarm.SeenFrom != "m3" { // the furthest
		t.Errorf("swarm %+v", s.Swarm)
	}
	w.machines["m3"].engine.swarm.VersionIndex = w.machines["m2"].engine.swarm.VersionIndex
	if s := observe(t, cfg, w); s.Swarm.SeenFrom != "m2" { // the first by name
		t.Errorf("seen from %s", s.Swarm.SeenFrom)
	}
	w.machines["m2"].engine.swarmErr = engine.ErrUndecided
	if s := observe(t, cfg, w); s.Swarm.SeenFrom != "m3" {
		t.Errorf("seen from %s", s.Swarm.SeenFrom)
	}
}

// A node that is declared as a worker can be a manager by now.
func TestAManagerThatIsDeclaredAsAWorker(t *testing.T) {
	cfg := declare("w1")
	w := healthyWorld(cfg)
	w.machines["w1"].engine.info.ControlAvailable = true
	if s := observe(t, cfg, w); s.Swarm == nil || s.Swarm.SeenFrom != "w1" {
		t.Errorf("swarm %+v", s.Swarm)
	}
}

// Two cluster IDs stay with their hosts, for the planner to refuse; cluster.id
// says whose account is taken.
func TestTwoClusters(t *testing.T) {
	cfg := declare("m1", "m2")
	w := healthyWorld(cfg)
	other := swarmAs(cfg, "m2")
	other.ID = "c2bbbbbbbbbbbbbbbbbbbbbbb"
	w.machines["m2"].engine.swarm = other
	s := observe(t, cfg, w)
	if s.Host("m1").Engine.ClusterID != clusterID || s.Host("m2").Engine.ClusterID != other.ID {
		t.Errorf("IDs %q, %q", s.Host("m1").Engine.ClusterID, s.Host("m2").Engine.ClusterID)
	}
	w.machines["m1"].engine.info.ClusterID = "said-by-info"
	if id := observe(t, cfg, w).Host("m1").Engine.ClusterID; id != "said-by-info" {
		t.Errorf("the engine's own word was replaced by %q", id)
	}
	for _, id := range []string{clusterID, other.ID} {
		cfg.Cluster.ID = id
		if s := observe(t, cfg, w); s.Swarm == nil || s.Swarm.ID != id {
			t.Errorf("cluster.id %s: swarm %+v", id, s.Swarm)
		}
	}
}

// Whom any manager calls the leader is shown as one: plan tells that the swarm is
// split.
func TestTwoLeaders(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	for name, known := range map[string]bool{"listed": true, "not listed": false} {
		t.Run(name, func(t *testing.T) {
			w := healthyWorld(cfg)
			w.machines["m2"].engine.swarm = swarmAs(cfg, "m2")
			w.machines["m2"].engine.swarm.Epoch = "newer"
			if !known {
				first := &w.machines["m1"].engine.swarm
				first.Nodes = slices.DeleteFunc(first.Nodes, func(n state.SwarmNode) bool { return n.ID == idOf("m2") })
			}
			s := observe(t, cfg, w)
			var lead []string
			for _, n := range s.Swarm.Nodes {
				if n.Leader {
					lead = append(lead, n.ID)
				}
			}
			if s.Swarm.SeenFrom != "m1" || !slices.Equal(lead, []string{"id-m1", "id-m2"}) || len(s.Swarm.Nodes) != 3 {
				t.Errorf("from %s, leaders %v of %d", s.Swarm.SeenFrom, lead, len(s.Swarm.Nodes))
			}
			for host, leader := range map[string]string{"m1": "id-m1", "m2": "id-m2", "m3": "id-m1"} {
				if a := s.Host(host).Account; a == nil || a.Leader != leader || (a.Epoch == "newer") != (host == "m2") {
					t.Errorf("%s says that it follows %+v, want %s", host, a, leader)
				}
			}
			if m := w.machines["m1"].engine.swarm.Nodes; known && m[1].Leader {
				t.Error("a manager's own account was altered")
			}
		})
	}
}

// Two nodes that are one machine by mistake are not two leaders.
func TestOneMachineTwiceIsNotTwoLeaders(t *testing.T) {
	cfg := declare("m1", "m2")
	w := healthyWorld(cfg)
	w.machines["m2"].engine = w.machines["m1"].engine
	leaders := 0
	for _, n := range observe(t, cfg, w).Swarm.Nodes {
		if n.Leader {
			leaders++
		}
	}
	if leaders != 1 {
		t.Errorf("%d leaders", leaders)
	}
}

// A deposed leader still calls itself one, while a follower knows the new one,
// whose host can't be reached.
func TestADeposedLeader(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	w := healthyWorld(cfg)
	w.machines["m2"].engine.swarm = swarmAs(cfg, "m3")
	w.machines["m3"].connect = fails(said(host.ErrUnreachable, diag.HostUnreachable))
	s := observe(t, cfg, w)
	if n := s.Swarm.Nodes; !n[0].Leader || n[1].Leader || !n[2].Leader {
		t.Errorf("%+v", n)
	}
}

func TestUnlockKeyIsAskedAndDropped(t *testing.T) {
	for _, test := range []struct {
		name          string
		autolock      bool
		first, second string
		firstErr      error
		known         bool
		asked         int
	}{
		{"off", false, "SWMKEY-1", "SWMKEY-1", nil, false, 0},
		{"told", true, "SWMKEY-1", "SWMKEY-1", nil, true, 1},
		{"told by another", true, "", "SWMKEY-1", engine.ErrUndecided, true, 2},
		{"empty", true, "", "", nil, false, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := declare("m1", "m2")
			w := healthyWorld(cfg)
			first, second := w.machines["m1"].engine, w.machines["m2"].engine
			first.swarm.Autolock, second.swarm.Autolock = test.autolock, test.autolock
			first.key, second.key, first.keyErr = []byte(test.first), []byte(test.second), test.firstErr
			s := observe(t, cfg, w)
			if s.Swarm.UnlockKeyKnown != test.known || first.keyAsked+second.keyAsked != test.asked {
				t.Errorf("known %v, asked %d+%d times", s.Swarm.UnlockKeyKnown, first.keyAsked, second.keyAsked)
			}
			for _, e := range []*fakeEngine{first, second} {
				if e.keyAsked > 0 && strings.Contains(string(e.key), "SWMKEY") {
					t.Error("the key is still in memory")
				}
			}
		})
	}
}

func TestNoAccountSaysWhyOfEachManager(t *testing.T) {
	cfg := declare("m1", "m2", "m3", "m4", "m5", "m6", "m7", "w1")
	w := healthyWorld(cfg)
	w.machines["m1"].engine.swarmErr = engine.ErrNoLeader
	w.machines["m2"].connect = fails(said(host.ErrUnreachable, diag.HostUnreachable))
	w.machines["m3"].facts.host.Service.ActiveState = "inactive"
	w.machines["m4"].engine.info = state.Engine{LocalNodeState: "locked"}
	w.machines["m5"].engine.info = state.Engine{LocalNodeState: "active"}
	w.machines["m6"].engine.info = state.Engine{LocalNodeState: "pending", SwarmError: "no peers"}
	cfg.Nodes[6].Connection.None = true
	s := observe(t, cfg, w)
	want := "no manager tells the swarm: m1: it says that the swarm has no leader; m2: A summary: what was seen; " +
		"m3: docker.service is inactive; m4: it is locked; m5: it is a worker; m6: its engine is pending: no peers; m7: it has no connection"
	if s.Swarm != nil || s.SwarmProblem == nil || s.SwarmProblem.Text != want || s.SwarmProblem.Code != diag.NotHealthy {
		t.Errorf("problem %+v", s.SwarmProblem)
	}
	if !strings.Contains(s.SwarmProblem.Remedy, "More than half") {
		t.Errorf("remedy %q", s.SwarmProblem.Remedy)
	}
}

func TestNoAccountOtherReasons(t *testing.T) {
	cfg := declare("m1")
	w := healthyWorld(cfg)
	w.machines["m1"].engine.swarmErr = &engine.Error{Call: "inspect swarm", Kind: engine.ErrUndecided, Cause: errors.New("context deadline exceeded")}
	s := observe(t, cfg, w)
	if s.SwarmProblem == nil || !strings.Contains(s.SwarmProblem.Text, "m1: inspect swarm: no answer in time") {
		t.Errorf("%+v", s.SwarmProblem)
	}
	s = observe(t, declare("w1"), healthyWorld(declare("w1")))
	if s.SwarmProblem == nil || !strings.Contains(s.SwarmProblem.Remedy, "role = \"manager\"") {
		t.Errorf("%+v", s.SwarmProblem)
	}
}
