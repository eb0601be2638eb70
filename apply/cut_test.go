package apply_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
)

// points counts every place at which a run can be cut: before and after each
// call of a port, between the stages of a store, and around each journal write.
type points struct {
	n, at int
	where string
	do    func() error
}

func (p *points) reach(where string) error {
	p.n++
	if p.n != p.at {
		return nil
	}
	p.where = where
	return p.do()
}

func (p *points) attach(w *applytest.World, q apply.Request) apply.Request {
	w.Hook = func(c applytest.Call) error { return p.reach(c.Port + " " + c.Stage) }
	return apply.WithFault(q, func(stage, kind string) error { return p.reach("journal " + kind + " " + stage) })
}

// resume runs again, as requeen apply does: from the unfinished journal where
// there is one.
func resume(t *testing.T, w *applytest.World, q apply.Request) (*applytest.Process, apply.Result, error) {
	t.Helper()
	w.Hook = nil
	q = apply.WithFault(q, nil)
	p := w.Process()
	j, found, err := apply.Resume(q.JournalRoot, q.Plan.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	if found && (j.Digest != q.Digest || string(j.PlanBytes) != string(q.PlanBytes)) {
		t.Errorf("the journal gives another plan: %+v", j)
	}
	res, err, _ := start(p, q)
	return p, res, err
}

type cutWorld struct {
	autolock bool
	lockLife time.Duration // of a dead process's lock
	away     time.Duration // between the cut and the next apply
	down     bool          // the host's unit is killed with the program
}

func (c cutWorld) make() *applytest.World {
	w := applytest.New(3)
	w.Autolock, w.LockLife = c.autolock, c.lockLife
	return w
}

func (c cutWorld) String() string {
	return fmt.Sprintf("autolock=%v,lock=%v,away=%v,down=%v", c.autolock, c.lockLife, c.away, c.down)
}

var cutWorlds = []cutWorld{
	{}, {autolock: true}, {away: 30 * time.Second}, {autolock: true, lockLife: time.Minute},
	{away: 10 * time.Minute, autolock: true}, {down: true}, {down: true, autolock: true}, {down: true, autolock: true, away: 10 * time.Minute},
}

// TestCutAnywhereWithTheJournal kills the program at every point there is, and
// applies again from the journal: the end is always the same.
func TestCutAnywhereWithTheJournal(t *testing.T) {
	for _, c := range cutWorlds {
		t.Run(c.String(), func(t *testing.T) {
			for at := 1; ; at++ {
				w := c.make()
				cut := &points{at: at, do: func() error { panic(kill{}) }}
				q := cut.attach(w, request(thePlan(w), t.TempDir()))
				_, err, killed := start(w.Process(), q)
				if !killed {
					if err != nil {
						t.Fatal(err)
					}
					if at < 50 {
						t.Errorf("only %d points", at)
					}
					return
				}
				if c.down {
					w.KillUnits()
				}
				w.Clock.Advance(c.away)
				finishAfterCut(t, w, q, cut)
			}
		})
	}
}

func finishAfterCut(t *testing.T, w *applytest.World, q apply.Request, cut *points) {
	t.Helper()
	if _, found, _ := apply.Resume(q.JournalRoot, q.Plan.Cluster); !found && len(w.End(1)) == 0 {
		return // the cut came after the end
	}
	again, _, err := resume(t, w, q)
	if err != nil {
		t.Errorf("cut %d (%s): %v\n%s", cut.at, cut.where, err, texts(again, apply.Note))
		return
	}
	for _, wrong := range w.End(1) {
		t.Errorf("cut %d (%s): %s", cut.at, cut.where, wrong)
	}
	if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
		t.Errorf("cut %d (%s): unfinished: %v", cut.at, cut.where, open)
	}
}

// TestCutTwice kills a run and its resumption, at a sample of pairs of points.
func TestCutTwice(t *testing.T) {
	for first := 1; ; first += 3 {
		w := cutWorld{autolock: true}.make()
		one := &points{at: first, do: func() error { panic(kill{}) }}
		q := one.attach(w, request(thePlan(w), t.TempDir()))
		if _, _, killed := start(w.Process(), q); !killed {
			return
		}
		if first%2 == 0 {
			w.KillUnits()
		}
		two := &points{at: 1 + first*7%61, do: func() error { panic(kill{}) }}
		_, err, killed := start(w.Process(), two.attach(w, q))
		if !killed {
			if err != nil {
				t.Errorf("cut %d (%s): %v", first, one.where, err)
			}
			continue
		}
		two.where = one.where + ", then " + two.where
		finishAfterCut(t, w, q, two)
	}
}

// TestErrorAnywhere gives an error, once, at every point there is. The run may
// fail, but leaves the manager running, and the next apply reaches the end.
func TestErrorAnywhere(t *testing.T) {
	for _, autolock := range []bool{false, true} {
		for at := 1; ; at++ {
			w := cutWorld{autolock: autolock}.make()
			fault := &points{at: at, do: func() error { return errors.New("input/output error") }}
			q := fault.attach(w, request(thePlan(w), t.TempDir()))
			p := w.Process()
			_, err, _ := start(p, q)
			if fault.n < at {
				break
			}
			p.Kill()
			where := fmt.Sprintf("autolock=%v, error %d (%s)", autolock, at, fault.where)
			if st := w.State(); len(st.Swarm.Nodes) != 3 || !allUp(w) {
				t.Errorf("%s: the manager is not back: %v", where, err)
			}
			if err == nil {
				for _, wrong := range w.End(1) {
					t.Errorf("%s: %s", where, wrong)
				}
				continue
			}
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("%s: apply again: %v", where, err)
				continue
			}
			for _, wrong := range w.End(1) {
				t.Errorf("%s, apply again: %s", where, wrong)
			}
		}
	}
}

// TestErrorInResume kills a run and its host's unit, then gives an error, once,
// at every point of the resumption.
func TestErrorInResume(t *testing.T) {
	for _, port := range []string{"BeginBackup", "Store.store", "Store.manifest"} {
		for at := 1; ; at++ {
			w := cutWorld{autolock: true}.make()
			killAfter(w, port)
			q := request(thePlan(w), t.TempDir())
			start(w.Process(), q)
			w.Hook = nil
			w.Clock.Advance(2 * time.Second)
			w.KillUnits()
			fault := &points{at: at, do: func() error { return errors.New("input/output error") }}
			p := w.Process()
			_, err, _ := start(p, fault.attach(w, q))
			if fault.n < at {
				break
			}
			p.Kill()
			where := fmt.Sprintf("%s, error %d (%s)", port, at, fault.where)
			if !allUp(w) {
				t.Errorf("%s: the manager is not back: %v", where, err)
			}
			if err != nil {
				_, _, err = resume(t, w, q)
			}
			for _, wrong := range w.End(1) {
				t.Errorf("%s: %s (%v)", where, wrong, err)
			}
		}
	}
}

func allUp(w *applytest.World) bool {
	for _, h := range w.State().Hosts {
		if h.Service.ActiveState != "active" || h.Engine.LocalNodeState != "active" {
			return false
		}
	}
	return true
}
