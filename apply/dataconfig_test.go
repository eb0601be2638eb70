package apply_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
)

// TestAnotherConfigurationClosesTheReading: a source that can't be read and is edited
// away would fail for ever, were the plan that was cut gone on with. Every service is
// back, also where the program was killed.
func TestAnotherConfigurationClosesTheReading(t *testing.T) {
	for name, cut := range map[string]string{"failed": "", "killed": "StoreData"} {
		t.Run(name, func(t *testing.T) {
			w, p := withData(nil)
			w.Unread = map[string]bool{"volume.pgdata": true}
			if cut != "" {
				killAfter(w, cut)
			}
			q := request(p, t.TempDir())
			if _, err, killed := start(w.Process(), q); err == nil && !killed {
				t.Fatal("what can't be read was read")
			}
			w.Hook = nil
			if _, _, err := resume(t, w, q); err == nil || errors.As(err, new(*apply.StaleError)) {
				t.Fatalf("with the same configuration: %v", err)
			}
			q.ConfigSHA256 = "another"
			_, _, err := resume(t, w, q)
			var stale *apply.StaleError
			if !errors.As(err, &stale) || !stale.Closed || !strings.Contains(err.Error(), "configuration was changed") {
				t.Errorf("with another configuration: %v", err)
			}
			if _, found, _ := apply.Resume(q.JournalRoot, p.Cluster); found {
				t.Error("the run is still to be finished")
			}
			for _, wrong := range w.AtScale() {
				t.Error(wrong)
			}
		})
	}
}
