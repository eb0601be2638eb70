package apply_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
)

// locked is the loss of an auto-locked swarm.
func locked(t *testing.T) loss {
	t.Helper()
	for _, l := range losses {
		if l.name == "force-locked" {
			return l
		}
	}
	t.Fatal("no such loss")
	return loss{}
}

// ends runs what ends with a code.
func ends(t *testing.T, w *applytest.World, q apply.Request, code string) *apply.RunError {
	t.Helper()
	_, err, _ := start(w.Process(), q)
	var run *apply.RunError
	if !errors.As(err, &run) || run.Diag.Code != code {
		t.Fatalf("want %s, have %v", code, err)
	}
	return run
}

// TestKeyIsDeliveredAgain: a new key that did not reach its place is said to be known
// to the managers alone, and the next apply delivers that one and makes no other.
func TestKeyIsDeliveredAgain(t *testing.T) {
	w := locked(t).make()
	w.Faults.Undelivered = true
	q := approved(recoveryPlan(t, w), t.TempDir())
	run := ends(t, w, q, diag.KeyNotDelivered)
	if text := run.Error() + run.Diag.Remedy; !strings.Contains(text, "docker swarm unlock-key") || !strings.Contains(text, "only its live managers") {
		t.Errorf("said: %s", text)
	}
	w.Faults.Undelivered = false
	if _, _, err := resume(t, w, q); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range recovered(w) {
		t.Error(wrong)
	}
}

// TestAFailingCheckStopsTheRun: no manager is stopped for the backup, and the next
// apply goes on with the command that failed.
func TestAFailingCheckStopsTheRun(t *testing.T) {
	w := losses[0].make()
	w.Faults.FailingCheck = "second"
	stopped := false
	w.Hook = func(c applytest.Call) error {
		stopped = stopped || c.Port == "BeginBackup"
		return nil
	}
	q := approved(recoveryPlan(t, w), t.TempDir())
	run := ends(t, w, q, diag.CheckFailed)
	if text := run.Error(); !strings.Contains(text, "second") || !strings.Contains(text, "not yet") {
		t.Errorf("said: %s", text)
	}
	if stopped {
		t.Error("a manager was stopped for a backup of a swarm that does not serve")
	}
	w.Faults.FailingCheck, w.Hook = "", nil
	if _, _, err := resume(t, w, q); err != nil {
		t.Fatal(err)
	}
	if ran := strings.Join(w.Checks(), " "); ran != "first second" {
		t.Errorf("ran: %s", ran)
	}
	for _, wrong := range recovered(w) {
		t.Error(wrong)
	}
}

// TestAMendedCommandClosesTheRun: the plan's own command would fail for ever.
func TestAMendedCommandClosesTheRun(t *testing.T) {
	w := losses[0].make()
	w.Faults.FailingCheck = "second"
	q := approved(recoveryPlan(t, w), t.TempDir())
	ends(t, w, q, diag.CheckFailed)
	q.ConfigSHA256 = "another"
	_, _, err := resume(t, w, q)
	var stale *apply.StaleError
	if !errors.As(err, &stale) || !strings.Contains(err.Error(), "second") {
		t.Fatal(err)
	}
	proc := w.Process()
	w.FreeDeadLocks()
	if err := apply.Abandon(t.Context(), proc.Ports(), q); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := apply.Resume(q.JournalRoot, q.Plan.Cluster); found {
		t.Error("the run is still to be finished")
	}
}
