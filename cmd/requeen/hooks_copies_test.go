package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// A backup of which a copy failed does not count: its hook for failure is run, and not
// that for success; what fails after the copies is no failure of the backup.
func TestHooksOfCopies(t *testing.T) {
	p := &plan.Plan{Steps: []plan.Step{{ID: 1, Kind: plan.Verify, Node: "m2", Backup: "state", Repository: "offsite"},
		{ID: 2, Kind: plan.CopyBackup, Backup: "state", Repository: "nas"}, {ID: 3, Kind: plan.PruneBackups, Backup: "state", Repository: "nas"}}}
	at := func(step int) error {
		return &apply.RunError{Step: step, Err: errors.New("no room"), Diag: diag.Diagnostic{Severity: diag.Error, Summary: "It failed"}}
	}
	for name, c := range map[string]struct {
		err              error
		success, failure bool
	}{
		"all done":           {nil, true, false},
		"the copy failed":    {at(2), false, true},
		"the prune failed":   {at(3), true, false},
		"it ended elsewhere": {errors.New("the lock is lost"), false, true},
		"interrupted":        {apply.ErrInterrupted, false, false},
	} {
		s, dir, _ := hooked(t)
		began := s.app.now().Add(-20 * time.Second)
		s.hooks(p, apply.Result{Backups: []state.Backup{{ID: "20260301T031012Z-abcdef", Kind: state.KindRegular, Backup: "state", TakenAt: began}}}, began, c.err)
		ran := func(hook string) bool {
			_, err := os.Stat(filepath.Join(dir, hook))
			return err == nil
		}
		if ran("success") != c.success || ran("failure") != c.failure {
			t.Errorf("%s: on_success %v, on_failure %v", name, ran("success"), ran("failure"))
		}
		if s.hooked["state"] != c.failure {
			t.Errorf("%s: it is noted that on_failure was run: %v", name, s.hooked)
		}
	}
}

// A backup that is suspect counts for nothing, and nobody is told that one was made.
func TestHookOfASuspectBackup(t *testing.T) {
	s, dir, _ := hooked(t)
	began := s.app.now().Add(-20 * time.Second)
	s.hooks(backupPlan(), apply.Result{Backups: []state.Backup{{ID: "20260301T031012Z-abcdef", Kind: state.KindRegular, Backup: "state", TakenAt: began,
		Suspect: []string{"it counts 0 services, the backup before 41"}}}}, began, nil)
	if e := event(t, dir, "failure"); e.Event != eventFailed || e.Code != diag.SuspectBackup || !strings.Contains(e.Error, "0 services") || e.Remedy == "" {
		t.Errorf("the event is %+v", e)
	}
	if _, err := os.Stat(filepath.Join(dir, "success")); err == nil {
		t.Error("and on_success was run")
	}
}

// What fails once the backup is made, as a prune may, is not told as its failure beside
// its success.
func TestWhatWasMadeHasNotFailed(t *testing.T) {
	s := &session{made: []state.Backup{{Backup: "state", Kind: state.KindRegular}, {Backup: "weekly", Kind: state.KindSafety}}}
	for name, made := range map[string]bool{"state": true, "weekly": false, "other": false} {
		if s.hasMade(name) != made {
			t.Errorf("%s was made: %v", name, !made)
		}
	}
}
