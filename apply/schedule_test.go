package apply_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// timed is a world with a fresh backup, and the plan that puts its schedule on a node.
func timed(t *testing.T, w *applytest.World, on string) *plan.Plan {
	t.Helper()
	cfg := config(w)
	cfg.Backups[0].Schedule = &schema.Schedule{At: "03:10", On: on}
	p, err := plan.Build(plan.Input{Config: cfg, State: w.State(), Now: w.Clock.Now(), ToolVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func freshWorld() *applytest.World {
	w := applytest.New(3)
	w.AddBackup("offsite", "state", w.Clock.Now().Format("20060102T150405Z")+"-000001")
	return w
}

// stepsOf are the kinds and nodes of a plan's steps.
func stepsOf(p *plan.Plan) string {
	var words []string
	for _, s := range p.Steps {
		words = append(words, string(s.Kind)+" "+s.Node)
	}
	return strings.Join(words, ", ")
}

// TestScheduleCut kills the program at every point while a schedule moves from one host
// to another, and applies again: it is where it is declared, and nowhere else.
func TestScheduleCut(t *testing.T) {
	for at := 1; ; at++ {
		w := freshWorld()
		if _, err, _ := start(w.Process(), request(timed(t, w, "m2"), t.TempDir())); err != nil {
			t.Fatal(err)
		}
		p := timed(t, w, "m3")
		if have := stepsOf(p); have != "unschedule m2, schedule m3" {
			t.Fatalf("planned are %s", have)
		}
		q := request(p, t.TempDir())
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		_, err, killed := start(w.Process(), cut.attach(w, q))
		if killed {
			_, _, err = resume(t, w, q)
		}
		if err != nil {
			t.Errorf("cut %d (%s): %v", at, cut.where, err)
		}
		w.FreeDeadLocks()
		if left := timed(t, w, "m3"); len(left.Steps)+len(left.Unmet) > 0 {
			t.Errorf("cut %d (%s): a new plan has %s", at, cut.where, left.Summary)
		}
		mustEnd(t, w, 1)
		if !killed {
			if at < 12 {
				t.Errorf("only %d points", at)
			}
			return
		}
	}
}

// TestScheduleNotAtHand: what a schedule needs and is not there is told before the first
// effect.
func TestScheduleNotAtHand(t *testing.T) {
	w := freshWorld()
	w.Scheduling.NotAtHand = true
	pr := w.Process()
	_, err, _ := start(pr, request(timed(t, w, "m2"), t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY is not set") {
		t.Errorf("the error is %v", err)
	}
	if begun := texts(pr, apply.StepStarted); begun != "" {
		t.Errorf("begun was %s", begun)
	}
}

// TestScheduleRefused: keys go to no other machine than was planned for.
func TestScheduleRefused(t *testing.T) {
	w := freshWorld()
	p := timed(t, w, "m2")
	p.Fingerprint.Hosts[0].MachineID = "another"
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); err == nil {
		t.Error("it was put on another machine")
	}
	if s := w.State().Host("m2").Schedules; len(s) > 0 {
		t.Errorf("there is %+v", s)
	}
}
