package apply_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/plan"
)

// TestUnopenedBackupLeavesNothing: a backup that can't be opened is refused before
// any host is touched, no run is left to finish, and the same plan serves once it
// opens.
func TestUnopenedBackupLeavesNothing(t *testing.T) {
	w := losses[2].make()
	q := approved(recoveryPlan(t, w), t.TempDir())
	calls := map[string]int{}
	w.Hook = func(c applytest.Call) error {
		calls[c.Port]++
		if c.Port == "Prepare" {
			return errors.New("it does not open")
		}
		return nil
	}
	_, err, _ := start(w.Process(), q)
	var run *apply.RunError
	if !errors.As(err, &run) || !strings.Contains(run.Diag.Detail, "it does not open. Nothing was stopped.") {
		t.Fatal(err)
	}
	if calls["Hold"]+calls["Fence"] > 0 {
		t.Errorf("it went as far as %v", calls)
	}
	if list, err := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); err != nil || len(list) > 0 {
		t.Errorf("left to finish: %v, %v", list, err)
	}
	if w.State().Repositories[0].Lock != nil {
		t.Error("the lock is still held")
	}
	w.Hook = nil
	if _, err, _ := start(w.Process(), q); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range recovered(w) {
		t.Error(wrong)
	}
}

// TestBackupBehindARecoveryMayGoStale: where the manager that was to be backed up at
// the end of a recovery is not there any more, the recovery is done all the same,
// and no run is left to finish.
func TestBackupBehindARecoveryMayGoStale(t *testing.T) {
	w := losses[0].make()
	q := approved(recoveryPlan(t, w), t.TempDir())
	last := ""
	for _, s := range q.Plan.Steps {
		if s.Kind == plan.Stop {
			last = s.Node
		}
	}
	joined := false
	w.Hook = func(c applytest.Call) error {
		joined = joined || c.Port == "JoinSwarm" && c.Node == last
		if joined && c.Port == "Observe" { // the backup's guard
			w.SetEngine(last, false)
		}
		return nil
	}
	_, err, _ := start(w.Process(), q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || stale.Node != last {
		t.Fatal(err)
	}
	if list, err := apply.Unfinished(q.JournalRoot, q.Plan.Cluster); err != nil || len(list) > 0 {
		t.Errorf("left to finish: %v, %v", list, err)
	}
}
