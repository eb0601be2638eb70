package apply_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
)

// TestStale changes the world after the plan was made: nothing is stopped, and
// the error names the change and the remedy. Late changes are made after the
// first look, for the guard before the stop to find.
func TestStale(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*applytest.World)
		says string
	}{
		{"the leader moved", func(w *applytest.World) { w.MakeLeader("m2") }, "m2 leads now"},
		{"another machine", func(w *applytest.World) { w.SetMachine("m2", "other") }, "has the machine other"},
		{"a manager is lost", func(w *applytest.World) { w.SetEngine("m3", false) }, "m3 was reachable and is not"},
		{"autolock was switched", func(w *applytest.World) { w.Autolock = true }, "Auto-lock is on"},
		{"the host is away", func(w *applytest.World) { w.Faults.Unreached = map[string]bool{"m2": true} }, "m2"},
	} {
		for _, late := range []bool{false, true} {
			w := applytest.New(3)
			p := thePlan(w)
			if !late {
				c.set(w)
			}
			w.Hook = func(call applytest.Call) error {
				if late && call.Port == "Ready" && call.Stage == applytest.After {
					c.set(w)
				}
				return nil
			}
			q := request(p, t.TempDir())
			proc := w.Process()
			_, err, _ := start(proc, q)
			var stale *apply.StaleError
			var d diag.Diagnostic
			if c.name == "the host is away" && late {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s, late: %v", c.name, err)
				}
			} else if !errors.As(err, &stale) || !errors.As(err, &d) || d.Code != diag.PlanStale ||
				!strings.Contains(err.Error(), c.says) || !strings.Contains(d.Remedy, "requeen plan") {
				t.Errorf("%s, late=%v: %v", c.name, late, err)
			}
			if w.Stops() > 0 {
				t.Errorf("%s, late=%v: stopped all the same", c.name, late)
			}
			if open, _ := apply.Unfinished(q.JournalRoot, p.Cluster); len(open) > 0 {
				t.Errorf("%s, late=%v: a journal of nothing is left: %v", c.name, late, open)
			}
			if w.State().Repositories[0].Lock != nil {
				t.Errorf("%s, late=%v: the lock is held", c.name, late)
			}
		}
	}
}

// TestMet skips a backup that somebody else made, before the run or just before
// the stop.
func TestMet(t *testing.T) {
	for _, port := range []string{"", "Ready"} {
		w := applytest.New(3)
		p := thePlan(w)
		add := func() { w.AddBackup("offsite", "state", "20260301T030001Z-ffffff") }
		if port == "" {
			w.Clock.Advance(1e9)
			add()
		}
		w.Hook = func(c applytest.Call) error {
			if c.Port == port && c.Stage == applytest.After {
				w.Clock.Advance(1e9)
				add()
			}
			return nil
		}
		proc := w.Process()
		res, err, _ := start(proc, request(p, t.TempDir()))
		if err != nil || len(res.Skipped) != len(p.Steps) || w.Stops() > 0 {
			t.Errorf("%v, skipped %v, %d stops", err, res.Skipped, w.Stops())
		}
		if !strings.Contains(texts(proc, apply.StepSkipped), "young enough") {
			t.Error(texts(proc, apply.StepSkipped))
		}
		mustEnd(t, w, 1)
	}
}

// TestAgainAfterTheEnd applies a plan that was carried out: what it made is
// there, so there is nothing to do; once it has aged the plan is stale.
func TestAgainAfterTheEnd(t *testing.T) {
	w := applytest.New(3)
	q := request(thePlan(w), t.TempDir())
	if _, err, _ := start(w.Process(), q); err != nil {
		t.Fatal(err)
	}
	if res, err, _ := start(w.Process(), q); err != nil || len(res.Skipped) != 4 {
		t.Errorf("%v %+v", err, res)
	}
	w.Clock.Advance(48 * 3600 * 1e9)
	_, err, _ := start(w.Process(), q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || !strings.Contains(err.Error(), "carried out already") {
		t.Error(err)
	}
	if w.Stops() != 1 {
		t.Errorf("%d stops", w.Stops())
	}
}

// TestJournalLost kills a run and loses its journal: the same plan is refused,
// for a new plan to finish what was begun.
func TestJournalLost(t *testing.T) {
	w := applytest.New(3)
	w.Hook = func(c applytest.Call) error {
		if c.Port == "BeginBackup" && c.Stage == applytest.After {
			panic(kill{})
		}
		return nil
	}
	q := request(thePlan(w), t.TempDir())
	start(w.Process(), q)
	w.Hook, q.JournalRoot = nil, t.TempDir()
	_, err, _ := start(w.Process(), q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || !strings.Contains(err.Error(), "no journal of it here") {
		t.Error(err)
	}
}

// TestRunVanished kills a run whose traces on the host are then removed: the
// journal can't be finished and is closed, so that the next plan is free.
func TestRunVanished(t *testing.T) {
	w := applytest.New(3)
	killAfter(w, "Reachable")
	q := request(thePlan(w), t.TempDir())
	if _, _, killed := start(w.Process(), q); !killed {
		t.Fatal("not killed")
	}
	w.Forget("m2")
	_, _, err := resume(t, w, q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || !stale.Closed || !strings.Contains(err.Error(), "does not know the run") {
		t.Error(err)
	}
	if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
		t.Errorf("unfinished: %v", open)
	}
	mustEnd(t, w, 0)
}

// TestStaleInTheMiddle moves the leader while a run is cut: what was begun is
// finished all the same.
func TestStaleInTheMiddle(t *testing.T) {
	w := applytest.New(3)
	killAfter(w, "BeginBackup")
	q := request(thePlan(w), t.TempDir())
	start(w.Process(), q)
	w.SetEngine("m1", false)
	w.SetEngine("m1", true)
	w.MakeLeader("m3")
	if _, _, err := resume(t, w, q); err != nil {
		t.Fatal(err)
	}
	if len(w.State().Repositories[0].Backups) != 1 || !allUp(w) {
		t.Error("the backup was not finished")
	}
}

// TestLockHeld is refused while another run holds the lock, and leaves nothing.
func TestLockHeld(t *testing.T) {
	w := applytest.New(3)
	w.Seize("offsite", "sha256:other")
	q := request(thePlan(w), t.TempDir())
	_, err, _ := start(w.Process(), q)
	var held *apply.HeldError
	var d diag.Diagnostic
	if !errors.As(err, &held) || !errors.As(err, &d) || d.Code != diag.LockHeld || !strings.Contains(err.Error(), "somebody else") {
		t.Error(err)
	}
	if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 || w.Stops() > 0 {
		t.Errorf("unfinished: %v, %d stops", open, w.Stops())
	}
}

// TestNewerRunHasBeenHere is refused by a host that has seen a higher token.
func TestNewerRunHasBeenHere(t *testing.T) {
	w := applytest.New(3)
	w.SetToken("m2", 7)
	p := w.Process()
	if _, err, _ := start(p, request(thePlan(w), t.TempDir())); err != nil {
		t.Fatal(err) // the lock's number exceeds what the hosts have seen
	}
	w = applytest.New(3)
	w.Hook = func(c applytest.Call) error {
		if c.Port == "Lock" && c.Stage == applytest.After {
			w.SetToken("m2", 9)
		}
		return nil
	}
	_, err, _ := start(w.Process(), request(thePlan(w), t.TempDir()))
	var d diag.Diagnostic
	if !errors.As(err, &d) || d.Code != diag.RunTokenRefused || w.Stops() > 0 {
		t.Error(err)
	}
}

func killAfter(w *applytest.World, port string) {
	w.Hook = func(c applytest.Call) error {
		if c.Port == port && c.Stage == applytest.After {
			panic(kill{})
		}
		return nil
	}
}
