package plan_test

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

// ofStaging makes every recovery on a host one of another cluster's.
func ofStaging(st *state.State, name string) {
	for i := range st.Host(name).Recoveries {
		st.Host(name).Recoveries[i].Cluster = "staging"
	}
}

// elsewhereCases are hosts that a recovery of another cluster's holds, or has let
// go: no plan of this one touches what is held.
func elsewhereCases() []golden {
	recovered := func(st *state.State) {
		st.Swarm.Epoch = "20250310T025000Z-abcdef"
		b := aged(time.Minute)
		b.Epoch = st.Swarm.Epoch
		keep(st, b)
		out := member(st, "m3")
		out.Status, out.Reachability, out.ManagerAddr = "down", "", ""
	}
	return []golden{
		of("elsewhere-fenced", "m3 is out of the swarm, and another cluster's recovery has fenced it: it is not let go.", func(st *state.State) {
			recovered(st)
			cut(st, "m3", state.RecoveryFenced)
			ofStaging(st, "m3")
		}).with(ruled(3, forceAlone, "")).want("", "RQ217", "RQ305"),
		of("elsewhere-held-member", "m2 is a member of the swarm, and another cluster's recovery holds it without having changed its state.", func(st *state.State) {
			cut(st, "m2", state.RecoveryHeld)
			ofStaging(st, "m2")
			drop(st, "m2")
			keep(st, aged(time.Minute))
		}).with(ruled(3, forceAlone, "")).want("", "RQ217", "RQ305"),
		of("elsewhere-stopped", "Of three stopped managers another cluster's recovery holds m1: the other two are the quorum.", func(st *state.State) {
			lost(st)
			for _, m := range []string{"m2", "m3"} {
				down(st, m)
			}
			cut(st, "m1", state.RecoveryHeld)
			ofStaging(st, "m1")
		}).with(ruled(3, forceAlone, "")).want("start m2+m3", "RQ217", "RQ209", "RQ305"),
		edited(alone("elsewhere-survivor", "The only log that is left lies on a host that another cluster's recovery holds: nothing is forced out of it.", wiped).with(ruled(3, forceAlone, "")), func(st *state.State) {
			cut(st, "m1", state.RecoveryHeld)
			ofStaging(st, "m1")
		}).want("", "RQ217", "RQ209", "RQ209", "RQ305"),
		of("elsewhere-let-go", "Another cluster's recovery let m3 go before it was given to this one: that says nothing here.", func(st *state.State) {
			recovered(st)
			wiped(st, "m3")
			st.Host("m3").Recoveries = []state.HostRecovery{{ID: "20250301T020000Z-c0ffee", Cluster: "staging", Phase: state.RecoveryLifted}}
		}).with(ruled(3, forceAlone, "")).want("fence m3, join m3, update-node m3, remove-node m3"),
	}
}
