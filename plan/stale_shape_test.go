package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// shapeStaleCases change one thing after a plan of the shape was made; done is how far
// a run of it has come by its journal.
var shapeStaleCases = map[string]struct {
	golden string
	after  func(*state.State)
	done   plan.Done
	want   []plan.ChangeKind
	says   string
}{
	"m2 joined, as the plan says": {golden: "reshape-grow", after: func(st *state.State) { comeIn(st, "m2", "10.0.0.12") }, done: plan.Done{Steps: 1}},
	"m2 joined, and its outcome was not written": {golden: "reshape-grow", after: func(st *state.State) { comeIn(st, "m2", "10.0.0.12") },
		done: plan.Done{Node: "m2"}},
	"m2 joined by hand": {golden: "reshape-grow", after: func(st *state.State) { comeIn(st, "m2", "10.0.0.12") },
		want: []plan.ChangeKind{plan.VotersChanged, plan.HostChanged, plan.HostChanged}, says: "m2"},
	"m3 joined by hand while m2 did": {golden: "reshape-grow", after: func(st *state.State) {
		comeIn(st, "m2", "10.0.0.12")
		comeIn(st, "m3", "10.0.0.13")
	}, done: plan.Done{Steps: 1}, want: []plan.ChangeKind{plan.VotersChanged, plan.HostChanged, plan.HostChanged}, says: "m3"},
	"m2 joined another swarm": {golden: "reshape-grow", after: func(st *state.State) {
		comeIn(st, "m2", "10.0.0.12")
		st.Host("m2").Engine.ClusterID, st.Host("m2").SwarmDir.ClusterID = "an0ther", "an0ther"
	}, done: plan.Done{Steps: 1}, want: []plan.ChangeKind{plan.HostChanged, plan.HostChanged}, says: "m2"},
	"m2 is demoted, as the plan says": {golden: "reshape-shrink", after: func(st *state.State) { stepDown(st, "m2") }, done: plan.Done{Steps: 1}},
	"m2 is demoted by hand":           {golden: "reshape-shrink", after: func(st *state.State) { stepDown(st, "m2") }, want: []plan.ChangeKind{plan.VotersChanged}, says: "m2 is no manager any more"},
	"m3 is demoted by hand":           {golden: "reshape-swap", after: func(st *state.State) { stepDown(st, "m1") }, done: plan.Done{Steps: 1}, want: []plan.ChangeKind{plan.VotersChanged}, says: "m1"},
	"an undeclared manager is demoted, and its outcome was not written": {golden: "reshape-moved-host", after: func(st *state.State) {
		comeIn(st, "m3", "10.0.0.33")
		stepDown(st, "m3")
	}, done: plan.Done{Steps: 1}},
	"w1 is promoted, as the plan says":                  {golden: "reshape-swap", after: func(st *state.State) { stepUp(st, "w1") }, done: plan.Done{Steps: 1}},
	"w1 is promoted by hand":                            {golden: "reshape-swap", after: func(st *state.State) { stepUp(st, "w1") }, want: []plan.ChangeKind{plan.VotersChanged}, says: "w1"},
	"w1 is gone from the list":                          {golden: "reshape-swap", after: func(st *state.State) { unlisted(st, "w1") }, want: []plan.ChangeKind{plan.EntryGone}, says: "w1"},
	"a host can't be reached where an entry is changed": {golden: "shape-availability", after: func(st *state.State) { st.Host("m2").Looked = state.Absent }},
	"a host is another machine where an entry is changed": {golden: "shape-availability", after: func(st *state.State) { st.Host("m2").MachineID = "x" },
		want: []plan.ChangeKind{plan.HostChanged}, says: "m2"},
	"a host that is to join can't be reached": {golden: "reshape-grow", after: func(st *state.State) { st.Host("m2").Looked = state.Absent },
		want: []plan.ChangeKind{plan.HostGone}, says: "m2"},
	"a dead worker's host is back": {golden: "reshape-dead-worker", after: func(st *state.State) { *st.Host("w1") = host("w1", "10.0.0.21", "worker") },
		want: []plan.ChangeKind{plan.HostBack}, says: "w1 can be reached again"},
	"a dead worker is seen again": {golden: "reshape-dead-worker", after: func(st *state.State) { member(st, "w1").Status = "ready" },
		want: []plan.ChangeKind{plan.EntryBack}, says: "w1"},
	"an undeclared node that was down is up": {golden: "shape-prune", after: func(st *state.State) { member(st, "w9").Status = "ready" },
		want: []plan.ChangeKind{plan.EntryBack}, says: "w9"},
	"auto-lock is on, as the plan says": {golden: "reshape-autolock-on", after: func(st *state.State) { st.Swarm.Autolock = true }, done: plan.Done{Steps: 1}},
	"auto-lock is on, and its outcome was not written": {golden: "reshape-autolock-on", after: func(st *state.State) { st.Swarm.Autolock = true },
		done: plan.Done{Node: "m1"}},
	"auto-lock is on by hand": {golden: "reshape-autolock-on", after: func(st *state.State) { st.Swarm.Autolock = true }, want: []plan.ChangeKind{plan.SwarmChanged}, says: "Auto-lock is on"},
	"m4 has left, as the plan says": {golden: "reshape-address-leader", after: func(st *state.State) {
		stepDown(st, "m4")
		goOut(st, "m4")
	}, done: plan.Done{Steps: 3}},
	"m4 has left before it was told to": {golden: "reshape-address-leader", after: func(st *state.State) {
		stepDown(st, "m4")
		goOut(st, "m4")
	}, done: plan.Done{Steps: 1, Node: "m4"}, want: []plan.ChangeKind{}},
	"the newest object was the entry that the plan removed": {golden: "reshape-dead-worker", after: func(st *state.State) {
		unlisted(st, "w1")
		st.Swarm.VersionIndex = 900
	}, done: plan.Done{Steps: 1}},
}

// comeIn makes a host a manager of the swarm under a new ID.
func comeIn(st *state.State, name, address string) {
	h := st.Host(name)
	*h = host(name, address, "manager")
	id := "new" + idOf(name)
	h.Engine.NodeID, h.SwarmDir.NodeID = id, id
	st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: id, Hostname: name, Role: "manager", Availability: "active", Status: "ready",
		Addr: address, ManagerAddr: address + ":2377", Reachability: "reachable"})
}

func stepDown(st *state.State, name string) {
	m := member(st, name)
	m.Role, m.ManagerAddr, m.Reachability, m.Leader = "worker", "", "", false
}

func stepUp(st *state.State, name string) {
	m := member(st, name)
	m.Role, m.ManagerAddr, m.Reachability = "manager", m.Addr+":2377", "reachable"
}

func goOut(st *state.State, name string) {
	member(st, name).Status = "down"
	h := st.Host(name)
	h.Engine = state.Engine{Answered: state.Present, LocalNodeState: "inactive"}
	h.SwarmDir = state.SwarmDir{Presence: state.Absent}
}

func TestShapeStale(t *testing.T) {
	byName := map[string]golden{}
	for _, g := range goldens() {
		byName[g.name] = g
	}
	for name, c := range shapeStaleCases {
		t.Run(name, func(t *testing.T) {
			in := byName[c.golden].input(t)
			p, err := plan.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			now := copied(in.State)
			now.ObservedAt = now.ObservedAt.Add(time.Minute)
			c.after(&now)
			var kinds []plan.ChangeKind
			changes := plan.Stale(p, &now, c.done)
			for _, change := range changes {
				kinds = append(kinds, change.Kind)
			}
			if !slices.Equal(kinds, c.want) {
				t.Fatalf("%v, want %v: %+v\n%s", kinds, c.want, changes, stepsOf(p))
			}
			if len(changes) > 0 && !strings.Contains(changes[0].Text, c.says) {
				t.Errorf("%q does not say %q", changes[0].Text, c.says)
			}
		})
	}
}
