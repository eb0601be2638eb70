package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

func noLockPlan(t *testing.T, w *applytest.World) *plan.Plan {
	t.Helper()
	st := w.State()
	st.FirstLookedAt = st.ObservedAt.Add(-10 * time.Minute)
	p, err := plan.Build(plan.Input{Config: recoveryConfig(w), State: st, Now: w.Clock.Now(), NoLock: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRecoveriesWithoutTheLock reach their end while the repository gives no lock
// and takes nothing, and say so.
func TestRecoveriesWithoutTheLock(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			w := l.make()
			p := noLockPlan(t, w)
			if p.Recovery == nil || p.Recovery.Rung != l.rung {
				t.Fatalf("planned: %s", p.Summary)
			}
			w.Hook = func(c applytest.Call) error {
				switch c.Port {
				case "Lock", "Check", "Release", "Save", "Store":
					return errors.New(c.Port + ": the bucket is read-only")
				}
				return nil
			}
			proc := w.Process()
			q := approved(p, t.TempDir())
			q.NoLock = true
			if _, err, _ := start(proc, q); err != nil {
				t.Fatalf("%v\n%s", err, texts(proc, apply.StepFailed))
			}
			if note := texts(proc, apply.Note); !strings.Contains(note, "RUNS WITHOUT THE SHARED LOCK") {
				t.Errorf("the notes are %q", note)
			}
			for _, wrong := range recovered(w) {
				t.Error(wrong)
			}
		})
	}
}

// TestWithoutTheLockNothingIsStored refuses each plan that would write to the
// repository before any host is touched, and leaves nothing to finish.
func TestWithoutTheLockNothingIsStored(t *testing.T) {
	w := applytest.New(3)
	plans := map[string]struct {
		w *applytest.World
		p *plan.Plan
	}{"backup": {w, thePlan(w)}}
	w = losses[0].make()
	plans["force"] = struct {
		w *applytest.World
		p *plan.Plan
	}{w, recoveryPlan(t, w)}
	for name, c := range plans {
		t.Run(name, func(t *testing.T) {
			q := approved(c.p, t.TempDir())
			q.NoLock = true
			c.w.Hook = func(call applytest.Call) error {
				if call.Port != "Observe" && call.Port != "Status" {
					t.Errorf("it called %s", call.Port)
				}
				return nil
			}
			_, err, _ := start(c.w.Process(), q)
			var needed *apply.LockNeededError
			if !errors.As(err, &needed) || needed.Diag.Code != diag.LockNeeded || !strings.Contains(needed.Diag.Remedy, "plan -lock=false") {
				t.Fatalf("the error is %v", err)
			}
			if list, err := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); err != nil || len(list) > 0 {
				t.Errorf("left to finish: %v, %v", list, err)
			}
		})
	}
}

// hangs is a repository that never answers.
type hangs struct{ apply.Archive }

func (hangs) Lock(ctx context.Context, _, _ string, _ uint64) (apply.Lock, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestLockThatHangs ends, nothing is begun, and what does without it is named.
func TestLockThatHangs(t *testing.T) {
	apply.AskLockFor(t, 10*time.Millisecond)
	w := losses[0].make()
	q := approved(recoveryPlan(t, w), t.TempDir())
	ports := w.Process().Ports()
	ports.Archive = hangs{ports.Archive}
	_, err := apply.Start(context.Background(), ports, q)
	var run *apply.RunError
	if !errors.As(err, &run) || run.Diag.Code != diag.RepositoryUnusable || !strings.Contains(err.Error(), "did not give its lock within 10ms") ||
		!strings.Contains(run.Diag.Remedy, "requeen plan -lock=false") {
		t.Fatalf("the error is %v", err)
	}
	if list, err := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); err != nil || len(list) > 0 {
		t.Errorf("left to finish: %v, %v", list, err)
	}
}

// TestTheRepositoryIsLostInARecovery: a recovery that began with the lock is closed
// when it is to go on without, and a plan without the lock brings the swarm back.
func TestTheRepositoryIsLostInARecovery(t *testing.T) {
	w := losses[0].make()
	q := approved(recoveryPlan(t, w), t.TempDir())
	lost := false
	w.Hook = func(c applytest.Call) error {
		lost = lost || c.Port == "Force"
		if c.Port == "Force" {
			return errors.New(c.Port + ": the bucket is gone")
		}
		return nil
	}
	if _, err, _ := start(w.Process(), q); err == nil || !lost {
		t.Fatal("the recovery was not cut")
	}
	w.Hook = func(c applytest.Call) error {
		switch c.Port {
		case "Lock", "Check", "Release", "Save", "Store":
			return errors.New(c.Port + ": the bucket is gone")
		}
		return nil
	}
	q.NoLock = true
	_, err, _ := start(w.Process(), q)
	var needed *apply.LockNeededError
	if !errors.As(err, &needed) {
		t.Fatalf("the error is %v", err)
	}
	if err := apply.Abandon(context.Background(), w.Process().Ports(), q); err != nil {
		t.Fatal(err)
	}
	if list, err := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); err != nil || len(list) > 0 {
		t.Errorf("left to finish: %v, %v", list, err)
	}
	proc := w.Process()
	again := approved(noLockPlan(t, w), q.JournalRoot)
	again.NoLock = true
	if _, err, _ := start(proc, again); err != nil {
		t.Fatalf("%v\n%s", err, texts(proc, apply.StepFailed))
	}
	for _, wrong := range recovered(w) {
		t.Error(wrong)
	}
}
