package apply_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// fault is a run that fails, what it must say, and how the next apply ends.
type fault struct {
	name     string
	autolock bool
	set      func(*applytest.Faults)
	says     []string // in the error; nil: the run succeeds all the same
	code     string
	runsLeft int // on m2 after the failed run
	stops    int // in all, after the next apply
}

var faults = []fault{
	{name: "the copy fails", set: func(f *applytest.Faults) { f.FailCopy = true },
		says: []string{"m2", "no space left on device", "m2 is back", "requeen apply again"}, stops: 2},
	{name: "the copy fails, autolocked", autolock: true, set: func(f *applytest.Faults) { f.FailCopy = true },
		says: []string{"no space left on device", "m2 is back"}, stops: 2},
	{name: "the engine is started meanwhile", set: func(f *applytest.Faults) { f.NotIntact = true },
		says: []string{"can't be trusted", "m2 is back"}, stops: 2},
	{name: "the unit fails after the copy", autolock: true, set: func(f *applytest.Faults) { f.FailStart = true }, stops: 1},
	{name: "the unit ends before the stop", set: func(f *applytest.Faults) { f.DieAfter = state.PhasePrepared },
		says: []string{"ended before it stopped the engine"}, stops: 1},
	{name: "the unit ends with the engine down", set: func(f *applytest.Faults) { f.DieAfter = state.PhaseStopped },
		says: []string{"ended before the copy was whole", "m2 is back"}, stops: 2},
	{name: "the unit ends with the engine down, autolocked", autolock: true, set: func(f *applytest.Faults) { f.DieAfter = state.PhaseStopped },
		says: []string{"ended before the copy was whole", "m2 is back"}, stops: 2},
	{name: "the unit ends after the copy", set: func(f *applytest.Faults) { f.DieAfter = state.PhaseCopied }, stops: 1},
	{name: "the unit ends after the copy, autolocked", autolock: true, set: func(f *applytest.Faults) { f.DieAfter = state.PhaseCopied }, stops: 1},
	{name: "the unit ends before the unlock", autolock: true, set: func(f *applytest.Faults) { f.DieAfter = state.PhaseStarted }, stops: 1},
	{name: "the swarm goes on to see the manager as down", set: func(f *applytest.Faults) { f.NeverReady = true },
		says: []string{"m2 is back", "The leader sees m2 as down", "systemctl restart docker on m2"}, runsLeft: 1, stops: 1},
	{name: "the copy does not verify", set: func(f *applytest.Faults) { f.Unreadable = true }, code: diag.BackupUnreadable,
		says: []string{"m2", "the log has a gap", "nothing was stored", "removed from the host"}, stops: 2},
	{name: "the repository is full", set: func(f *applytest.Faults) { f.Full = true }, code: diag.RepositoryUnusable,
		says: []string{"no space left in the bucket", "The copy stays on m2", "no manager is stopped a second time"}, runsLeft: 1, stops: 1},
}

// TestFaults breaks the world once: the manager always comes back, the error
// says what happened, and the next apply reaches the end.
func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			w := cutWorld{autolock: f.autolock}.make()
			f.set(&w.Faults)
			q := request(thePlan(w), t.TempDir())
			p := w.Process()
			_, err, _ := start(p, q)
			if !allUp(w) {
				t.Errorf("the manager is not back")
			}
			if f.says == nil {
				if err != nil {
					t.Fatal(err)
				}
			} else {
				checkFault(t, w, f, err)
				w.Faults = applytest.Faults{}
				if _, _, err := resume(t, w, q); err != nil {
					t.Fatal(err)
				}
			}
			mustEnd(t, w, 1)
			if w.Stops() != f.stops {
				t.Errorf("%d stops, want %d", w.Stops(), f.stops)
			}
		})
	}
}

func checkFault(t *testing.T, w *applytest.World, f fault, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range f.says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q lacks %q", err, s)
		}
	}
	var d diag.Diagnostic
	if !errors.As(err, &d) || d.Remedy == "" || d.Node != "m2" || f.code != "" && d.Code != f.code {
		t.Errorf("diagnostic %+v", d)
	}
	st := w.State()
	if n := len(st.Host("m2").Runs); n != f.runsLeft {
		t.Errorf("%d runs left on m2, want %d", n, f.runsLeft)
	}
	if st.Repositories[0].Lock != nil {
		t.Error("the lock is still held")
	}
}

// TestHostAway loses the connection to the host while its unit is at work, for
// a while and for good.
func TestHostAway(t *testing.T) {
	lose := func(w *applytest.World, back time.Duration) {
		var since time.Time
		w.Hook = func(c applytest.Call) error {
			if c.Port == "BeginBackup" && c.Stage == applytest.After {
				w.Faults.Unreached = map[string]bool{"m2": true}
				since = w.Clock.Now()
			}
			if back > 0 && !since.IsZero() && w.Clock.Now().Sub(since) > back {
				w.Faults.Unreached = nil
			}
			return nil
		}
	}
	t.Run("for a while", func(t *testing.T) {
		w := applytest.New(3)
		lose(w, 20*time.Second)
		p := w.Process()
		if _, err, _ := start(p, request(thePlan(w), t.TempDir())); err != nil {
			t.Fatal(err)
		}
		mustEnd(t, w, 1)
		notes := texts(p, apply.Note)
		if !strings.Contains(notes, "m2 gives no answer now; its own unit goes on: the engine is started again by the host itself by ") ||
			!strings.Contains(notes, "m2 answers again") || strings.Count(notes, "gives no answer") != 1 {
			t.Errorf("notes:\n%s", notes)
		}
	})
	t.Run("for good", func(t *testing.T) {
		w := applytest.New(3)
		lose(w, 0)
		q := request(thePlan(w), t.TempDir())
		_, err, _ := start(w.Process(), q)
		var d diag.Diagnostic
		if !errors.As(err, &d) || d.Code != diag.HostUnreachable || !strings.Contains(d.Detail, "started again by the host itself by") ||
			!strings.Contains(d.Remedy, "requeen apply again") {
			t.Errorf("%v", err)
		}
		w.Faults.Unreached = nil
		if _, _, err := resume(t, w, q); err != nil {
			t.Fatal(err)
		}
		mustEnd(t, w, 1)
		if w.Stops() != 1 {
			t.Errorf("%d stops", w.Stops())
		}
	})
}

// TestLaunchLost drops the connection while the host takes over, before and
// after it did.
func TestLaunchLost(t *testing.T) {
	for _, stage := range []string{applytest.Before, applytest.After} {
		w := applytest.New(3)
		once := true
		w.Hook = func(c applytest.Call) error {
			if c.Port == "BeginBackup" && c.Stage == stage && once {
				once = false
				return errors.New("connection reset")
			}
			return nil
		}
		q := request(thePlan(w), t.TempDir())
		_, err, _ := start(w.Process(), q)
		if (err != nil) != (stage == applytest.Before) {
			t.Errorf("%s: %v", stage, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "its engine was not stopped") {
				t.Error(err)
			}
			if _, _, err := resume(t, w, q); err != nil {
				t.Fatal(err)
			}
		}
		mustEnd(t, w, 1)
	}
}

// TestProgress tells of waits about once a second, and no more.
func TestProgress(t *testing.T) {
	w := applytest.New(3)
	p := w.Process()
	if _, err, _ := start(p, request(thePlan(w), t.TempDir())); err != nil {
		t.Fatal(err)
	}
	var last time.Time
	waits := 0
	for _, e := range p.Events {
		if e.Type != apply.StepProgress || e.Stage != "" {
			continue
		}
		waits++
		if e.At.Sub(last) < time.Second {
			t.Errorf("progress after %v", e.At.Sub(last))
		}
		last = e.At
	}
	if waits == 0 {
		t.Error("no wait was told of")
	}
	if p.Events[0].Type != apply.RunStarted || p.Events[len(p.Events)-1].Type != apply.RunDone {
		t.Errorf("from %v to %v", p.Events[0].Type, p.Events[len(p.Events)-1].Type)
	}
}
