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
	"github.com/requeen/requeen/plan"
)

// listening lets a test hear what the ports are told, and answer in their place.
type listening struct {
	apply.Shaper
	told func(what string, s apply.Shape) error
}

func (l listening) SetRole(ctx context.Context, s apply.Shape) error {
	if err := l.told("SetRole", s); err != nil {
		return err
	}
	return l.Shaper.SetRole(ctx, s)
}

func (l listening) ChangeSwarm(ctx context.Context, s apply.Shape) error {
	if err := l.told("ChangeSwarm", s); err != nil {
		return err
	}
	return l.Shaper.ChangeSwarm(ctx, s)
}

// TestShapeGoesThroughTheLeader, unless the step is on the leader itself, which is
// the last then.
func TestShapeGoesThroughTheLeader(t *testing.T) {
	for _, c := range []struct {
		step plan.Step
		want string
	}{
		{on(plan.Demote, "m1", "node1"), "m2 m3 m1"},
		{on(plan.Demote, "", "node1"), "m2 m3 m1"},
		{on(plan.Demote, "m2", "node2"), "m1 m3 m2"},
		{plan.Step{Kind: plan.UpdateSwarm, Node: "m1", Settings: &plan.SwarmChange{ElectionTick: ptr(7)}}, "m1 m2 m3"},
	} {
		w := applytest.New(3)
		ports := w.Process().Ports()
		var names []string
		ports.Shaper = listening{ports.Shaper, func(_ string, s apply.Shape) error {
			for _, m := range s.Through {
				names = append(names, m.Name)
				if m.MachineID == "" || m.NodeID == "" || m.Address == "" {
					t.Errorf("%+v", m)
				}
			}
			return nil
		}}
		if _, err := apply.Start(t.Context(), ports, request(shapePlan(w, []plan.Step{c.step}), t.TempDir())); err != nil || strings.Join(names, " ") != c.want {
			t.Errorf("%s %s%s: through %v, %v", c.step.Kind, c.step.Node, c.step.Entry, names, err)
		}
	}
}

// TestShapeIsToldAgain while no manager takes it, and not beyond the step's time; a
// refusal is one at once.
func TestShapeIsToldAgain(t *testing.T) {
	refusal := errors.New("refused")
	for _, c := range []struct {
		answers func(n int) error
		times   int
		says    string
	}{
		{func(n int) error {
			if n <= 3 {
				return fmt.Errorf("%w: m1: no leader", apply.ErrNoManager)
			}
			return nil
		}, 4, ""},
		{func(int) error { return refusal }, 1, "refused"},
		{func(int) error { return apply.ErrNoManager }, 100, "no manager of the swarm answers"},
	} {
		w := applytest.New(3)
		w.AddWorker("w1")
		p, n := w.Process(), 0
		ports := p.Ports()
		ports.Shaper = listening{ports.Shaper, func(string, apply.Shape) error { n++; return c.answers(n) }}
		_, err := apply.Start(t.Context(), ports, request(shapePlan(w, []plan.Step{on(plan.Promote, "w1", "id-w1")}), t.TempDir()))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || c.times < 100 && n != c.times || n < min(c.times, 100) {
			t.Errorf("told %d times, %v", n, err)
		}
		if notes := texts(p, apply.Note); c.times > 1 && strings.Count(notes, "no manager takes it now") != 1 {
			t.Errorf("the notes are %q", notes)
		}
	}
}

// TestShapeWaitsForAnElection where a run is gone on with, and not for ever.
func TestShapeWaitsForAnElection(t *testing.T) {
	for away, ok := range map[time.Duration]bool{40 * time.Second: true, time.Hour: false} {
		w := applytest.New(3)
		w.AddWorker("w1")
		p := shapePlan(w, []plan.Step{
			{Kind: plan.UpdateNode, Node: "w1", Entry: "id-w1", Change: &plan.NodeChange{Labels: map[string]string{"a": "1"}}},
			{Kind: plan.UpdateNode, Node: "w1", Entry: "id-w1", Change: &plan.NodeChange{Labels: map[string]string{"a": "2"}}}})
		for _, n := range w.State().Swarm.Nodes {
			if n.Reachability != "" {
				p.Fingerprint.Managers = append(p.Fingerprint.Managers, plan.ManagerPrint{NodeID: n.ID, Name: n.Hostname, Reachable: true})
			}
		}
		q := request(p, t.TempDir())
		w.Hook = func(c applytest.Call) error {
			if c.Port == "ChangeNode" && c.Stage == applytest.After {
				panic(kill{})
			}
			return nil
		}
		if _, _, killed := start(w.Process(), q); !killed {
			t.Fatal("it was not cut")
		}
		w.Elect(away)
		_, _, err := resume(t, w, q)
		var stale *apply.StaleError
		if ok && err != nil || !ok && (!errors.As(err, &stale) || w.Clock.Now().Sub(p.PlannedAt) > 5*time.Minute) {
			t.Errorf("without a leader for %s: %v after %s", away, err, w.Clock.Now().Sub(p.PlannedAt))
		}
	}
}

// TestDrainedNodeThatIsNotEmpty does not keep the rest from being done, and is named.
func TestDrainedNodeThatIsNotEmpty(t *testing.T) {
	w := applytest.New(3)
	w.AddWorker("w1")
	w.SetTasks("w1", 2)
	w.Faults.NeverEmpty = true
	p := w.Process()
	_, err, _ := start(p, request(shapePlan(w, []plan.Step{{Kind: plan.UpdateNode, Node: "w1", Entry: "id-w1", Change: &plan.NodeChange{Availability: "drain"}}}), t.TempDir()))
	if notes := texts(p, apply.Note); err != nil || !strings.Contains(notes, "w1 is drained, and not empty yet: tasks that have not ended there: 2") {
		t.Errorf("%v, %s", err, notes)
	}
	if !slices.ContainsFunc(p.Events, func(e apply.Event) bool { return e.Type == apply.RunDone }) {
		t.Error("the run did not come to its end")
	}
}
