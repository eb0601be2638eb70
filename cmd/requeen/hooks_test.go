package main

import (
	"bytes"
	"encoding/json"
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
	"github.com/requeen/requeen/schema"
)

// hooked is a session whose hooks write what they get into files of a directory.
func hooked(t *testing.T, failure ...string) (s *session, dir string, said *bytes.Buffer) {
	t.Helper()
	dir, said = t.TempDir(), new(bytes.Buffer)
	if failure == nil {
		failure = []string{"/bin/sh", "-c", `cat >>"$1"`, "hook", filepath.Join(dir, "failure")}
	}
	now := time.Date(2026, 3, 1, 3, 10, 30, 0, time.UTC)
	return &session{app: &app{err: said, out: said, now: func() time.Time { return now }}, cfg: &schema.Config{Cluster: schema.Cluster{Name: "prod"},
		Backups: []schema.Backup{{Name: "state", Repository: "offsite", OnFailure: failure,
			OnSuccess: []string{"/bin/sh", "-c", `cat >>"$1"`, "hook", filepath.Join(dir, "success")}}}}}, dir, said
}

func backupPlan() *plan.Plan {
	return &plan.Plan{Steps: []plan.Step{{ID: 1, Kind: plan.Verify, Node: "m2", Backup: "state"}}}
}

func event(t *testing.T, dir, name string) (e hookEvent) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return e
}

func TestHooks(t *testing.T) {
	s, dir, _ := hooked(t)
	began := s.app.now().Add(-20 * time.Second)
	made := state.Backup{ID: "20260301T031012Z-abcdef", Kind: state.KindRegular, Backup: "state", Node: "m2", TakenAt: began.Add(2 * time.Second), Verified: "raft",
		Stored: []state.StoredObject{{Size: 40}, {Size: 2}}}
	s.hooks(backupPlan(), apply.Result{Backups: []state.Backup{made}}, began, nil)
	if e := event(t, dir, "success"); e.Event != eventSucceeded || e.Cluster != "prod" || e.Backup != "state" || e.Repository != "offsite" ||
		e.ID != made.ID || e.Bytes != 42 || e.Verified != "raft" || e.Seconds != 20 || e.Error != "" {
		t.Errorf("the event is %+v", e)
	}
	failed := diag.Diagnostic{Severity: diag.Error, Code: diag.BackupUnreadable, Summary: "The copy does not verify", Detail: "A gap.", Remedy: "Look."}
	s.hooks(backupPlan(), apply.Result{}, began, failed)
	if e := event(t, dir, "failure"); e.Event != eventFailed || e.Code != diag.BackupUnreadable || e.Error != "The copy does not verify. A gap." || e.Remedy == "" || e.ID != "" {
		t.Errorf("the event is %+v", e)
	}
}

// TestHooksStayQuiet: an interrupt is nobody's failure, and one that met another run tries
// again.
func TestHooksStayQuiet(t *testing.T) {
	s, dir, _ := hooked(t)
	for _, err := range []error{apply.ErrInterrupted, &apply.HeldError{Repository: "offsite"}} {
		s.hooks(backupPlan(), apply.Result{}, s.app.now(), err)
	}
	if list, _ := os.ReadDir(dir); len(list) > 0 {
		t.Errorf("run were %v", list)
	}
}

// TestHookFails: that is a warning, also where the hook does not end.
func TestHookFails(t *testing.T) {
	was := hookTime
	hookTime = 200 * time.Millisecond
	defer func() { hookTime = was }()
	for word, command := range map[string][]string{
		"exit status 3":  {"/bin/sh", "-c", "exit 3"},
		"no such file":   {"/nowhere/hook"},
		"did not end in": {"/bin/sh", "-c", "sleep 60 & sleep 60"},
	} {
		s, _, said := hooked(t, command...)
		s.hooks(backupPlan(), apply.Result{}, s.app.now(), errors.New("broken"))
		text := strings.Join(strings.Fields(said.String()), " ")
		if !strings.Contains(text, "on_failure of backup state failed") || word != "did not end in" && !strings.Contains(text, word) {
			t.Errorf("%s: said was %s", word, text)
		}
	}
}

// TestBackupOnly: a schedule's run does nothing that nobody has looked at.
func TestBackupOnly(t *testing.T) {
	for _, s := range []plan.Step{{Kind: plan.Stop, Backup: "state", Risk: plan.Interrupts}, {Kind: plan.PruneBackups, Backup: "state", Risk: plan.Safe}} {
		if err := backupOnly(&plan.Plan{Steps: []plan.Step{s}}); err != nil {
			t.Errorf("%s: %v", s.Kind, err)
		}
	}
	for _, s := range []plan.Step{{Kind: plan.Promote}, {Kind: plan.Init, Recovery: "r"}, {Kind: plan.Fence, Risk: plan.Destructive}, {Kind: plan.PutSchedule}, {Kind: plan.RemoveNode}} {
		if backupOnly(&plan.Plan{Steps: []plan.Step{s}}) == nil {
			t.Errorf("%s is run", s.Kind)
		}
	}
}

// TestNotMade: only what keeps this backup from being made is its failure.
func TestNotMade(t *testing.T) {
	verify := []plan.Step{{Kind: plan.Verify, Backup: "state"}}
	other := plan.Unmet{Code: diag.RunInProgress, Goal: `backup "other": a verified backup`}
	busy := plan.Unmet{Code: diag.RunInProgress, Goal: `backup "state": a verified backup`}
	if err := notMade(&plan.Plan{Steps: verify, Unmet: []plan.Unmet{other}}, "state", true); err != nil {
		t.Errorf("made, and told is %v", err)
	}
	if err := notMade(&plan.Plan{}, "state", false); err != nil {
		t.Errorf("not asked for, and told is %v", err)
	}
	var again *waitError
	if err := notMade(&plan.Plan{Unmet: []plan.Unmet{busy}}, "state", true); !errors.As(err, &again) {
		t.Errorf("a run is in progress, and told is %v", err)
	}
	if err := notMade(&plan.Plan{Steps: verify[:0]}, "state", true); err == nil || errors.As(err, &again) {
		t.Errorf("nothing was made, and told is %v", err)
	}
}
