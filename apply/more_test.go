package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// TestStartOverCut kills, at every point, the apply that starts a failed run
// over.
func TestStartOverCut(t *testing.T) {
	for _, set := range []func(*applytest.Faults){
		func(f *applytest.Faults) { f.DieAfter = state.PhaseStopped },
		func(f *applytest.Faults) { f.Unreadable = true },
	} {
		for at := 1; ; at++ {
			w := cutWorld{autolock: true}.make()
			set(&w.Faults)
			q := request(thePlan(w), t.TempDir())
			if _, err, _ := start(w.Process(), q); err == nil {
				t.Fatal("no error")
			}
			w.Faults = applytest.Faults{}
			cut := &points{at: at, do: func() error { panic(kill{}) }}
			_, err, killed := start(w.Process(), cut.attach(w, q))
			if !killed {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			finishAfterCut(t, w, q, cut)
		}
	}
}

// twice is a plan of two backups, into two repositories.
func twice(w *applytest.World) *plan.Plan {
	p := thePlan(w)
	p.Fingerprint.NewestBackups = append(p.Fingerprint.NewestBackups, plan.BackupPrint{Backup: "other", Repository: "second", MaxAgeSeconds: 86400})
	for _, s := range p.Steps {
		s.ID, s.Backup, s.Repository = len(p.Steps)+1, "other", "second"
		p.Steps = append(p.Steps, s)
	}
	return p
}

// TestTwoBackups take both repositories' locks with one number, so that the
// hosts, which keep the highest, refuse neither.
func TestTwoBackups(t *testing.T) {
	for at := 1; ; at++ {
		w := applytest.New(3)
		w.AddRepository("second")
		w.SetLockNumber("second", 7)
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		q := cut.attach(w, request(twice(w), t.TempDir()))
		res, err, killed := start(w.Process(), q)
		if !killed {
			if err != nil || len(res.Backups) != 2 || res.Backups[0].Backup != "state" {
				t.Errorf("%v %+v", err, res.Backups)
			}
			mustEnd(t, w, 2)
			break
		}
		ended := len(w.End(2)) == 0
		_, res, err = resume(t, w, q)
		if err != nil || len(w.End(2)) > 0 || len(res.Backups) != 2 && !ended {
			t.Errorf("cut %d (%s): %v, %v, %d backups told", at, cut.where, err, w.End(2), len(res.Backups))
		}
	}
}

// TestStaleAfterTheFirst finishes the first of two backups and begins no
// second, when the leader moves meanwhile; nothing is left to resume.
func TestStaleAfterTheFirst(t *testing.T) {
	w := applytest.New(3)
	w.AddRepository("second")
	q := request(twice(w), t.TempDir())
	w.Hook = func(c applytest.Call) error {
		if c.Port == "Store.manifest" {
			w.MakeLeader("m2")
		}
		return nil
	}
	_, err, _ := start(w.Process(), q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || !stale.Closed || !strings.Contains(err.Error(), "Nothing further was begun") {
		t.Error(err)
	}
	mustEnd(t, w, 1)
}

// TestOnlyManager is stopped, as the plan says that it will be.
func TestOnlyManager(t *testing.T) {
	for _, autolock := range []bool{false, true} {
		for at := 1; ; at++ {
			w := applytest.New(1)
			w.Autolock = autolock
			cut := &points{at: at, do: func() error { panic(kill{}) }}
			q := cut.attach(w, request(build(t, w), t.TempDir()))
			if _, err, killed := start(w.Process(), q); !killed {
				if err != nil {
					t.Fatal(err)
				}
				mustEnd(t, w, 1)
				break
			}
			w.KillUnits()
			finishAfterCut(t, w, q, cut)
		}
	}
}

// TestSuperseded plans again instead of going on: the first run's journal is
// closed by the run that finished what it left.
func TestSuperseded(t *testing.T) {
	w := applytest.New(3)
	q := request(build(t, w), t.TempDir())
	killAfter(w, "Reachable")
	start(w.Process(), q)
	w.Hook = nil
	second := request(build(t, w), q.JournalRoot)
	second.Digest = "sha256:" + strings.Repeat("cd", 32)
	if _, err, _ := start(w.Process(), second); err != nil {
		t.Fatal(err)
	}
	if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
		t.Errorf("unfinished: %v", open)
	}
	mustEnd(t, w, 1)
}

// TestTerminated ends the context while the engine is down: the program goes,
// the host goes on.
func TestTerminated(t *testing.T) {
	w := applytest.New(3)
	ctx, cancel := context.WithCancel(t.Context())
	w.Hook = func(c applytest.Call) error {
		if c.Port == "BeginBackup" && c.Stage == applytest.After {
			cancel()
		}
		return nil
	}
	q := request(thePlan(w), t.TempDir())
	p := w.Process()
	if _, err := apply.Start(ctx, p.Ports(), q); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if w.State().Repositories[0].Lock != nil {
		t.Error("the lock is held")
	}
	if _, _, err := resume(t, w, q); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, w, 1)
}

// TestUnrunnable plans are refused before anything is looked at.
func TestUnrunnable(t *testing.T) {
	for _, change := range []func(*apply.Request){
		func(q *apply.Request) { q.Plan.Steps[1].Kind = "readdress" },
		func(q *apply.Request) { q.Plan.Steps = q.Plan.Steps[1:] },
		func(q *apply.Request) { q.Digest = "sha256:../../etc" },
		func(q *apply.Request) { q.Plan.Cluster = "../prod" },
		func(q *apply.Request) { q.JournalRoot = "" },
		func(q *apply.Request) { q.Plan = nil },
		func(q *apply.Request) { q.NewID = nil },
	} {
		w := applytest.New(3)
		q := request(thePlan(w), t.TempDir())
		change(&q)
		w.ResetCalls()
		if _, err, _ := start(w.Process(), q); err == nil || w.Calls() > 0 {
			t.Errorf("%v after %d calls", err, w.Calls())
		}
	}
}
