package view_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
)

// forced is a plan of a forced cluster with all that its view can show.
func forced() *plan.Plan {
	at := time.Date(2025, 3, 10, 3, 0, 1, 0, time.UTC)
	id := "20250310T030001Z-5f0c9a"
	one := plan.Margin{Managers: 1, Up: 1, Quorum: 1}
	return &plan.Plan{Cluster: "prod", PlannedAt: at, Condition: plan.Condition{Name: plan.Leaderless, Reason: "m1 can't be reached, and no leader is seen for two minutes."},
		Recovery: &plan.Recovery{ID: id, Rung: plan.RungForce, Node: "manager-b", Address: "10.0.0.12:2377", Autolock: true, Expires: at.Add(time.Hour),
			Survivors: []plan.Survivor{{Node: "manager-b", Term: 16, Index: 960, Commit: 959, Chosen: true},
				{Node: "m3", Term: 15, Index: 944, Commit: 944, Loses: "the entries 945 to 960, which manager-b has"}},
			Unfenced: []plan.Unfenced{{Node: "m1", Address: "10.0.0.11:2377", Acknowledged: true}, {Address: "10.0.0.14:2377"}}},
		Steps: []plan.Step{
			{ID: 1, Kind: plan.Unlock, Node: "manager-b", With: []string{"m3", "m4"}, Recovery: id, Reason: "All get the key at once.", Risk: plan.Safe, Margin: plan.Margin{Managers: 3, Quorum: 2, Spare: -2}},
			{ID: 2, Kind: plan.Restore, Node: "manager-b", Recovery: id, Reason: "The prepared directory takes the place of manager-b's swarm directory, which is set aside beside it and not removed.", Risk: plan.Destructive, Margin: plan.Margin{Managers: 3, Quorum: 2, Spare: -2}},
			{ID: 3, Kind: plan.RemoveNode, Node: "m3", Recovery: id, Reason: "The entry is from before.", Risk: plan.Safe, Margin: one},
		},
		Hazards: []plan.Hazard{{Code: "RQ121", Step: 2, Text: "The manager at 10.0.0.14:2377 can't be reached, so it can't be fenced: nobody has said that it is gone for good.", Remedy: "Make sure that it is off and stays off."}},
		Summary: "1 recovery, out of manager-b"}
}

func TestRecoveryPlanScreens(t *testing.T) {
	undecided := &plan.Plan{Cluster: "prod", PlannedAt: forced().PlannedAt, Condition: forced().Condition, UndecidedUntil: forced().PlannedAt.Add(2 * time.Minute),
		Unmet: []plan.Unmet{{Code: "RQ221", Goal: `the cluster "prod" answers with a leader`, Reason: "No leader is seen, and an election can take two minutes.", Remedy: "Wait until then; plan does so by itself."}}}
	restored := forced()
	restored.Recovery = &plan.Recovery{ID: restored.Recovery.ID, Rung: plan.RungRestore, Node: "m1", Address: "10.0.0.11:2377", Backup: "20250309T010000Z-aaaaaa",
		Repository: "nas", FreshIdentity: true, ParentEpoch: "20250101T000000Z-bbbbbb"}
	for name, p := range map[string]*plan.Plan{"forced": forced(), "undecided": undecided, "restored": restored, "prune": reviewed(t, "prune").Plan} {
		for _, width := range []int{80, 200} {
			var out bytes.Buffer
			view.Screen{Out: &out, Width: width}.Plan(p, "sha256:0")
			fits(t, name, out.String(), width)
			golden(t, filepath.Join("testdata", "plan", fmt.Sprintf("%s-%d.txt", name, width)), out.String())
		}
	}
}

// What a program reads: the recovery and until when nothing can be told are lines
// of their own, between the condition and the steps.
func TestRecoveryPlanLines(t *testing.T) {
	p := forced()
	p.UndecidedUntil = p.PlannedAt
	var types []string
	for _, line := range view.PlanLines(p, "sha256:0") {
		raw, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		var have struct {
			Type      string
			Survivors []plan.Survivor
			With      []string
		}
		if err := json.Unmarshal(raw, &have); err != nil {
			t.Fatal(err)
		}
		if have.Type == "recovery" && len(have.Survivors) != 2 {
			t.Errorf("the survivors are missing: %s", raw)
		}
		types = append(types, have.Type)
	}
	if want := "version condition undecided recovery planned_step planned_step planned_step hazard plan_summary"; strings.Join(types, " ") != want {
		t.Errorf("%v, want %s", types, want)
	}
}

// Holders are told like set-asides, and that their volumes stay.
func TestHoldersScreens(t *testing.T) {
	r := report(t, "fresh", recovered)
	for _, width := range []int{80, 200} {
		var out bytes.Buffer
		view.Screen{Out: &out, Width: width}.Holders(r.VolumeHolders, r.ObservedAt)
		fits(t, "holders", out.String(), width)
		golden(t, filepath.Join("testdata", "plan", fmt.Sprintf("holders-%d.txt", width)), out.String())
	}
}

// What may go stands before what is kept, and both say why.
func TestAsidesScreens(t *testing.T) {
	r := report(t, "fresh", recovered)
	for _, width := range []int{80, 200} {
		var out bytes.Buffer
		view.Screen{Out: &out, Width: width}.Asides(r.Asides, r.ObservedAt)
		fits(t, "asides", out.String(), width)
		golden(t, filepath.Join("testdata", "plan", fmt.Sprintf("asides-%d.txt", width)), out.String())
	}
}
