package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// seenAs lets every look show something else than there is.
type seenAs struct {
	apply.Observer
	edit func(*state.State)
}

func (s seenAs) Observe(ctx context.Context) (*state.State, error) {
	st, err := s.Observer.Observe(ctx)
	if err == nil {
		s.edit(st)
	}
	return st, err
}

// effects are the calls that change something.
var shapeEffects = []string{"JoinNode", "SetRole", "LeaveSwarm", "RemoveNode", "ChangeNode", "ChangeSwarm", "DeliverKey", "ForceService", "StartEngine", "Unlock"}

// onHost lets a look show a host otherwise.
func onHost(name string, edit func(*state.Host)) func(*state.State) {
	return func(st *state.State) { edit(st.Host(name)) }
}

// afterwards is an edit of every look but the first.
func afterwards(edit func(*state.State)) func(*state.State) {
	looks := 0
	return func(st *state.State) {
		if looks++; looks > 1 {
			edit(st)
		}
	}
}

// shapeRefusals are steps that would do harm: why, by what there is or is seen.
var shapeRefusals = map[string]struct {
	step plan.Step
	make func(*applytest.World)
	edit func(*state.State)
	says string
}{
	"a demotion too many": {on(plan.Demote, "m2", "node2"), func(w *applytest.World) { w.Crash("m3") }, nil, "would lose the quorum: 1 of the 2 other managers are up, and they need 2"},
	"a demotion under way": {on(plan.Demote, "m2", "node2"), nil, func(st *state.State) {
		st.Swarm.Nodes[1].Leader, st.Swarm.Nodes[1].Reachability, st.Swarm.Nodes[3].Role = false, "unreachable", "worker"
		st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: "node4", Role: "manager", Status: "ready", Reachability: "reachable"})
	}, "would lose the quorum: 1 of the 2 other managers are up"},
	"a manager that leaves":   {on(plan.Leave, "m2", "node2"), nil, nil, "m2 is a manager: it has to be demoted"},
	"a manager by its engine": {on(plan.Leave, "w1", "id-w1"), nil, onHost("w1", func(h *state.Host) { h.Engine.ControlAvailable = true }), "w1 is a manager"},
	"another node":            {on(plan.Leave, "w1", "id-w1"), nil, onHost("w1", func(h *state.Host) { h.Engine.NodeID = "other" }), "w1 is the node other now; it was id-w1"},
	"a manager's entry":       {on(plan.RemoveNode, "", "node3"), nil, nil, "m3 (node3) is a manager"},
	"a node that takes part":  {on(plan.RemoveNode, "w1", "id-w1"), nil, nil, "w1 takes part in the swarm"},
	"a worker that is down":   {on(plan.Promote, "w1", "id-w1"), func(w *applytest.World) { w.Crash("w1") }, nil, "w1 is down and not ready"},
	"no such node":            {on(plan.Promote, "w1", "elsewhere"), nil, nil, "no node elsewhere"},
	"state on the disk": {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) {
		h.SwarmDir = state.SwarmDir{Presence: state.Present, Path: "/d/swarm", NodeID: "x", ClusterID: "other"}
	}), "/d/swarm on w2 holds state of the swarm other"},
	"a part of it":              {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.SwarmDir = state.SwarmDir{Presence: state.Present, HasKey: true} }), "holds state of a swarm"},
	"a disk that can't be read": {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.SwarmDir = state.SwarmDir{} }), "could not be read"},
	"another swarm":             {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.Engine.LocalNodeState, h.SwarmDir.ClusterID = "active", "other" }), "w2 is in the swarm other"},
	"another role":              {join("w1", "manager"), nil, nil, "w1 is in the swarm already, as a worker"},
	"an engine that is down":    {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.Engine = state.Engine{Answered: state.Absent} }), "engine of w2 does not answer"},
	"an engine in error":        {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.Engine.LocalNodeState = "error" }), `says "error"`},
	"live-restore":              {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.Engine.LiveRestore = true }), "live-restore"},
	"a clock":                   {join("w2", "worker"), nil, onHost("w2", func(h *state.Host) { h.ClockSkew = -6 * time.Minute }), "clock of w2 differs by -6m0s"},
	"two clocks": {join("w2", "worker"), nil, func(st *state.State) {
		st.Host("w2").ClockSkew = 3 * time.Minute
		st.Host("m1").ClockSkew = -3 * time.Minute
	}, "w2 and the manager m1 differ by 6m0s"},
	"another machine":         {join("w2", "worker"), nil, afterwards(onHost("w2", func(h *state.Host) { h.MachineID = "swapped" })), "w2 is the machine swapped"},
	"a start of another node": {back(plan.Start, "m3", "node3"), stops("m3"), onHost("m3", func(h *state.Host) { h.SwarmDir.NodeID = "other" }), `m3 is the node "other"`},
	"a start of a held engine": {back(plan.Start, "m3", "node3"), stops("m3"), onHost("m3", func(h *state.Host) {
		h.Recoveries = []state.HostRecovery{{ID: "r", Cluster: applytest.ClusterName, Held: true}}
	}), "A recovery holds the engine of m3"},
	"a start of a demoted manager":   {back(plan.Start, "m3", "node3"), stops("m3"), func(st *state.State) { st.Swarm.Nodes[3].Reachability, st.Swarm.Nodes[3].Role = "", "worker" }, "m3 holds a manager's state"},
	"a start of a node that is gone": {back(plan.Start, "m3", "node3"), stops("m3"), func(st *state.State) { st.Swarm.Nodes = st.Swarm.Nodes[:3] }, "The swarm has no node node3 any more"},
	"another epoch":                  {on(plan.Promote, "w1", "id-w1"), nil, func(st *state.State) { st.Swarm.Epoch = "newer" }, "it was recovered meanwhile"},
}

// stops stops an engine behind the run's back.
func stops(name string) func(*applytest.World) {
	return func(w *applytest.World) { w.SetEngine(name, false) }
}

func threeAndAWorker() *applytest.World {
	w := applytest.New(3)
	w.AddWorker("w1")
	w.AddHost("w2")
	return w
}

// TestShapeGuards refuse what would do harm, on a look of their own, with nothing
// changed and nothing left to finish.
func TestShapeGuards(t *testing.T) {
	for name, c := range shapeRefusals {
		t.Run(name, func(t *testing.T) {
			w := threeAndAWorker()
			p := shapePlan(w, []plan.Step{c.step})
			if h := w.State().Host(c.step.Node); h != nil && name == "another machine" {
				p.Fingerprint.Hosts = []plan.HostPrint{{Name: h.Name, MachineID: h.MachineID, HostKey: h.HostKey}}
			}
			if c.make != nil {
				c.make(w)
			}
			w.Hook = func(call applytest.Call) error {
				if slices.Contains(shapeEffects, call.Port) {
					t.Errorf("%s is called", call.Port)
				}
				return nil
			}
			ports := w.Process().Ports()
			if c.edit != nil {
				ports.Observer = seenAs{ports.Observer, c.edit}
			}
			q := request(p, t.TempDir())
			_, err := apply.Start(t.Context(), ports, q)
			var stale *apply.StaleError
			if !errors.As(err, &stale) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
				t.Errorf("left to finish: %v", open)
			}
			for _, wrong := range w.Violations() {
				t.Error(wrong)
			}
		})
	}
}

// TestLastManagerIsNotDemoted, whatever the plan says.
func TestLastManagerIsNotDemoted(t *testing.T) {
	w := applytest.New(1)
	_, err, _ := start(w.Process(), request(shapePlan(w, []plan.Step{on(plan.Demote, "m1", "node1")}), t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), "would lose the quorum: 0 of the 0 other managers") {
		t.Error(err)
	}
}

// TestShapeStepsSayWhatTheyDo or the plan is not run.
func TestShapeStepsSayWhatTheyDo(t *testing.T) {
	w := applytest.New(3)
	for _, s := range []plan.Step{{Kind: plan.Join, Node: "m2"}, {Kind: plan.Join, Join: &plan.JoinAs{Role: "manager"}}, {Kind: plan.Join, Node: "m2", Join: &plan.JoinAs{Role: "manager", Keep: true}},
		{Kind: plan.Promote, Node: "m2"}, {Kind: plan.Demote}, {Kind: plan.Leave, Entry: "node2"}, {Kind: plan.RemoveNode, Node: "m2"},
		{Kind: plan.UpdateNode, Node: "m2"}, {Kind: plan.UpdateSwarm, Node: "m1"}, {Kind: plan.Rebalance, Node: "m1"}} {
		_, err, _ := start(w.Process(), request(shapePlan(w, []plan.Step{s}), t.TempDir()))
		if err == nil || !strings.Contains(err.Error(), "step 1 ("+string(s.Kind)) || w.Calls() != 0 {
			t.Errorf("%s: %v, calls %d", s.Kind, err, w.Calls())
		}
	}
	ports := w.Process().Ports()
	ports.Shaper = nil
	if _, err := apply.Start(t.Context(), ports, request(shapePlan(w, []plan.Step{on(plan.Demote, "m2", "node2")}), t.TempDir())); err == nil || !strings.Contains(err.Error(), "shape") {
		t.Errorf("without ports: %v", err)
	}
}

// mended is a change that fails for a reason, and goes on once that is mended.
func TestShapeFailuresAreGoneOnWith(t *testing.T) {
	for name, c := range map[string]struct {
		step   plan.Step
		broken func(*applytest.World)
		mend   func(*applytest.World)
		says   []string
	}{
		"a join that the engine gives up": {join("w2", "worker"), func(w *applytest.World) { w.Faults.JoinFails = "remote CA does not match" }, func(w *applytest.World) { w.Faults.JoinFails = "" },
			[]string{"w2 did not get into the swarm", "remote CA does not match", "requeen apply"}},
		"no way to a manager": {join("w2", "worker"), func(w *applytest.World) { w.Faults.Walled = map[string]bool{"w2": true} }, func(w *applytest.World) { w.Faults.Walled = nil },
			[]string{"Joining the swarm failed on w2", "no manager can be connected to"}},
		"an update that is paused": {plan.Step{Kind: plan.Rebalance, Node: "m1", Service: "web"}, func(w *applytest.World) { w.Faults.UpdateStops = "paused" }, func(w *applytest.World) { w.MendService("web") },
			[]string{"update of web is paused: a task did not start", "docker service ps web"}},
		"a key that can't be delivered": {plan.Step{Kind: plan.UpdateSwarm, Node: "m1", KeyTo: &plan.KeyTo{Command: "keep"}, Settings: &plan.SwarmChange{Autolock: yes()}},
			func(w *applytest.World) { w.Faults.Undelivered = true }, func(w *applytest.World) { w.Faults.Undelivered = false }, []string{diag.KeyNotDelivered, "can't be written"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := applytest.New(3)
			w.AddHost("w2")
			w.AddService("web")
			c.broken(w)
			q := request(shapePlan(w, []plan.Step{c.step}), t.TempDir())
			_, err, _ := start(w.Process(), q)
			var run *apply.RunError
			if !errors.As(err, &run) {
				t.Fatal(err)
			}
			for _, says := range c.says {
				if text := run.Diag.Code + " " + err.Error(); !strings.Contains(text, says) {
					t.Errorf("it does not say %q: %s", says, text)
				}
			}
			c.mend(w)
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("mended: %v", err)
			}
			for _, wrong := range w.Violations() {
				t.Error(wrong)
			}
			if made, delivered := w.Keys(); made != delivered || len(w.Forced("web")) > 1 {
				t.Errorf("keys %d and %d, updates with force %v", made, delivered, w.Forced("web"))
			}
		})
	}
}

// TestShapeLockLostAnywhere takes the lock away at every point there is: nothing is
// changed any more, and the next apply goes on.
func TestShapeLockLostAnywhere(t *testing.T) {
	for _, r := range reshapings[:3] {
		lost := 0
		for at := 1; ; at++ {
			w := r.make()
			p := w.Process()
			gone := false
			when := &points{at: at, do: func() error { p.LoseLocks(); gone = p.Locks() > 0; return nil }}
			q := when.attach(w, request(shapePlan(w, r.steps), t.TempDir()))
			inner := w.Hook
			var after []string
			w.Hook = func(c applytest.Call) error {
				if gone && c.Stage == applytest.Before && slices.Contains(shapeEffects, c.Port) {
					after = append(after, c.Port)
				}
				return inner(c)
			}
			_, err, _ := start(p, q)
			if when.n < at {
				break
			}
			where := fmt.Sprintf("%s, lost at %d (%s)", r.name, at, when.where)
			if err == nil {
				continue
			}
			var told *apply.LockLostError
			if lost++; !errors.As(err, &told) || len(after) > 0 {
				t.Errorf("%s: %v, afterwards %v", where, err, after)
			}
			p.Kill()
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("%s: apply again: %v", where, err)
			}
			for _, wrong := range r.reshaped(w) {
				t.Errorf("%s: apply again: %s", where, wrong)
			}
		}
		if lost < 10 {
			t.Errorf("%s: lost only %d times", r.name, lost)
		}
	}
}

// TestShapeTakesEveryLock: no step says a repository, and another run may use any.
func TestShapeTakesEveryLock(t *testing.T) {
	w := applytest.New(3)
	w.AddRepository("second")
	p := w.Process()
	steps := []plan.Step{on(plan.Demote, "m3", "node3")}
	if _, err, _ := start(p, request(shapePlan(w, steps), t.TempDir())); err != nil || p.Locks() < 2 {
		t.Errorf("locks %d, %v", p.Locks(), err)
	}

	w = applytest.New(3)
	_, err := w.Process().Ports().Archive.Lock(t.Context(), "offsite", "sha256:another", 0)
	if err != nil {
		t.Fatal(err)
	}
	var held *apply.HeldError
	if _, err, _ := start(w.Process(), request(shapePlan(w, steps), t.TempDir())); !errors.As(err, &held) || shape(w) != "m1 m2 m3 |  | " {
		t.Errorf("with another's lock: %v, %s", err, shape(w))
	}
	q := request(shapePlan(w, steps), t.TempDir())
	q.NoLock = true
	var needed *apply.LockNeededError
	if _, err, _ := start(w.Process(), q); !errors.As(err, &needed) || !strings.Contains(err.Error(), "demote m3") || shape(w) != "m1 m2 m3 |  | " {
		t.Errorf("without the lock: %v, %s", err, shape(w))
	}

	w = applytest.New(3)
	w.DropRepository("offsite")
	p = w.Process()
	if _, err, _ := start(p, request(shapePlan(w, steps), t.TempDir())); err != nil || !strings.Contains(texts(p, apply.Note), "no repository is declared") {
		t.Errorf("without a repository: %v, %s", err, texts(p, apply.Note))
	}
}

// TestShapeOfAnotherConfiguration: a cut run is not gone on with towards a shape that
// is declared no more, and its journal is closed.
func TestShapeOfAnotherConfiguration(t *testing.T) {
	w := applytest.New(3)
	cut := &points{at: 30, do: func() error { panic(kill{}) }}
	q := cut.attach(w, request(shapePlan(w, reshapings[2].steps), t.TempDir()))
	if _, _, killed := start(w.Process(), q); !killed {
		t.Fatal("it was not cut")
	}
	q.ConfigSHA256 = "another"
	_, _, err := resume(t, w, q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || !stale.Closed || !strings.Contains(err.Error(), "configuration was changed") {
		t.Error(err)
	}
	if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
		t.Errorf("left to finish: %v", open)
	}
}

// TestShapeGoesOnWithAnotherLeader: the manager that leads is lost right before it is
// told, and another takes the change.
func TestShapeGoesOnWithAnotherLeader(t *testing.T) {
	w := applytest.New(5)
	w.AddWorker("w1")
	w.Hook = func(c applytest.Call) error {
		if c.Port == "SetRole" && c.Stage == applytest.Before {
			w.Crash("m1")
			w.Crash("m2")
		}
		return nil
	}
	if _, err, _ := start(w.Process(), request(shapePlan(w, []plan.Step{on(plan.Promote, "w1", "id-w1")}), t.TempDir())); err != nil || shape(w) != "w1 m3 m4 m5 |  | m1 m2" {
		t.Errorf("%v, %s", err, shape(w))
	}
}

// TestShapeLooksAtTheLockItself right before an effect: a machine that slept learns
// of its loss only so (safety rule 20).
func TestShapeLooksAtTheLockItself(t *testing.T) {
	for _, r := range reshapings {
		w := r.make()
		w.Hook = func(c applytest.Call) error {
			if c.Port == "Check" {
				return errors.New("another holds it")
			}
			if slices.Contains(shapeEffects, c.Port) {
				t.Errorf("%s: %s is called", r.name, c.Port)
			}
			return nil
		}
		_, err, _ := start(w.Process(), request(shapePlan(w, r.steps), t.TempDir()))
		var lost *apply.LockLostError
		if !errors.As(err, &lost) {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}
