package apply_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
)

func journalDir(q apply.Request) string {
	return filepath.Join(q.JournalRoot, q.Plan.Cluster, strings.TrimPrefix(q.Digest, "sha256:"))
}

// TestJournalFiles are private, lines of JSON, and hold the plan's bytes.
func TestJournalFiles(t *testing.T) {
	w := applytest.New(3)
	killAfter(w, "Reachable")
	q := request(thePlan(w), filepath.Join(t.TempDir(), "state"))
	start(w.Process(), q)
	for _, f := range []struct {
		path string
		mode os.FileMode
	}{{journalDir(q), 0o700}, {filepath.Join(journalDir(q), "journal"), 0o600}, {filepath.Join(journalDir(q), "plan.json"), 0o600}} {
		info, err := os.Stat(f.path)
		if err != nil || info.Mode().Perm() != f.mode {
			t.Errorf("%s: %v %v", f.path, info.Mode(), err)
		}
	}
	data, _ := os.ReadFile(filepath.Join(journalDir(q), "plan.json"))
	if string(data) != string(q.PlanBytes) {
		t.Errorf("plan.json: %q", data)
	}
	j, found, err := apply.Resume(q.JournalRoot, q.Plan.Cluster)
	if err != nil || !found || j.Digest != q.Digest || j.Running {
		t.Errorf("%+v %v %v", j, found, err)
	}
}

// TestDamagedJournal is refused: a line in its middle that is not JSON.
func TestDamagedJournal(t *testing.T) {
	w := applytest.New(3)
	killAfter(w, "Reachable")
	q := request(thePlan(w), t.TempDir())
	start(w.Process(), q)
	path := filepath.Join(journalDir(q), "journal")
	data, _ := os.ReadFile(path)
	if err := os.WriteFile(path, append([]byte("{\"type\":\n"), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Hook = nil
	_, err, _ := start(w.Process(), q)
	if err == nil || !strings.Contains(err.Error(), "line 1 is damaged") {
		t.Error(err)
	}
}

// TestTwoRunsOfOneJournal race: one runs, the other is told so.
func TestTwoRunsOfOneJournal(t *testing.T) {
	w := applytest.New(3)
	q := request(thePlan(w), t.TempDir())
	inside, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.Hook = func(c applytest.Call) error {
		once.Do(func() { close(inside); <-release })
		return nil
	}
	done := make(chan error)
	first := w.Process()
	go func() {
		_, err, _ := start(first, q)
		done <- err
	}()
	<-inside
	_, err, _ := start(w.Process(), q)
	var busy *apply.BusyError
	if !errors.As(err, &busy) {
		t.Error(err)
	}
	if j, found, err := apply.Resume(q.JournalRoot, q.Plan.Cluster); err != nil || !found || !j.Running {
		t.Errorf("%+v %v %v", j, found, err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	mustEnd(t, w, 1)
}

// TestAbandon gives up a cut run at every point there is: the manager is back,
// nothing but a whole copy is left on the host, and the journal is closed.
func TestAbandon(t *testing.T) {
	left := map[int]int{}
	for at := 1; ; at++ {
		w := cutWorld{autolock: true}.make()
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		q := cut.attach(w, request(thePlan(w), t.TempDir()))
		if _, _, killed := start(w.Process(), q); !killed {
			break
		}
		if at%2 == 0 {
			w.KillUnits()
		}
		w.Hook = nil
		p := w.Process()
		if err := apply.Abandon(t.Context(), p.Ports(), apply.WithFault(q, nil)); err != nil {
			t.Errorf("cut %d (%s): %v", at, cut.where, err)
		}
		if open, _ := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); len(open) > 0 || !allUp(w) {
			t.Errorf("cut %d (%s): unfinished %v, all up %v", at, cut.where, open, allUp(w))
		}
		runs := w.State().Host("m2").Runs
		left[len(runs)]++
		if len(runs) > 0 && !runs[0].CopyIntact {
			t.Errorf("cut %d (%s): a broken copy is left", at, cut.where)
		}
	}
	if left[0] == 0 || left[1] == 0 {
		t.Errorf("runs left: %v", left)
	}
}
