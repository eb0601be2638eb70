package apply_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
)

// TestRecoveryAgainAfterItsEnd applies a recovery that was carried out: there is
// nothing to do as long as its swarm answers. Once that is lost, the same plan is
// no way back, and says so each time.
func TestRecoveryAgainAfterItsEnd(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			w := l.make()
			q := approved(recoveryPlan(t, w), t.TempDir())
			if _, err, _ := start(w.Process(), q); err != nil {
				t.Fatal(err)
			}
			ended := w.Clock.Now().UTC().Format("2006-01-02T15:04:05Z")
			keys, _ := w.Keys()
			checks := len(w.Checks())
			looks := map[string]bool{"Observe": true, "Find": true}
			w.Hook = func(c applytest.Call) error {
				if !looks[c.Port] {
					t.Errorf("%s %s is called again", c.Port, c.Node)
				}
				return nil
			}
			res, err, _ := start(w.Process(), q)
			if err != nil || len(res.Skipped) != len(q.Plan.Steps) {
				t.Errorf("%v, skipped %v", err, res.Skipped)
			}
			for _, wrong := range recovered(w) {
				t.Error(wrong)
			}
			for _, m := range []string{"m1", "m2", "m3"} {
				w.SetEngine(m, false)
			}
			for range 2 {
				w.Clock.Advance(60e9)
				_, err, _ = start(w.Process(), q)
				var stale *apply.StaleError
				if !errors.As(err, &stale) || !strings.Contains(err.Error(), "carried out already, at "+ended) {
					t.Error(err)
				}
			}
			if made, _ := w.Keys(); made != keys || len(w.Checks()) != checks {
				t.Errorf("%d keys, %d checks", made, len(w.Checks()))
			}
			if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 {
				t.Errorf("left to finish: %v", open)
			}
		})
	}
}
