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
	"github.com/requeen/requeen/schema"
)

// config declares the world's managers and one backup.
func config(w *applytest.World) *schema.Config {
	c := &schema.Config{SHA256: "c0", Cluster: schema.Cluster{Name: applytest.ClusterName},
		Repositories: []schema.Repository{{Name: "offsite", URL: "file:///backups", Plaintext: true}},
		Backups: []schema.Backup{{Name: "state", Repository: "offsite", MaxAge: 24 * time.Hour, From: schema.FromFollower,
			Consistency: schema.ConsistencyStopped}}}
	for _, h := range w.State().Hosts {
		c.Nodes = append(c.Nodes, schema.Node{Name: h.Name, Address: h.Address, Role: schema.RoleManager})
	}
	return c
}

func build(t *testing.T, w *applytest.World) *plan.Plan {
	t.Helper()
	p, err := plan.Build(plan.Input{Config: config(w), State: w.State(), Now: w.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// planAndApply plans and applies, without any journal, until nothing is left to
// do.
func planAndApply(t *testing.T, w *applytest.World, where string) {
	t.Helper()
	var log []string
	for i := 0; i < 8; i++ {
		p := build(t, w)
		if len(p.Steps) == 0 && len(p.Unmet) == 0 {
			return
		}
		for _, s := range p.Steps {
			log = append(log, fmt.Sprintf("%d: %s %s %s", i, s.Kind, s.Node, s.Run))
		}
		for _, u := range p.Unmet {
			log = append(log, fmt.Sprintf("%d: unmet %s: %s", i, u.Goal, u.Reason))
		}
		if len(p.Steps) > 0 {
			q := request(p, t.TempDir())
			q.Digest = "sha256:" + strings.Repeat(fmt.Sprint(i), 64)
			_, err, _ := start(w.Process(), q)
			var held *apply.HeldError
			if err != nil && !errors.As(err, &held) { // the lock of the killed run, until it is stale
				t.Errorf("%s: %v", where, err)
			}
		}
		w.Clock.Advance(30 * time.Second)
	}
	t.Errorf("%s: there is always more to do:\n%s", where, strings.Join(log, "\n"))
}

// TestCutAnywhereWithoutTheJournal kills the program at every point there is
// and loses its journal: a new plan from what the hosts show reaches the end.
func TestCutAnywhereWithoutTheJournal(t *testing.T) {
	for i, c := range cutWorlds {
		stride := 1
		if i > 1 {
			stride = 3 // the first two worlds take every point
		}
		t.Run(c.String(), func(t *testing.T) {
			for at := 1; ; at += stride {
				w := c.make()
				cut := &points{at: at, do: func() error { panic(kill{}) }}
				q := cut.attach(w, request(build(t, w), t.TempDir()))
				if _, err, killed := start(w.Process(), q); !killed {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if c.down {
					w.KillUnits()
				}
				w.Clock.Advance(c.away)
				w.Hook = nil
				where := fmt.Sprintf("cut %d (%s)", at, cut.where)
				planAndApply(t, w, where)
				if w.Stops() > 2 {
					t.Errorf("%s: %d stops", where, w.Stops())
				}
				w.FreeDeadLocks()
				for _, wrong := range w.End(1) {
					t.Errorf("%s: %s", where, wrong)
				}
			}
		})
	}
}

// TestLeftoverPlanCut kills the run of a plan that finishes an earlier run, at
// every point, and applies again from its journal.
func TestLeftoverPlanCut(t *testing.T) {
	for _, c := range []cutWorld{{}, {autolock: true, lockLife: time.Minute}} {
		for _, port := range []string{"BeginBackup", "Store.fetch", "Store.manifest"} {
			for at := 1; ; at++ {
				w := c.make()
				killAfter(w, port)
				start(w.Process(), request(build(t, w), t.TempDir()))
				w.Hook = nil
				w.Clock.Advance(2 * time.Second)
				w.KillUnits() // the engine is down, the copy not whole, or all is done but the store
				p := build(t, w)
				if len(p.Steps) == 0 || p.Steps[0].Run == "" {
					t.Fatalf("after %s the plan finishes nothing: %+v", port, p.Steps)
				}
				cut := &points{at: at, do: func() error { panic(kill{}) }}
				q := cut.attach(w, request(p, t.TempDir()))
				_, err, killed := start(w.Process(), q)
				if !killed && err != nil {
					t.Fatalf("%s %s: %v", c, port, err)
				}
				if killed {
					cut.where = port + ", then " + cut.where
					finishAfterCut(t, w, q, cut)
					continue
				}
				mustEnd(t, w, 1)
				break
			}
		}
	}
}

// TestApplyUnlocksWithoutItsUnit is a leftover that only the unlock step can
// bring back.
func TestApplyUnlocksWithoutItsUnit(t *testing.T) {
	w := cutWorld{autolock: true}.make()
	killAfter(w, "BeginBackup")
	start(w.Process(), request(build(t, w), t.TempDir()))
	w.Hook = nil
	w.Clock.Advance(2 * time.Second)
	w.KillUnits()
	w.Clock.Advance(10 * time.Minute) // the rescue timer starts the engine, which nobody unlocks
	p := build(t, w)
	called := map[string]int{}
	w.Hook = func(c applytest.Call) error { called[c.Port]++; return nil }
	proc := w.Process()
	if _, err, _ := start(proc, request(p, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	if called["Unlock"] == 0 || called["StartEngine"] > 0 {
		t.Errorf("%v", called)
	}
	mustEnd(t, w, 1)
	if !strings.Contains(texts(proc, apply.Note), "it is unlocked from here") {
		t.Error(texts(proc, apply.Note))
	}
}
