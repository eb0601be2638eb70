package observe

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

func TestReadAHealthySwarm(t *testing.T) {
	cfg := declare("m1", "m2", "w1", "w2")
	cfg.Nodes[3].Connection = schema.Connection{None: true}
	cfg.Nodes[0].Engine = schema.Engine{Service: "dockerd.service", DataRoot: "/srv"}
	cfg.Repositories = []schema.Repository{{Name: "offsite", URL: "file:///b"}}
	w := healthyWorld(cfg)
	s := observe(t, cfg, w)

	if !s.ObservedAt.Equal(observedAt) || s.Cluster != "prod" || len(s.Hosts) != 4 {
		t.Fatalf("state %+v", s)
	}
	want := state.Host{
		Name: "m2", Address: "10.0.0.2", Target: "root@m2", Looked: state.Present, HostKey: "SHA256:m2",
		MachineID: "machine-m2", Hostname: "m2", System: "linux/amd64",
		Service: state.Service{Unit: "docker.service", Socket: "docker.socket", ActiveState: "active"},
		Engine: state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "active",
			ControlAvailable: true, NodeID: "id-m2", NodeAddr: "10.0.0.2", ClusterID: clusterID},
		SwarmDir: state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", HasKey: true, HasRootCA: true, HasRaft: true,
			ClusterID: clusterID, Role: "manager", NodeID: "id-m2", CertificateExpiry: observedAt.Add(time.Hour),
			CertificateSHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("id-m2")))},
	}
	if d := cmp.Diff(want, *s.Host("m2")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(state.Host{Name: "w2", Address: "10.0.0.2", Target: "none"}, *s.Host("w2")); d != "" {
		t.Errorf("a node without a connection: %s", d)
	}
	if s.Swarm == nil || s.Swarm.SeenFrom != "m1" || s.SwarmProblem != nil || s.Swarm.UnlockKeyKnown {
		t.Errorf("swarm %+v, %+v", s.Swarm, s.SwarmProblem)
	}
	if d := cmp.Diff([]probe{{service: "dockerd.service", dataRoot: "/srv", cluster: "prod"}}, w.machines["m1"].probes, cmp.AllowUnexported(probe{})); d != "" {
		t.Error(d)
	}
	if n := len(w.machines["m2"].probes); n != 1 {
		t.Errorf("%d remote commands on a host that is as declared", n)
	}
	if d := w.machines["m2"].dials; len(d) == 0 || d[0] != DefaultSocket {
		t.Errorf("dialled %v", d)
	}
	for name, m := range w.machines {
		if name != "w2" && m.engine.closed != 1 {
			t.Errorf("%s: the engine's client was closed %d times", name, m.engine.closed)
		}
	}
	if len(w.machines["w2"].probes) != 0 {
		t.Error("a node without a connection was looked at")
	}
}

// One dead host among many costs its own row its time-out; the others, and the
// swarm's account, are there at once.
func TestADeadHostDelaysNothing(t *testing.T) {
	for name, test := range map[string]struct {
		kind   func(*testing.T, *fakeMachine)
		looked state.Presence
		code   string
		text   string
	}{
		"no connection": {func(_ *testing.T, m *fakeMachine) { m.connect = hangs },
			state.Absent, codeUnreachable, "root@m2: no answer within 15s"},
		"deaf to its end": {func(t *testing.T, m *fakeMachine) { m.connect = deaf(t) },
			state.Absent, codeUnreachable, "root@m2: no answer within 15s"},
		"hangs in the look": {func(_ *testing.T, m *fakeMachine) {
			m.probe = func(ctx context.Context, _ probe) (facts, error) { return facts{}, hangs(ctx) }
		}, state.Present, codeDisk, "root@m2: it let us in, but the look at it did not get done: no answer within 15s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := []string{"m1", "m2", "m3"}
				for i := range 40 {
					names = append(names, fmt.Sprintf("w%d", i))
				}
				cfg := declare(names...)
				w := healthyWorld(cfg)
				test.kind(t, w.machines["m2"])
				start := time.Now()
				s := observe(t, cfg, w)
				if d := time.Since(start); d != DefaultHostTimeout {
					t.Errorf("took %v", d)
				}
				for _, h := range s.Hosts {
					if h.Name != "m2" && (h.Looked != state.Present || h.Problem != nil) {
						t.Errorf("%s: looked %q, %+v", h.Name, h.Looked, h.Problem)
					}
				}
				if at := w.machines["m1"].engine.swarmedAt; !at.Equal(start) {
					t.Errorf("the swarm's account waited %v", at.Sub(start))
				}
				h := s.Host("m2")
				if h.Looked != test.looked || h.SwarmDir.Presence != state.Unknown || h.Engine.Answered != state.Unknown {
					t.Errorf("m2: %+v", h)
				}
				if p := h.Problem; p == nil || p.Code != test.code || p.Text != test.text || p.Remedy == "" {
					t.Errorf("problem %+v", p)
				}
			})
		})
	}
}

// An engine that hangs costs no more than the host's time-out, and the disk is
// known all the same.
func TestAnEngineHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare("m1", "m2")
		w := healthyWorld(cfg)
		w.machines["m2"].engine.onInfo = deaf(t)
		start := time.Now()
		s := observe(t, cfg, w)
		if d := time.Since(start); d != DefaultHostTimeout {
			t.Errorf("took %v", d)
		}
		h := s.Host("m2")
		if h.Looked != state.Present || !h.SwarmDir.Complete() || h.Problem != nil {
			t.Errorf("host %+v", h)
		}
		if h.Engine.Answered != state.Absent || h.Engine.Problem == nil || h.Engine.Problem.Code != codeEngine {
			t.Errorf("engine %+v", h.Engine)
		}
	})
}

// A manager without a quorum holds its callers: the others' account is taken,
// after the time-out of the swarm's account.
func TestAManagerHoldsItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare("m1", "m2", "m3")
		w := healthyWorld(cfg)
		w.machines["m2"].engine.onSwarm = deaf(t)
		start := time.Now()
		s := observe(t, cfg, w)
		if d := time.Since(start); d != DefaultSwarmTimeout {
			t.Errorf("took %v", d)
		}
		if s.Swarm == nil || s.Swarm.SeenFrom != "m1" {
			t.Errorf("swarm %+v", s.Swarm)
		}
	})
}

// Workers share slots; managers never wait for them.
func TestManagersDoNotWaitForWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare("w1", "w2", "w3", "m1")
		w := healthyWorld(cfg)
		for _, name := range []string{"w1", "w2", "w3"} {
			w.machines[name].connect = hangs
		}
		start := time.Now()
		if _, err := read(t.Context(), cfg, w.ports(), Options{Parallel: 1}); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 3*DefaultHostTimeout {
			t.Errorf("took %v", d)
		}
		if at := w.machines["m1"].engine.swarmedAt; !at.Equal(start) {
			t.Errorf("the manager waited %v", at.Sub(start))
		}
	})
}

func TestCancelledBeforehand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare("m1", "w1", "w2")
		cfg.Repositories = []schema.Repository{{Name: "r", URL: "file:///b"}}
		w := healthyWorld(cfg)
		for _, m := range w.machines {
			m.connect = hangs
		}
		w.repositories["r"].list = deaf(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		cancel(why)
		start := time.Now()
		s, err := read(ctx, cfg, w.ports(), Options{Parallel: 1})
		if !errors.Is(err, why) || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		for _, h := range s.Hosts {
			if h.Looked != state.Unknown || h.Problem != nil || h.Engine.Answered != state.Unknown || h.SwarmDir.Presence != state.Unknown {
				t.Errorf("%+v", h)
			}
		}
		if r := s.Repositories[0]; r.Looked != state.Unknown || r.Problem != nil || r.Backups == nil {
			t.Errorf("%+v", r)
		}
		if s.Swarm != nil || s.SwarmProblem == nil {
			t.Errorf("swarm %+v, %+v", s.Swarm, s.SwarmProblem)
		}
	})
}

// What was known when the look was cut is kept, the rest is unknown; nothing
// becomes absent by it.
func TestCancelledInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare("m1", "m2", "m3")
		w := healthyWorld(cfg)
		w.machines["m2"].connect = deaf(t)
		w.machines["m3"].engine.onInfo = hangs
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		s, err := read(ctx, cfg, w.ports(), Options{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if h := s.Host("m1"); h.Looked != state.Present || h.Engine.Answered != state.Present {
			t.Errorf("m1 %+v", h)
		}
		if h := s.Host("m2"); h.Looked != state.Unknown || h.Problem != nil {
			t.Errorf("m2 %+v", h)
		}
		if h := s.Host("m3"); !h.SwarmDir.Complete() || h.Engine.Answered != state.Unknown || h.Engine.Problem != nil {
			t.Errorf("m3 %+v", h)
		}
		if s.Swarm == nil {
			t.Error("the account that was there was dropped")
		}
	})
}

// Equal worlds give equal states, whoever answers first.
func TestStatesAreStable(t *testing.T) {
	var want string
	for turn := range 6 {
		synctest.Test(t, func(t *testing.T) {
			cfg := declare("w3", "m2", "m3", "w1", "m1") // out of order
			cfg.Repositories = []schema.Repository{{Name: "b", URL: "file:///b"}, {Name: "a", URL: "file:///a"}}
			w := healthyWorld(cfg)
			for i, n := range cfg.Nodes {
				delay := time.Duration((i*7+turn*3)%5) * time.Second
				m := w.machines[n.Name]
				m.engine.swarm.VersionIndex = 100
				m.engine.swarm.Nodes[0].Leader, m.engine.swarm.Nodes[1].Leader = false, false
				m.facts.host.Runs = []state.HostRun{{ID: "20250102T000000Z-aaaaaa"}, {ID: "20250101T000000Z-ffffff"}}
				m.connect = func(context.Context) error { <-time.After(delay); return nil }
			}
			text, err := json.Marshal(observe(t, cfg, w))
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				want = string(text)
			}
			if d := cmp.Diff(want, string(text)); d != "" {
				t.Errorf("turn %d: %s", turn, d)
			}
		})
	}
}

func TestListsAreNeverNull(t *testing.T) {
	text, err := json.Marshal(observe(t, &schema.Config{}, &world{}))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got["hosts"] == nil || got["repositories"] == nil {
		t.Errorf("%s", text)
	}
}

// The addresses of docker-state.json come through a whole look.
func TestReadTellsTheAddressesOfTheStateFile(t *testing.T) {
	cfg := declare("m1")
	w := healthyWorld(cfg)
	w.machines["m1"].facts.stateFile = []byte(`{"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.0.0.1:2377"}`)
	d := observe(t, cfg, w).Host("m1").SwarmDir
	if d.ListenAddr != "0.0.0.0:2377" || d.AdvertiseAddr != "10.0.0.1:2377" || d.DataPathAddr != "" {
		t.Errorf("%+v", d)
	}
}

// An engine that answers nobody beside a manager that is out of the swarm has lost
// its quorum: nobody waits for it, since its disk tells more.
func TestASilentEngineOfALostQuorumIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare("m1", "m2")
		w := healthyWorld(cfg)
		w.machines["m1"].engine.onInfo = deaf(t)
		w.machines["m2"].engine.info = state.Engine{LocalNodeState: "inactive"}
		start := time.Now()
		s := observe(t, cfg, w)
		if d := time.Since(start); d != DefaultSilentTimeout {
			t.Errorf("took %v", d)
		}
		if s.Swarm != nil || s.Host("m1").Engine.Answered != state.Absent || s.Host("m2").Engine.Answered != state.Present {
			t.Errorf("swarm %+v, hosts %+v", s.Swarm, s.Hosts)
		}
	})
}
