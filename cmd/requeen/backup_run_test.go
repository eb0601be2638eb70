package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan/planfile"
)

// goldenPlan reads a plan of plan/testdata.
func goldenPlan(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "plan", "testdata", name, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A schedule runs whatever a declared backup takes, with its data and its copies, and
// nothing that somebody is to look at first.
func TestWhatAScheduleRuns(t *testing.T) {
	for name, runs := range map[string]bool{
		"due": true, "autolocked": true, "data": true, "data-continue": true, "data-at-rest": true, "copies-due": true, "copies-missing": true, "prune-and-due": true, "leftover-adoptable": true,
		"restore": false, "force": false, "data-restore": false, "shape-labels": false, "grow-wiped": false, "schedule-and-due": false, "rotate-cut": false,
	} {
		p, _, err := planfile.Decode(goldenPlan(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Steps) == 0 {
			t.Errorf("%s has no step: it tells nothing", name)
		}
		if err := backupOnly(p); (err == nil) != runs {
			t.Errorf("%s: %v, and it runs: %v", name, err, runs)
		}
	}
}

// A run that could not even begin is the last run that failed, for whoever watches.
func TestARunThatCannotBeginIsLeftAsFailed(t *testing.T) {
	dir := t.TempDir()
	f := backupRunFlags{given: given{dir: filepath.Join(dir, "gone")}, name: "state", last: filepath.Join(dir, "last")}
	a := &app{now: time.Now}
	if err := a.backupRun(t.Context(), f); err == nil {
		t.Fatal("there is nothing to run with, and it ran")
	}
	text, err := os.ReadFile(f.last)
	var run state.ScheduledRun
	if err != nil || json.Unmarshal(text, &run) != nil || run.OK || run.EndedAt.IsZero() {
		t.Errorf("%s (%v)", text, err)
	}
}
