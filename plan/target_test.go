package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// caseInput is the input of a golden case.
func caseInput(t *testing.T, name string) plan.Input {
	t.Helper()
	for _, g := range goldens() {
		if g.name == name {
			return g.input(t)
		}
	}
	t.Fatalf("there is no case %s", name)
	return plan.Input{}
}

func targeted(t *testing.T, in plan.Input, targets ...string) *plan.Plan {
	t.Helper()
	in.Targets = targets
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A backup that is targeted has the very steps that it has in the whole plan, and
// what else is due is left.
func TestTargetBackup(t *testing.T) {
	in := caseInput(t, "due")
	weekly := in.Config.Backups[0]
	weekly.Name = "weekly"
	in.Config.Backups = append(in.Config.Backups, weekly)
	for _, name := range []string{"state", "weekly"} {
		p := targeted(t, in, "backup."+name, "backup."+name)
		if stepsOf(p) != backupM2 || p.Steps[0].Backup != name {
			t.Errorf("%s: %s of %s", name, stepsOf(p), p.Steps[0].Backup)
		}
		if !cmp.Equal(p.Targets, []string{"backup." + name}) || !strings.HasPrefix(p.Summary, "partial, for backup."+name+" alone: 1 backup: ") {
			t.Errorf("%s: %q, %q", name, p.Targets, p.Summary)
		}
	}
	both := targeted(t, in, "backup.weekly", "backup.state")
	whole, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(whole.Steps, both.Steps); d != "" {
		t.Errorf("both targets are not the whole: %s", d)
	}
	if p := targeted(t, in, "m1"); len(p.Steps)+len(p.Unmet) > 0 || p.Summary != "partial, for m1 alone: nothing to do" {
		t.Errorf("a node without differences: %s, %+v, %q", stepsOf(p), p.Unmet, p.Summary)
	}
}

// Of the differences those of the targets are planned: neither another node's nor
// the swarm's as a whole.
func TestTargetNode(t *testing.T) {
	in := caseInput(t, "shape-and-due")
	in.Config.Node("m2").Availability, in.Config.Node("w1").Labels = "pause", map[string]string{"zone": "target"}
	on := true
	in.Config.Cluster.Autolock = &on
	p := targeted(t, in, "w1")
	if len(p.Steps) != 1 || p.Steps[0].Kind != plan.UpdateNode || p.Steps[0].Node != "w1" || len(p.Unmet) > 0 {
		t.Errorf("steps: %s, unmet: %+v", stepsOf(p), p.Unmet)
	}
	whole, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []plan.Kind{plan.Stop, plan.UpdateSwarm, plan.UpdateNode} {
		if !slices.ContainsFunc(whole.Steps, func(s plan.Step) bool { return s.Kind == kind }) {
			t.Errorf("the whole has no %s: %s", kind, stepsOf(whole))
		}
	}
}

// A recovery is never planned in part, whoever is named; what a swarm needs that
// answers is planned beside one that only brings managers back.
func TestTargetOfRecovery(t *testing.T) {
	for _, c := range []struct {
		name, target, steps string
		refused             bool
	}{
		{"force", "m1", "", true},
		{"force", "backup.state", "", true},
		{"restore", "w1", "", true},
		{"grow-wiped", "m3", "", true},
		{"grow-wiped", "m1", "", false},
	} {
		p := targeted(t, caseInput(t, c.name), c.target)
		refused := len(p.Unmet) == 1 && p.Unmet[0].Code == diag.RecoveryTargeted
		if refused != c.refused || stepsOf(p) != c.steps || p.Recovery != nil {
			t.Errorf("%s for %s: %s, %+v", c.name, c.target, stepsOf(p), p.Unmet)
		}
	}
	in := caseInput(t, "grow-wiped")
	keep(in.State)
	if p := targeted(t, in, "backup.state"); len(p.Steps) > 0 || len(p.Unmet) != 1 || p.Unmet[0].Code != diag.QuorumWouldBeLost {
		t.Errorf("a backup beside what is to grow: %s, %+v", stepsOf(p), p.Unmet)
	}
	in = caseInput(t, "due")
	in.Restore = "latest"
	in.Config.Recovery = &schema.Recovery{Allow: []string{schema.AllowRestore}}
	keep(in.State, aged(26*time.Hour))
	if p := targeted(t, in, "m2"); len(p.Steps) > 0 {
		t.Errorf("a restore in part: %s", stepsOf(p))
	}
}

// What a cut run left is finished whatever is targeted: a manager may be down for
// it. Its copy is not thrown away because its backup is not among the targets.
func TestTargetFinishesCutRuns(t *testing.T) {
	in := caseInput(t, "leftover-adoptable")
	whole, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	p := targeted(t, in, "w1")
	if d := cmp.Diff(whole.Steps, p.Steps); d != "" || len(p.Steps) == 0 {
		t.Errorf("%s\n%s", stepsOf(p), d)
	}
}

func TestTargetThatIsNotDeclared(t *testing.T) {
	for _, target := range []string{"m9", "backup.nothing", "state", "backup.", ""} {
		in := caseInput(t, "due")
		in.Targets = []string{target}
		if p, err := plan.Build(in); err == nil {
			t.Errorf("%q: %s", target, p.Summary)
		}
	}
}

func TestFindDrift(t *testing.T) {
	find := func(name string, edit func(*plan.Input)) *plan.Drift {
		in := caseInput(t, name)
		if edit != nil {
			edit(&in)
		}
		return plan.FindDrift(in.Config, in.State, in.Now)
	}
	if d := find("fresh", nil); d.Drifted() || !d.Sure() || len(d.Backups) != 1 || d.Backups[0].Age != 5*time.Hour || d.Backups[0].Due {
		t.Errorf("fresh: %+v", d)
	}
	if d := find("due", nil); !d.Drifted() || !d.Backups[0].Due || d.Backups[0].ID == "" {
		t.Errorf("due: %+v", d)
	}
	if d := find("shape-availability", nil); !d.Drifted() || len(d.Differs) != 1 || d.Differs[0].Node != "m2" {
		t.Errorf("shape: %+v", d)
	}
	if d := find("force", nil); !d.Drifted() || d.Condition.Name == plan.Healthy {
		t.Errorf("force: %+v", d)
	}
	if d := find("one-machine-twice", nil); !d.Drifted() || d.Differs[0].Code != diag.OneMachineTwice {
		t.Errorf("one machine twice: %+v", d)
	}
	unusable := func(in *plan.Input) {
		in.State.Repositories[0] = state.Repository{Name: "local", Looked: state.Absent, Problem: &state.Problem{Text: "it is not mounted"}}
		lose(in.State, "w1")
	}
	if d := find("fresh", unusable); d.Sure() || len(d.Unseen) != 2 || d.Unseen[0].Node != "w1" || d.Unseen[1].Reason != "it is not mounted." {
		t.Errorf("unseen: %+v", d.Unseen)
	}
}
