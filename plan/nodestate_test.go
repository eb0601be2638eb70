package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

func TestNodeStates(t *testing.T) {
	off := state.Engine{Answered: state.Absent}
	inactive := state.Engine{Answered: state.Present, LocalNodeState: "inactive"}
	for name, c := range map[string]struct {
		edit func(st *state.State, m2 *state.Host)
		want plan.NodeStateName
		says string
	}{
		"well":              {func(*state.State, *state.Host) {}, plan.NodeActive, "takes part"},
		"not tried":         {func(_ *state.State, h *state.Host) { *h = state.Host{Name: "m2"} }, plan.NodeUnknown, "not looked at"},
		"no connection":     {func(st *state.State, _ *state.Host) { lose(st, "m2") }, plan.NodeUnknown, "no route"},
		"the swarm sees it": {func(st *state.State, h *state.Host) { h.Looked = state.Absent }, plan.NodeUnknown, "the swarm says ready and reachable"},
		"locked":            {func(st *state.State, _ *state.Host) { locked(st, "m2") }, plan.NodeLocked, "key"},
		"stopped":           {func(st *state.State, _ *state.Host) { down(st, "m2") }, plan.NodeStopped, "on the disk"},
		"stopped, disk empty": {func(_ *state.State, h *state.Host) {
			h.Engine, h.Service.ActiveState = off, "failed"
			h.SwarmDir = state.SwarmDir{Presence: state.Absent}
		}, plan.NodeEmpty, "no swarm directory"},
		"stopped, disk unread": {func(_ *state.State, h *state.Host) {
			h.Engine, h.Service.ActiveState = off, "failed"
			h.SwarmDir = state.SwarmDir{}
		},
			plan.NodeUnknown, "could not be read"},
		"stopped, key missing": {func(_ *state.State, h *state.Host) {
			h.Engine, h.Service.ActiveState, h.SwarmDir.HasKey = off, "inactive", false
		}, plan.NodeDamaged, "the node key"},
		"runs without an answer": {func(_ *state.State, h *state.Host) { h.Engine = off }, plan.NodeUnknown, "no answer"},
		"is starting":            {func(_ *state.State, h *state.Host) { h.Engine, h.Service.ActiveState = off, "activating" }, plan.NodeUnknown, "activating"},
		"orphaned":               {func(_ *state.State, h *state.Host) { h.Engine = inactive }, plan.NodeOrphaned, "on the disk"},
		"empty": {func(_ *state.State, h *state.Host) {
			h.Engine = inactive
			h.SwarmDir = state.SwarmDir{Presence: state.Absent}
		}, plan.NodeEmpty, ""},
		"inactive, disk unread": {func(_ *state.State, h *state.Host) { h.Engine = inactive; h.SwarmDir = state.SwarmDir{} }, plan.NodeInactive, ""},
		"runs on a torn disk":   {func(_ *state.State, h *state.Host) { h.SwarmDir.HasRaft = false }, plan.NodeDamaged, "the raft log"},
		"stuck at error":        {func(_ *state.State, h *state.Host) { h.Engine.LocalNodeState = "error" }, plan.NodeActive, "though"},
		"error": {func(st *state.State, h *state.Host) {
			h.Engine.LocalNodeState, h.Engine.SwarmError = "error", "certificate has expired"
			drop(st, "m2")
		}, plan.NodeUnknown, "expired"},
		"error, expired": {func(st *state.State, h *state.Host) {
			expire(st, "m2")
			drop(st, "m2")
		}, plan.NodeOrphaned, "expired at"},
		"error, expired by its own clock alone": {func(st *state.State, h *state.Host) {
			expire(st, "m2")
			drop(st, "m2")
			h.SwarmDir.CertificateExpiry, h.ClockSkew = observedAt.Add(time.Hour), 2*time.Hour
		}, plan.NodeUnknown, "its clock runs"},
		"pending": {func(_ *state.State, h *state.Host) { h.Engine.LocalNodeState = "pending" }, plan.NodeActive, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			st := observed(3)
			c.edit(st, st.Host("m2"))
			for _, n := range plan.NodeStates(literal(3, "state"), st) {
				switch {
				case n.Name == "m2" && (n.State != c.want || !strings.Contains(n.Reason, c.says)):
					t.Errorf("m2 is %s (%s), want %s (%s)", n.State, n.Reason, c.want, c.says)
				case n.Name != "m2" && n.State != plan.NodeActive:
					t.Errorf("%s is %s (%s)", n.Name, n.State, n.Reason)
				}
			}
		})
	}
}

// TestConditionWithoutAnAccount has five managers in some states, none of which
// gives an account of the swarm: what was not seen is never called absent.
func TestConditionWithoutAnAccount(t *testing.T) {
	const none = "The swarm does not have a leader."
	edits := map[byte]func(*state.State, string){
		'u': lose,
		's': down,
		'l': locked,
		'a': func(*state.State, string) {},
		'n': func(st *state.State, m string) { st.Host(m).Engine.SwarmError = none },
		'o': func(st *state.State, m string) {
			st.Host(m).Engine = state.Engine{Answered: state.Present, LocalNodeState: "inactive"}
		},
		'e': func(st *state.State, m string) {
			st.Host(m).Engine = state.Engine{Answered: state.Present, LocalNodeState: "inactive"}
			st.Host(m).SwarmDir = state.SwarmDir{Presence: state.Absent}
		},
		'd': func(st *state.State, m string) {
			st.Host(m).Engine = state.Engine{Answered: state.Present, LocalNodeState: "inactive"}
			st.Host(m).SwarmDir.HasKey = false
		},
	}
	for states, want := range map[string]plan.ConditionName{
		"uuuuu": plan.Unknown, "uuuss": plan.Unknown, "uusss": plan.Stopped, "aaass": plan.Unknown, "aasss": plan.Leaderless,
		"nnnss": plan.Leaderless, "nnuuu": plan.Unknown, "nnnuu": plan.Leaderless, "lllss": plan.Locked, "lnnnn": plan.Locked,
		"sssss": plan.Stopped, "seeee": plan.Stopped, "ooooo": plan.Orphaned, "oooss": plan.Stopped, "oeeee": plan.Orphaned,
		"eeeee": plan.AbsentAll, "eeeeu": plan.Unknown, "eeeed": plan.Unknown, "ddddd": plan.Unknown,
	} {
		st := observed(5)
		silent(st, "nobody answers")
		for i := range states {
			edits[states[i]](st, "m"+string(rune('1'+i)))
		}
		if have := plan.ConditionOf(literal(5), st); have.Name != want || have.Reason == "" {
			t.Errorf("%s: %s (%s), want %s", states, have.Name, have.Reason, want)
		}
	}
}

func TestMatching(t *testing.T) {
	states := func(st *state.State) map[string]plan.NodeState {
		m := map[string]plan.NodeState{}
		for _, n := range plan.NodeStates(literal(3), st) {
			m[n.Name] = n
		}
		return m
	}
	st := observed(3)
	lose(st, "m2")
	if n := states(st)["m2"]; n.NodeID != idOf("m2") || n.MatchedBy != "address" {
		t.Errorf("by address: %+v", n)
	}
	member(st, "m2").ManagerAddr = "10.9.9.9:2377"
	if n := states(st)["m2"]; n.NodeID != idOf("m2") || n.MatchedBy != "hostname" {
		t.Errorf("by hostname: %+v", n)
	}
	other := *member(st, "m2")
	other.ID, other.Reachability, other.ManagerAddr, other.Addr, other.Role = "stale", "", "", "10.9.9.8", "worker"
	st.Swarm.Nodes = append(st.Swarm.Nodes, other)
	if n := states(st)["m2"]; n.NodeID != "" || n.MatchedBy != "" {
		t.Errorf("two with one hostname: %+v", n)
	}
	st = observed(3) // a host that was read is matched by its node ID, whatever the addresses say
	member(st, "m2").ManagerAddr, member(st, "m3").ManagerAddr = "10.0.0.13:2377", "10.0.0.12:2377"
	if n := states(st)["m2"]; n.NodeID != idOf("m2") || n.MatchedBy != "node ID" {
		t.Errorf("by node ID: %+v", n)
	}
	st = observed(3) // what one host is by its node ID no other is by its address
	lose(st, "m2")
	member(st, "m1").ManagerAddr, member(st, "m2").ManagerAddr = "10.0.0.12:2377", "10.9.9.9:2377"
	if n := states(st)["m2"]; n.NodeID != idOf("m2") || n.MatchedBy != "hostname" {
		t.Errorf("an entry that is taken: %+v", n)
	}
}
