package apply_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// loss is a swarm that has lost its quorum, by what brings it back.
type loss struct {
	name  string
	rung  plan.Rung
	make  func() *applytest.World
	kinds string // that the plan has, in order, each once
}

var losses = []loss{
	{"force", plan.RungForce, func() *applytest.World {
		w := applytest.New(3)
		w.Orphan("m2")
		w.Orphan("m3")
		return w
	}, "hold save prepare fence restore start init join stop archive verify"},
	{"force-crashed", plan.RungForce, func() *applytest.World {
		w := applytest.New(3)
		w.Crash("m2")
		w.Orphan("m3")
		return w
	}, "hold save prepare fence restore start init join"},
	{"restore", plan.RungRestore, func() *applytest.World {
		w := applytest.New(3)
		w.AddBackup("offsite", "state", "20260301T020000Z-0a1b2c")
		for _, m := range []string{"m1", "m2", "m3"} {
			w.Wipe(m)
		}
		return w
	}, "prepare hold fence restore start init join rotate-join-tokens"},
	{"force-locked", plan.RungForce, func() *applytest.World {
		w := applytest.New(3)
		w.Autolock = true
		w.Orphan("m2")
		w.Orphan("m3")
		return w
	}, "hold save prepare fence restore start init join rotate-unlock-key check stop archive unlock verify"},
	{"start", plan.RungStart, func() *applytest.World {
		w := applytest.New(3)
		w.SetEngine("m1", false)
		w.SetEngine("m2", false)
		return w
	}, "start"},
}

func recoveryConfig(w *applytest.World) *schema.Config {
	c := config(w)
	rotate := true
	c.Cluster.UnlockKey = schema.NewSecret("SWMKEY")
	c.Recovery = &schema.Recovery{RotateUnlockKey: &rotate, UnlockKeyTo: schema.UnlockKeyTo{Command: "keep"}, Verify: []string{"first", "second"},
		Allow: []string{schema.AllowForceNewCluster, schema.AllowRestore, schema.AllowStart, schema.AllowUnlock}}
	return c
}

func recoveryPlan(t *testing.T, w *applytest.World) *plan.Plan {
	t.Helper()
	st := w.State()
	st.FirstLookedAt = st.ObservedAt.Add(-10 * time.Minute)
	p, err := plan.Build(plan.Input{Config: recoveryConfig(w), State: st, Now: w.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// approved is a run of the plan that was reviewed.
func approved(p *plan.Plan, root string) apply.Request {
	q := request(p, root)
	q.Approval = apply.Approval{Digest: q.Digest}
	return q
}

// recovered tells what is not as it must be once a swarm is back.
func recovered(w *applytest.World) []string {
	var wrong []string
	for _, text := range w.End(0) {
		if !strings.Contains(text, "backups, want") {
			wrong = append(wrong, text)
		}
	}
	if made, delivered := w.Keys(); made > 1 || made != delivered {
		wrong = append(wrong, fmt.Sprintf("%d unlock keys were made, and number %d is in its place", made, delivered))
	}
	if w.State().Swarm == nil {
		wrong = append(wrong, "no swarm answers")
	}
	return wrong
}

func TestRecoveriesReachTheirEnd(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			w := l.make()
			p := recoveryPlan(t, w)
			if p.Recovery == nil || p.Recovery.Rung != l.rung {
				t.Fatalf("planned: %s", p.Summary)
			}
			for _, k := range strings.Fields(l.kinds) {
				if !strings.Contains(kindsOf(p), k) {
					t.Errorf("no step %s in %s", k, kindsOf(p))
				}
			}
			proc := w.Process()
			if _, err, _ := start(proc, approved(p, t.TempDir())); err != nil {
				t.Fatalf("%v\n%s", err, texts(proc, apply.StepFailed))
			}
			for _, wrong := range recovered(w) {
				t.Error(wrong)
			}
			if made, _ := w.Keys(); (made == 1) != w.Autolock {
				t.Errorf("%d unlock keys were made", made)
			}
			if ran := strings.Join(w.Checks(), " "); ran != "first second" {
				t.Errorf("the commands that ran: %s", ran)
			}
			if next := recoveryPlan(t, w); next.Recovery != nil {
				t.Errorf("the next plan: %s", next.Summary)
			}
		})
	}
}

func kindsOf(p *plan.Plan) string {
	var words []string
	for _, s := range p.Steps {
		words = append(words, string(s.Kind))
	}
	return strings.Join(words, " ")
}

// TestRecoveryCutAnywhere kills a recovery at every point there is, the journal's
// writes among them. Applied again from the journal, or planned and applied again
// without it, the end is the same.
func TestRecoveryCutAnywhere(t *testing.T) {
	for _, l := range losses {
		for _, journal := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s,journal=%v", l.name, journal), func(t *testing.T) {
				for at := 1; ; at++ {
					w := l.make()
					cut := &points{at: at, do: func() error { panic(kill{}) }}
					q := cut.attach(w, approved(recoveryPlan(t, w), t.TempDir()))
					if _, err, killed := start(w.Process(), q); !killed {
						if err != nil || at < 10 {
							t.Errorf("%d points, %v", at, err)
						}
						return
					}
					w.Hook = nil
					where := fmt.Sprintf("cut %d (%s)", at, cut.where)
					if journal {
						goOnFromJournal(t, w, q, where)
					}
					w.Clock.Advance(3 * time.Minute)
					recoverAgain(t, w, where, journal)
				}
			})
		}
	}
}

// goOnFromJournal applies again, also where the journal has nothing left.
func goOnFromJournal(t *testing.T, w *applytest.World, q apply.Request, where string) {
	t.Helper()
	if _, _, err := resume(t, w, q); err != nil {
		t.Errorf("%s: apply again: %v", where, err)
		return
	}
	for _, wrong := range recovered(w) {
		t.Errorf("%s: apply again: %s", where, wrong)
	}
}

// recoverAgain plans and applies until no recovery is planned any more.
func recoverAgain(t *testing.T, w *applytest.World, where string, done bool) {
	t.Helper()
	var log []string
	for i := 0; i < 6; i++ {
		p := recoveryPlan(t, w)
		if len(p.Steps) == 0 {
			break
		}
		log = append(log, p.Summary)
		if done && p.Recovery != nil && i > 0 {
			t.Errorf("%s: a recovery is planned though its run was finished: %s", where, p.Summary)
		}
		q := approved(p, t.TempDir())
		q.Digest = "sha256:" + strings.Repeat(fmt.Sprint(i), 64)
		q.Approval.Digest = q.Digest
		w.FreeDeadLocks()
		proc := w.Process()
		if _, err, _ := start(proc, q); err != nil {
			t.Errorf("%s: plan %d (%s): %v", where, i, p.Summary, err)
			return
		}
		w.Clock.Advance(3 * time.Minute)
	}
	w.FreeDeadLocks()
	for _, wrong := range recovered(w) {
		if strings.Contains(where, "StartEngines") && strings.HasSuffix(wrong, "is down or locked") {
			continue // the quorum is back: whether a stopped engine beside it is to run is not the ladder's question
		}
		t.Errorf("%s: %s, after %s", where, wrong, strings.Join(log, " | "))
	}
}

// TestRecoveryErrorAnywhere gives an error, once, at every call of a recovery. It
// names the node and what to do, and the next apply reaches the end.
func TestRecoveryErrorAnywhere(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			for at := 1; ; at++ {
				w := l.make()
				n, where, node := 0, "", ""
				q := approved(recoveryPlan(t, w), t.TempDir())
				w.Hook = func(c applytest.Call) error {
					if n++; n != at {
						return nil
					}
					where, node = c.Port+" "+c.Stage, c.Node
					return errors.New("input/output error")
				}
				proc := w.Process()
				_, err, _ := start(proc, q)
				if n < at {
					return
				}
				proc.Kill()
				if err != nil {
					d, ok := diag.Diagnostic{}, false
					var run *apply.RunError
					if errors.As(err, &run) {
						d, ok = run.Diag, true
					}
					text := err.Error()
					if !ok && where != "Lock before" && where != "Lock after" && !strings.HasPrefix(where, "Check") || ok && (d.Remedy == "" || node != "" && !strings.Contains(text, node)) {
						t.Errorf("error %d (%s %s): no node or remedy: %v", at, where, node, err)
					}
					if _, _, err := resume(t, w, q); err != nil {
						t.Errorf("error %d (%s %s): apply again: %v", at, where, node, err)
						continue
					}
				}
				for _, wrong := range recovered(w) {
					t.Errorf("error %d (%s %s): %s", at, where, node, wrong)
				}
			}
		})
	}
}

// TestRecoveryInterrupted asks to stop at every point: the step is finished, what
// is held stays held, and the next apply goes on.
func TestRecoveryInterrupted(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			for at := 1; ; at++ {
				w := l.make()
				ask := make(chan struct{})
				when := &points{at: at, do: func() error { close(ask); return nil }}
				q := when.attach(w, approved(recoveryPlan(t, w), t.TempDir()))
				q.Interrupt = ask
				_, err, _ := start(w.Process(), q)
				if when.n < at {
					return
				}
				if w.State().Repositories[0].Lock != nil {
					t.Errorf("interrupt %d (%s): the lock is still held", at, when.where)
				}
				if err == nil {
					continue
				}
				if !errors.Is(err, apply.ErrInterrupted) {
					t.Errorf("interrupt %d (%s): %v", at, when.where, err)
				}
				q.Interrupt = nil
				if _, _, err := resume(t, w, q); err != nil {
					t.Errorf("interrupt %d (%s): apply again: %v", at, when.where, err)
				}
				for _, wrong := range recovered(w) {
					t.Errorf("interrupt %d (%s): %s", at, when.where, wrong)
				}
			}
		})
	}
}

// TestForceIsRefusedWhileAManagerAnswers: what was taken for lost is alive. Where it
// answers from the beginning nothing is stopped; where it comes back meanwhile, after
// the swap, nothing is forced.
func TestForceIsRefusedWhileAManagerAnswers(t *testing.T) {
	for since, act := range map[string]string{"the beginning": "", "the swap": "Swap"} {
		t.Run(since, func(t *testing.T) {
			w := losses[1].make()
			p := recoveryPlan(t, w)
			alive := []string{"10.0.0.12:2377"}
			if act == "" {
				w.Faults.Answers = alive
			}
			calls := map[string]int{}
			w.Hook = func(c applytest.Call) error {
				calls[c.Port]++
				if c.Port == act {
					w.Faults.Answers = alive
				}
				return nil
			}
			q := approved(p, t.TempDir())
			_, err, _ := start(w.Process(), q)
			var run *apply.RunError
			if !errors.As(err, &run) || run.Diag.Code != diag.ManagerAnswers || !strings.Contains(run.Diag.Detail, alive[0]) {
				t.Fatal(err)
			}
			if calls["Force"] > 0 || act == "" && calls["Hold"] > 0 || act != "" && calls[act] == 0 {
				t.Errorf("it went as far as %v", calls)
			}
			w.Faults.Answers, w.Hook = nil, nil
			if _, _, err := resume(t, w, q); err != nil {
				t.Fatal(err)
			}
			for _, wrong := range recovered(w) {
				t.Error(wrong)
			}
		})
	}
}

// TestForceIsNotDoneWhileSomethingLacks: a swarm that lacks something of its source
// is told, and nobody joins it.
func TestForceIsNotDoneWhileSomethingLacks(t *testing.T) {
	w := losses[0].make()
	w.Faults.Lacks = "2 of 3 secrets are not in the swarm"
	joins := 0
	w.Hook = func(c applytest.Call) error {
		if c.Port == "JoinSwarm" {
			joins++
		}
		return nil
	}
	_, err, _ := start(w.Process(), approved(recoveryPlan(t, w), t.TempDir()))
	var run *apply.RunError
	if !errors.As(err, &run) || run.Diag.Code != diag.NotRestored || joins > 0 || !strings.Contains(run.Diag.Detail, "2 of 3 secrets") {
		t.Fatalf("%d joins: %v", joins, err)
	}
}

// TestRecoveryWantsApproval: a plan that destroys is not begun without it.
func TestRecoveryWantsApproval(t *testing.T) {
	w := losses[1].make()
	p := recoveryPlan(t, w)
	_, err, _ := start(w.Process(), request(p, t.TempDir()))
	var missing *apply.NotApprovedError
	if !errors.As(err, &missing) || !strings.Contains(strings.Join(missing.Missing, " "), diag.StateReplaced) || !strings.Contains(strings.Join(missing.Missing, " "), diag.ManagerUnfenced) {
		t.Fatal(err)
	}
}

// TestExpiredRecoveryIsNotBegun, and what is begun is finished whatever the hour.
func TestExpiredRecoveryIsNotBegun(t *testing.T) {
	w := losses[0].make()
	p := recoveryPlan(t, w)
	w.Clock.Advance(2 * time.Hour)
	var stale *apply.StaleError
	if _, err, _ := start(w.Process(), approved(p, t.TempDir())); !errors.As(err, &stale) {
		t.Errorf("an old plan was begun: %v", err)
	}
	w = losses[0].make()
	q := approved(recoveryPlan(t, w), t.TempDir())
	killAfter(w, "Swap")
	start(w.Process(), q)
	w.Clock.Advance(2 * time.Hour)
	if _, _, err := resume(t, w, q); err != nil {
		t.Error(err)
	}
	for _, wrong := range recovered(w) {
		t.Error(wrong)
	}
}
