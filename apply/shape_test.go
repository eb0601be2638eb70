package apply_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/plan"
)

// reshaping is a plan that changes a swarm's shape, by what it is for.
type reshaping struct {
	name  string
	make  func() *applytest.World
	steps []plan.Step
	// ends tells what is not as it must be at the end.
	ends func(w *applytest.World) []string
}

// shape is how the swarm looks: managers, then workers, then entries that are down.
func shape(w *applytest.World) string {
	var managers, workers, down []string
	st := w.State()
	if st.Swarm == nil {
		return "no swarm"
	}
	for _, n := range st.Swarm.Nodes {
		switch {
		case n.Reachability == "reachable":
			managers = append(managers, n.Hostname)
		case n.Status == "ready":
			workers = append(workers, n.Hostname)
		default:
			down = append(down, n.Hostname)
		}
	}
	return strings.Join(managers, " ") + " | " + strings.Join(workers, " ") + " | " + strings.Join(down, " ")
}

func looks(want string) func(*applytest.World) []string {
	return func(w *applytest.World) []string {
		if have := shape(w); have != want {
			return []string{"the swarm is " + have + ", want " + want}
		}
		return nil
	}
}

func join(node, role string) plan.Step {
	return plan.Step{Kind: plan.Join, Node: node, Join: &plan.JoinAs{Role: role}}
}

func on(k plan.Kind, node, entry string) plan.Step {
	return plan.Step{Kind: k, Node: node, Entry: entry}
}

func back(k plan.Kind, node, id string) plan.Step {
	return plan.Step{Kind: k, Node: node, NodeID: id}
}

func yes() *bool { v := true; return &v }

var reshapings = []reshaping{
	{"grow", func() *applytest.World {
		w := applytest.New(1)
		w.AddHost("m2")
		w.AddHost("m3")
		w.AddHost("w1")
		return w
	}, []plan.Step{join("m2", "manager"), join("m3", "manager"), join("w1", "worker"),
		{Kind: plan.UpdateNode, Node: "m3", Change: &plan.NodeChange{Availability: "drain", Labels: map[string]string{"zone": "b"}}}},
		func(w *applytest.World) []string {
			wrong := looks("m2 m3 m1 | w1 | ")(w)
			for _, n := range w.State().Swarm.Nodes {
				if n.Hostname == "m3" && (n.Availability != "drain" || n.Labels["zone"] != "b") {
					wrong = append(wrong, fmt.Sprintf("m3 is %s with %v", n.Availability, n.Labels))
				}
			}
			return wrong
		}},
	{"roles", func() *applytest.World {
		w := applytest.New(3)
		w.AddWorker("w1")
		return w
	}, []plan.Step{on(plan.Promote, "w1", "id-w1"), on(plan.Demote, "m3", "node3"), on(plan.Demote, "m1", "node1")}, looks("w1 m2 | m1 m3 | ")},
	{"shrink", func() *applytest.World { return applytest.New(3) },
		[]plan.Step{on(plan.Demote, "m3", "node3"), on(plan.Leave, "m3", "node3"), on(plan.RemoveNode, "m3", "node3"),
			on(plan.Demote, "m2", "node2"), on(plan.Leave, "m2", "node2"), on(plan.RemoveNode, "", "node2")}, looks("m1 |  | ")},
	{"readdress the leader", func() *applytest.World { return applytest.New(3) },
		[]plan.Step{on(plan.Demote, "m1", "node1"), on(plan.Leave, "m1", "node1"), on(plan.RemoveNode, "m1", "node1"), join("m1", "manager"),
			{Kind: plan.UpdateNode, Node: "m1", Change: &plan.NodeChange{Labels: map[string]string{"zone": "a"}}}}, looks("m1 m2 m3 |  | ")},
	{"dead", func() *applytest.World {
		w := applytest.New(3)
		w.AddWorker("w1")
		w.Crash("m3")
		w.Crash("w1")
		return w
	}, []plan.Step{on(plan.Demote, "m3", "node3"), on(plan.RemoveNode, "m3", "node3"), on(plan.RemoveNode, "w1", "id-w1")}, looks("m1 m2 |  | ")},
	{"settings", func() *applytest.World { return applytest.New(3) }, []plan.Step{{Kind: plan.UpdateSwarm, Node: "m1",
		KeyTo:    &plan.KeyTo{Command: "keep"},
		Settings: &plan.SwarmChange{Autolock: yes(), TaskHistoryLimit: ptr(int64(3)), CertExpiry: ptr(30 * 24 * time.Hour)}}},
		func(w *applytest.World) []string {
			made, delivered := w.Keys()
			if v := w.Settings(); !w.Autolock || !w.Sealed() || v.TaskHistoryLimit != 3 || v.CertExpiry != 30*24*time.Hour || made != 1 || delivered != 1 {
				return []string{fmt.Sprintf("autolock %v, %+v, keys %d and %d", w.Autolock, v, made, delivered)}
			}
			return nil
		}},
	{"prune", func() *applytest.World {
		w := applytest.New(3)
		w.AddWorker("w1")
		w.SetTasks("w1", 2)
		return w
	}, []plan.Step{{Kind: plan.UpdateNode, Entry: "id-w1", Change: &plan.NodeChange{Availability: "drain"}}, on(plan.RemoveNode, "", "id-w1")}, looks("m1 m2 m3 |  | ")},
	{"come back", func() *applytest.World {
		w := applytest.New(5)
		w.AddWorker("w1")
		w.SetEngine("w1", false)
		w.SetEngine("m5", false)
		w.Forgets("m4")
		return w
	}, []plan.Step{back(plan.Start, "m4", "node4"), back(plan.Start, "m5", "node5"), back(plan.Start, "w1", "id-w1")}, looks("m1 m2 m3 m4 m5 | w1 | ")},
	{"come back, auto-locked", func() *applytest.World {
		w := applytest.New(3)
		w.Autolock = true
		w.AddWorker("w1")
		w.SetEngine("m3", false)
		w.SetEngine("w1", false)
		return w
	}, []plan.Step{back(plan.Start, "m3", "node3"), back(plan.Unlock, "m3", "node3"), back(plan.Start, "w1", "id-w1")}, looks("m1 m2 m3 | w1 | ")},
	{"spread", func() *applytest.World {
		w := applytest.New(3)
		w.AddWorker("w1")
		w.SetTasks("w1", 2)
		w.AddService("web")
		w.AddService("db")
		return w
	}, []plan.Step{{Kind: plan.UpdateNode, Node: "w1", Entry: "id-w1", Change: &plan.NodeChange{Availability: "drain"}},
		{Kind: plan.Rebalance, Node: "m1", Service: "web"}, {Kind: plan.Rebalance, Node: "m1", Service: "db"}},
		func(w *applytest.World) []string {
			if web, db := w.Forced("web"), w.Forced("db"); len(web) != 1 || len(db) != 1 || web[0] == db[0] {
				return []string{fmt.Sprintf("updated with force: %v, %v", web, db)}
			}
			return nil
		}},
}

func ptr[T any](v T) *T { return &v }

// shapePlan is the plan of the steps. It binds no host and no voter: that is the
// planner's, and what apply relies on here is its own.
func shapePlan(w *applytest.World, steps []plan.Step) *plan.Plan {
	p := &plan.Plan{FormatVersion: 1, Cluster: applytest.ClusterName, SwarmID: applytest.SwarmID, PlannedAt: w.Clock.Now(),
		Summary: "the shape", Fingerprint: plan.Fingerprint{SwarmID: applytest.SwarmID, Autolock: w.Autolock}}
	for _, s := range steps {
		s.ID, s.Risk, s.Reason, s.TimeoutSeconds = len(p.Steps)+1, plan.Safe, "because", 60
		p.Steps = append(p.Steps, s)
	}
	return p
}

// reshaped tells what is not as it must be at the end.
func (r reshaping) reshaped(w *applytest.World) []string { return append(w.End(0), r.ends(w)...) }

func TestReshaping(t *testing.T) {
	for _, r := range reshapings {
		t.Run(r.name, func(t *testing.T) {
			w := r.make()
			p := w.Process()
			q := request(shapePlan(w, r.steps), t.TempDir())
			res, err, _ := start(p, q)
			if err != nil || len(res.Skipped) > 0 {
				t.Fatalf("%v, skipped %v\n%s", err, res.Skipped, texts(p, apply.Note))
			}
			for _, wrong := range r.reshaped(w) {
				t.Error(wrong)
			}
			if p.Locks() != 1 {
				t.Errorf("locks taken: %d", p.Locks())
			}
			again := w.Process()
			if res, err, _ := start(again, q); err != nil || len(res.Skipped) != len(r.steps) {
				t.Errorf("applied again: %v, skipped %v", err, res.Skipped)
			}
			for _, wrong := range r.reshaped(w) {
				t.Errorf("applied again: %s", wrong)
			}
		})
	}
}

// TestServicesAreSpreadOnceForAPlan, and again for the next.
func TestServicesAreSpreadOnceForAPlan(t *testing.T) {
	w := applytest.New(3)
	w.AddService("web")
	steps := []plan.Step{{Kind: plan.Rebalance, Node: "m1", Service: "web"}}
	for i, c := range []struct {
		digit string
		want  int
	}{{"a", 1}, {"a", 1}, {"b", 2}} {
		q := request(shapePlan(w, steps), t.TempDir()) // no journal tells of the one before
		q.Digest = "sha256:" + strings.Repeat(c.digit, 64)
		if _, err, _ := start(w.Process(), q); err != nil || len(w.Forced("web")) != c.want {
			t.Errorf("run %d: %v, updated with force for %v", i+1, err, w.Forced("web"))
		}
	}
}

// TestReshapingCutAnywhere kills the program at every point there is: each journal
// write, and each call of a port. Applied again, the end is the same.
func TestReshapingCutAnywhere(t *testing.T) {
	for _, r := range reshapings {
		t.Run(r.name, func(t *testing.T) {
			for at := 1; ; at++ {
				w := r.make()
				cut := &points{at: at, do: func() error { panic(kill{}) }}
				q := cut.attach(w, request(shapePlan(w, r.steps), t.TempDir()))
				_, err, killed := start(w.Process(), q)
				if !killed {
					if err != nil || at < 20 {
						t.Fatalf("%d points, %v", at, err)
					}
					return
				}
				w.Clock.Advance(time.Duration(at%4) * 2 * time.Second)
				if p, _, err := resume(t, w, q); err != nil {
					t.Errorf("cut %d (%s): %v\n%s", at, cut.where, err, texts(p, apply.Note))
					continue
				}
				for _, wrong := range r.reshaped(w) {
					t.Errorf("cut %d (%s): %s", at, cut.where, wrong)
				}
				if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
					t.Errorf("cut %d (%s): unfinished: %v", at, cut.where, open)
				}
			}
		})
	}
}

// TestReshapingErrorAnywhere gives an error, once, at every point there is: the run
// goes on, or fails and is finished by the next.
func TestReshapingErrorAnywhere(t *testing.T) {
	for _, r := range reshapings {
		t.Run(r.name, func(t *testing.T) {
			for at := 1; ; at++ {
				w := r.make()
				fault := &points{at: at, do: func() error { return errors.New("input/output error") }}
				q := fault.attach(w, request(shapePlan(w, r.steps), t.TempDir()))
				p := w.Process()
				_, err, _ := start(p, q)
				if fault.n < at {
					return
				}
				p.Kill()
				if err != nil {
					_, _, err = resume(t, w, q)
				}
				for _, wrong := range r.reshaped(w) {
					t.Errorf("error %d (%s): %s (%v)", at, fault.where, wrong, err)
				}
			}
		})
	}
}

// TestReshapingInterrupted asks to stop at every point there is: the current step is
// finished, no other is begun, and the next apply goes on.
func TestReshapingInterrupted(t *testing.T) {
	for _, r := range reshapings {
		for at := 1; ; at++ {
			w := r.make()
			ask := make(chan struct{})
			when := &points{at: at, do: func() error { close(ask); return nil }}
			q := when.attach(w, request(shapePlan(w, r.steps), t.TempDir()))
			q.Interrupt = ask
			p := w.Process()
			begun := -1
			p.OnEvent = func(e apply.Event) {
				if e.Type == apply.StepStarted && when.n < at {
					begun = e.Step
				} else if e.Type == apply.StepStarted && e.Step > begun+1 {
					t.Errorf("%s, interrupt %d: step %d is begun", r.name, at, e.Step)
				}
			}
			_, err, _ := start(p, q)
			if when.n < at {
				break
			}
			where := fmt.Sprintf("%s, interrupt %d (%s)", r.name, at, when.where)
			if err == nil {
				continue
			}
			var told *apply.InterruptedError
			if !errors.As(err, &told) {
				t.Errorf("%s: %v", where, err)
			}
			if w.State().Repositories[0].Lock != nil {
				t.Errorf("%s: the lock is still held", where)
			}
			q.Interrupt = nil
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("%s: apply again: %v", where, err)
			}
			for _, wrong := range r.reshaped(w) {
				t.Errorf("%s: apply again: %s", where, wrong)
			}
		}
	}
}
