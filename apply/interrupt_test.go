package apply_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
)

// TestInterruptAnywhere asks to stop at every point there is: the manager runs
// at the end, no lock is held, and the next apply goes on.
func TestInterruptAnywhere(t *testing.T) {
	for _, autolock := range []bool{false, true} {
		stopped, whole := 0, 0
		for at := 1; ; at++ {
			w := cutWorld{autolock: autolock}.make()
			ask := make(chan struct{})
			when := &points{at: at, do: func() error { close(ask); return nil }}
			q := when.attach(w, request(thePlan(w), t.TempDir()))
			q.Interrupt = ask
			p := w.Process()
			_, err, _ := start(p, q)
			if when.n < at {
				break
			}
			where := fmt.Sprintf("autolock=%v, interrupt %d (%s)", autolock, at, when.where)
			if !allUp(w) {
				t.Errorf("%s: the manager is not back", where)
			}
			if st := w.State(); st.Repositories[0].Lock != nil {
				t.Errorf("%s: the lock is still held", where)
			}
			if err == nil {
				whole++
				continue
			}
			stopped++
			var told *apply.InterruptedError
			if !errors.Is(err, apply.ErrInterrupted) || !errors.As(err, &told) || !strings.Contains(told.Next, "requeen apply") {
				t.Errorf("%s: %v", where, err)
			}
			q.Interrupt = nil
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("%s: apply again: %v", where, err)
			}
			for _, wrong := range w.End(1) {
				t.Errorf("%s: apply again: %s", where, wrong)
			}
			if w.Stops() != 1 {
				t.Errorf("%s: %d stops", where, w.Stops())
			}
		}
		if stopped == 0 || whole == 0 {
			t.Errorf("%d stopped, %d whole", stopped, whole)
		}
	}
}

// TestLockLostAnywhere takes the lock away at every point there is: the run
// has no further effect, and tells whether the manager is back.
func TestLockLostAnywhere(t *testing.T) {
	effects := []string{"BeginBackup", "StartEngine", "Unlock", "RemoveRun", "Store.fetch", "Store.prove", "Store.store", "Store.manifest"}
	lost := 0
	for at := 1; ; at++ {
		w := cutWorld{autolock: true}.make()
		p := w.Process()
		gone := false
		when := &points{at: at, do: func() error { p.LoseLocks(); gone = p.Locks() > 0; return nil }}
		q := when.attach(w, request(thePlan(w), t.TempDir()))
		inner := w.Hook
		var after []string
		w.Hook = func(c applytest.Call) error {
			if gone && c.Stage == applytest.Before && slices.Contains(effects, c.Port) {
				after = append(after, c.Port)
			}
			return inner(c)
		}
		_, err, _ := start(p, q)
		if when.n < at {
			break
		}
		where := fmt.Sprintf("lost at %d (%s)", at, when.where)
		if !allUp(w) {
			t.Errorf("%s: the manager is not back", where)
		}
		if err == nil {
			continue
		}
		var told *apply.LockLostError
		if !errors.As(err, &told) {
			t.Errorf("%s: %v", where, err)
			continue
		}
		lost++
		if len(after) > 0 {
			t.Errorf("%s: afterwards %v", where, after)
		}
		p.Kill()
		if _, _, err := resume(t, w, q); err != nil {
			t.Errorf("%s: apply again: %v", where, err)
		}
		for _, wrong := range w.End(1) {
			t.Errorf("%s: apply again: %s", where, wrong)
		}
	}
	if lost < 20 {
		t.Errorf("lost only %d times", lost)
	}
}
