package view_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
)

// drifted has all that the view of a drift can show.
func drifted() *plan.Drift {
	at := forced().PlannedAt
	return &plan.Drift{Cluster: "prod", ObservedAt: at, Condition: plan.Condition{Name: plan.Degraded, Reason: "m1 leads; 2 of 3 managers are reachable, quorum 2; m3 is missing"},
		Differs: []plan.Unmet{{Code: "RQ218", Goal: "m2 has the availability active", Node: "m2", Reason: "m2 has the availability drain in the swarm and is declared active.", Remedy: "Type on a manager: docker node update --availability active m2"}},
		Backups: []plan.BackupAge{
			{Backup: "state", Repository: "nas", ID: "20250309T010000Z-aaaaaa", TakenAt: at.Add(-26 * time.Hour), Age: 26 * time.Hour, MaxAge: 24 * time.Hour, Due: true, Reason: "newest verified backup is 26 h old (2025-03-09 01:00 UTC); max_age is 24 h."},
			{Backup: "weekly", Repository: "nas", MaxAge: 168 * time.Hour, Reason: "newest verified backup is 26 h old (2025-03-09 01:00 UTC); max_age is 7 days."},
		},
		Unseen: []plan.Unseen{{Node: "m3", Reason: "ssh: connect to host 10.0.0.13 port 22: no route to host."}, {Repository: "offsite", Reason: "it is not mounted."}}}
}

func TestDriftScreens(t *testing.T) {
	now := forced().PlannedAt
	nothing := &plan.Drift{Cluster: "prod", ObservedAt: now, Condition: plan.Condition{Name: plan.Healthy, Reason: "m1 leads; 3 of 3 managers are reachable, quorum 2."}}
	for name, d := range map[string]*plan.Drift{"drift": drifted(), "no-drift": nothing} {
		for _, width := range []int{80, 200} {
			var out bytes.Buffer
			s := view.Screen{Out: &out, Width: width}
			s.Observation(view.Observation{File: "prod.state.json", At: now, Now: now.Add(26 * time.Hour)})
			s.Drift(d)
			fits(t, name, out.String(), width)
			golden(t, filepath.Join("testdata", "plan", fmt.Sprintf("%s-%d.txt", name, width)), out.String())
		}
	}
}

func TestPartialPlanScreens(t *testing.T) {
	p := forced()
	p.Recovery, p.Targets = nil, []string{"backup.state", "manager-b"}
	done := &plan.Plan{Cluster: "prod", PlannedAt: p.PlannedAt, Condition: p.Condition, Targets: []string{"m1"}, Summary: "partial, for m1 alone: nothing to do"}
	for name, p := range map[string]*plan.Plan{"partial": p, "partial-done": done} {
		for _, width := range []int{80, 200} {
			var out bytes.Buffer
			view.Screen{Out: &out, Width: width}.Plan(p, "sha256:0")
			fits(t, name, out.String(), width)
			golden(t, filepath.Join("testdata", "plan", fmt.Sprintf("%s-%d.txt", name, width)), out.String())
		}
	}
}

func TestObservationOfTheFuture(t *testing.T) {
	var out bytes.Buffer
	now := forced().PlannedAt
	o := view.Observation{File: "x", At: now.Add(time.Hour), Now: now}
	view.Screen{Out: &out}.Observation(o)
	if !strings.Contains(out.String(), "dated in the future") || o.Line().AgeSeconds != -3600 {
		t.Errorf("%s, %+v", out.String(), o.Line())
	}
}

// Every line has its version, its type and a time, and the same plan has the same
// lines.
func TestEveryLineIsVersioned(t *testing.T) {
	p := forced()
	p.Targets, p.UndecidedUntil = []string{"m1"}, p.PlannedAt
	p.Unmet = []plan.Unmet{{Code: "RQ218"}}
	seen := view.Observation{File: "x", At: p.PlannedAt, Now: p.PlannedAt}.Line()
	lines := view.PlanLines(p, "sha256:0", seen)
	lines = append(lines, view.DriftLines(drifted(), "0.1.0", seen)...)
	lines = append(lines, view.DiagnosticLines(diag.Diagnostics{{Severity: diag.Error, Summary: "x"}}, p.PlannedAt)...)
	var types []string
	for _, line := range lines {
		raw, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		var have view.Line
		if err := json.Unmarshal(raw, &have); err != nil || have.FormatVersion != view.LinesVersion || have.Type == "" || !have.At.Equal(p.PlannedAt) {
			t.Errorf("%s (%v)", raw, err)
		}
		types = append(types, have.Type)
	}
	const want = "version observation condition partial undecided recovery planned_step planned_step planned_step hazard unmet plan_summary " +
		"version observation condition difference backup_age backup_age unseen unseen drift_summary diagnostic"
	if have := strings.Join(types, " "); have != want {
		t.Errorf("%s\nwant %s", have, want)
	}
}
