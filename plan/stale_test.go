package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// planned is a plan of a due backup on m2 of n managers, and what it was made
// from.
func planned(t *testing.T, n int, backup bool, edit func(*state.State)) (*plan.Plan, *state.State) {
	t.Helper()
	st := observed(n)
	if edit != nil {
		edit(st)
	}
	p, err := plan.Build(plan.Input{Config: literal(n, "state"), State: st, Now: observedAt, ToolVersion: "test", Backup: backup})
	if err != nil {
		t.Fatal(err)
	}
	return p, st
}

func keepsOld(st *state.State) { keep(st, aged(30*time.Hour)) }

// staleCases change one thing after the plan was made.
var staleCases = map[string]struct {
	managers int
	before   func(*state.State)
	after    func(*state.State)
	done     plan.Done
	want     []plan.ChangeKind
	says     string
}{
	"nothing":                      {managers: 3, after: func(*state.State) {}},
	"a task moved":                 {managers: 3, after: func(st *state.State) { member(st, "m2").RunningTasks = 9 }},
	"time passed":                  {managers: 3, after: func(st *state.State) { st.ObservedAt = st.ObservedAt.Add(time.Hour); st.Swarm.VersionIndex = 5000 }},
	"a worker left":                {managers: 3, after: func(st *state.State) { st.Swarm.Nodes = st.Swarm.Nodes[:3] }},
	"another follower leads":       {managers: 3, after: func(st *state.State) { member(st, "m1").Leader, member(st, "m3").Leader = false, true }},
	"a manager came back":          {managers: 5, before: func(st *state.State) { drop(st, "m5") }, after: func(st *state.State) { member(st, "m5").Reachability = "reachable" }},
	"ssh to another manager fails": {managers: 3, after: func(st *state.State) { st.Host("m3").Looked = state.Absent }},
	"the one to stop leads": {managers: 3, after: func(st *state.State) { member(st, "m1").Leader, member(st, "m2").Leader = false, true },
		want: []plan.ChangeKind{plan.LeaderMoved}, says: "m2 leads now"},
	"it leads, but was stopped already": {managers: 3, after: func(st *state.State) { member(st, "m1").Leader, member(st, "m2").Leader = false, true },
		done: plan.Done{Steps: 3}},
	"a manager was lost": {managers: 3, after: func(st *state.State) { drop(st, "m3") },
		want: []plan.ChangeKind{plan.ManagerLost}, says: "The manager m3 was reachable"},
	"the node in hand is down": {managers: 3, after: func(st *state.State) { down(st, "m2") }, done: plan.Done{Steps: 1, Node: "m2"}},
	"the only manager is in hand": {managers: 1, after: func(st *state.State) { down(st, "m1"); silent(st, "no answer") },
		done: plan.Done{Steps: 1, Node: "m1"}},
	"the only manager is gone": {managers: 1, after: func(st *state.State) { down(st, "m1"); silent(st, "no answer") },
		want: []plan.ChangeKind{plan.SwarmGone}, says: "no answer"},
	"nobody answers while m2 is in hand": {managers: 3, after: func(st *state.State) { silent(st, "no answer") },
		done: plan.Done{Steps: 1, Node: "m2"}, want: []plan.ChangeKind{plan.SwarmGone}},
	"a manager joined": {managers: 3, after: func(st *state.State) { st.Swarm.Nodes = observed(4).Swarm.Nodes },
		want: []plan.ChangeKind{plan.VotersChanged}, says: "m4"},
	"a manager was demoted": {managers: 3, after: func(st *state.State) {
		m := member(st, "m3")
		m.Role, m.Reachability, m.ManagerAddr = "worker", "", ""
	}, want: []plan.ChangeKind{plan.VotersChanged}, says: "m3 is no manager any more"},
	"another swarm": {managers: 3, after: func(st *state.State) { st.Swarm.ID = "an0ther" }, want: []plan.ChangeKind{plan.SwarmChanged}, says: "an0ther"},
	"another epoch": {managers: 3, after: func(st *state.State) { st.Swarm.Epoch = "b" }, want: []plan.ChangeKind{plan.SwarmChanged}, says: "epoch"},
	"auto-lock":     {managers: 3, after: func(st *state.State) { st.Swarm.Autolock = true }, want: []plan.ChangeKind{plan.SwarmChanged}, says: "Auto-lock is on"},
	"history went back": {managers: 3, after: func(st *state.State) { st.Swarm.VersionIndex = 12 },
		want: []plan.ChangeKind{plan.HistoryBack}, says: "960"},
	"another machine": {managers: 3, after: func(st *state.State) { st.Host("m2").MachineID = "x" }, want: []plan.ChangeKind{plan.HostChanged}, says: "machine x"},
	"another host key": {managers: 3, after: func(st *state.State) { st.Host("m2").HostKey = "SHA256:x" },
		want: []plan.ChangeKind{plan.HostChanged}, says: "host key"},
	"another node ID": {managers: 3, after: func(st *state.State) { st.Host("m2").Engine.NodeID = "x" },
		want: []plan.ChangeKind{plan.HostChanged}, says: "node ID"},
	"another machine where nothing is to be done": {managers: 3, after: func(st *state.State) { st.Host("m3").MachineID = "x" }},
	"another machine after the last step":         {managers: 3, after: func(st *state.State) { st.Host("m2").MachineID = "x" }, done: plan.Done{Steps: 4}},
	"the host is gone": {managers: 3, after: func(st *state.State) { st.Host("m2").Looked = state.Absent },
		want: []plan.ChangeKind{plan.HostGone}, says: "m2"},
	"a run began elsewhere": {managers: 3, after: func(st *state.State) {
		r := cutRun(time.Minute)
		r.UnitActive = true
		st.Host("m3").Runs = []state.HostRun{r}
	}, want: []plan.ChangeKind{plan.RunBegun}, says: "m3"},
	"a cut run was removed": {managers: 3, before: func(st *state.State) { st.Host("m2").Runs = []state.HostRun{cutRun(time.Minute)} },
		after: func(st *state.State) { st.Host("m2").Runs = nil }, want: []plan.ChangeKind{plan.RunGone}},
	"the repository is gone": {managers: 3, after: func(st *state.State) { st.Repositories[0].Looked = state.Absent },
		want: []plan.ChangeKind{plan.RepositoryGone}},
	"somebody made the backup": {managers: 3, before: keepsOld, after: func(st *state.State) { keep(st, aged(time.Minute), aged(30*time.Hour)) },
		want: []plan.ChangeKind{plan.AlreadyDone}},
	"somebody made one that is suspect": {managers: 3, before: keepsOld, after: func(st *state.State) {
		b := aged(time.Minute)
		b.Suspect = []string{"few objects"}
		keep(st, b, aged(30*time.Hour))
	}},
	"somebody stored an old one":         {managers: 3, before: keepsOld, after: func(st *state.State) { keep(st, aged(25*time.Hour), aged(30*time.Hour)) }},
	"the backup is this plan's, in hand": {managers: 3, before: keepsOld, after: func(st *state.State) { keep(st, aged(time.Minute)) }, done: plan.Done{Steps: 3}},
}

func TestStale(t *testing.T) {
	for name, c := range staleCases {
		t.Run(name, func(t *testing.T) {
			p, st := planned(t, c.managers, false, c.before)
			now := copied(st)
			c.after(&now)
			changes := plan.Stale(p, &now, c.done)
			var kinds []plan.ChangeKind
			for _, change := range changes {
				kinds = append(kinds, change.Kind)
				if change.Remedy == "" || !strings.HasSuffix(change.Text, ".") {
					t.Errorf("a change is not whole: %+v", change)
				}
			}
			if !slices.Equal(kinds, c.want) {
				t.Fatalf("%v, want %v: %+v", kinds, c.want, changes)
			}
			if len(changes) > 0 && !strings.Contains(changes[0].Text, c.says) {
				t.Errorf("%q does not say %q", changes[0].Text, c.says)
			}
			if want := len(c.want) > 0 && c.want[0] != plan.AlreadyDone; plan.IsStale(changes) != want {
				t.Errorf("stale is %v", !want)
			}
		})
	}
}

// TestAskedBackupIsDoneByLaterOnesOnly: who asked for a backup now is not given
// one that was taken before.
func TestAskedBackupIsDoneByLaterOnesOnly(t *testing.T) {
	p, st := planned(t, 3, true, func(st *state.State) { keep(st, aged(3*time.Hour)) })
	before, after := copied(st), copied(st)
	keep(&before, aged(time.Minute), aged(3*time.Hour))
	after.ObservedAt = observedAt.Add(time.Hour)
	keep(&after, aged(-30*time.Minute), aged(3*time.Hour))
	if plan.Satisfied(p, &before, "state") {
		t.Error("satisfied by a backup from before the plan")
	}
	if !plan.Satisfied(p, &after, "state") {
		t.Error("not satisfied by a backup from after the plan")
	}
	if plan.Satisfied(p, &after, "another") {
		t.Error("a block that the plan does not know is satisfied")
	}
}

// TestAlreadyDoneNeverSkipsARescue: what starts a manager that a cut run left
// down runs whoever made the backup.
func TestAlreadyDoneNeverSkipsARescue(t *testing.T) {
	p, st := planned(t, 3, false, func(st *state.State) {
		r := cutRun(time.Minute)
		r.Phase, r.StartedAt = state.PhaseCopied, time.Time{}
		st.Host("m2").Runs = []state.HostRun{r}
		down(st, "m2")
	})
	if have := stepsOf(p); have != "start m2, verify m2" {
		t.Fatal(have)
	}
	now := copied(st)
	keep(&now, aged(30*time.Second))
	changes := plan.Stale(p, &now, plan.Done{})
	if len(changes) != 1 || changes[0].Kind != plan.AlreadyDone || !slices.Equal(changes[0].Steps, []int{2}) {
		t.Errorf("%+v", changes)
	}
}
