package plan_test

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

// remembersNot makes a manager's engine run without its swarm, whose state is on the disk.
func remembersNot(st *state.State, name string) {
	st.Host(name).Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	drop(st, name)
}

// away is a case in which nodes take no part in a swarm that answers; the backup is fresh
// where fresh is set.
func away(name, about string, fresh bool, edit func(*state.State)) golden {
	return of("away-"+name, about, func(st *state.State) {
		if fresh {
			keep(st, aged(5*time.Hour))
		}
		edit(st)
	})
}

// awayCases are engines that are down, locked or without their swarm, while the rest is a
// quorum.
func awayCases() []golden {
	stopped := func(names ...string) func(*state.State) {
		return func(st *state.State) {
			for _, name := range names {
				down(st, name)
			}
		}
	}
	sealed := func(key bool, edit func(*state.State, string)) func(*state.State) {
		return func(st *state.State) {
			autolock(st)
			st.Swarm.UnlockKeyKnown = key
			edit(st, "m3")
		}
	}
	list := []golden{
		away("stopped", "A manager's and a worker's engines are stopped: they are started, the manager first.", true, stopped("m3", "w1")).
			want("start m3, start w1"),
		away("and-due", "A manager is started before one is stopped for a backup, and it is another one.", false, stopped("m3")).
			want("start m3, "+backupM2, "RQ103"),
		away("autolocked", "An auto-locked manager is stopped: a live manager tells the key.", true, sealed(true, down)).want("start m3, unlock m3"),
		away("locked", "A manager waits for its key, as after a reboot.", true, sealed(true, locked)).want("unlock m3"),
		away("key-unknown", "An auto-locked manager is stopped, and nobody here knows the key: it would come up locked.", true, sealed(false, down)).want("", "RQ205"),
		away("orphaned", "A manager's engine has forgotten its swarm: it is restarted.", true, func(st *state.State) { remembersNot(st, "m3") }).want("start m3"),
		away("no-state-file", "A manager's engine has forgotten its swarm, and docker-state.json is gone: a restart would not help.", true, func(st *state.State) {
			remembersNot(st, "m3")
			st.Host("m3").SwarmDir.HasStateFile = false
		}).want("", "RQ218"),
		away("expired", "A stopped manager's certificate has expired: a start would not help.", true, func(st *state.State) {
			down(st, "m3")
			st.Host("m3").SwarmDir.CertificateExpiry = observedAt.Add(-time.Hour)
		}).want("", "RQ218"),
		away("demoted", "A manager was demoted while its engine was down: it is not started over what it holds.", true, func(st *state.State) {
			down(st, "m3")
			m := member(st, "m3")
			m.Role, m.Reachability, m.ManagerAddr = "worker", "", ""
		}).want("", "RQ218", "RQ218"),
		away("to-promote", "A worker that is declared a manager is stopped: it is started, then promoted.", true, func(st *state.State) {
			m := member(st, "m3")
			m.Role, m.Reachability, m.ManagerAddr = "worker", "", ""
			h := st.Host("m3")
			h.SwarmDir.Role, h.SwarmDir.HasRaft = "worker", false
			down(st, "m3")
		}).want("start m3, promote m3"),
		away("not-allowed", "recovery.allow does not have start.", true, stopped("m3", "w1")).
			with(config(3, localRepository, stateBackup, "recovery {\n  allow = [\"unlock\"]\n}\n")).want("", "RQ222", "RQ222"),
		away("masked", "A manager's unit is masked: its engine is not started.", true, func(st *state.State) {
			down(st, "m3")
			h := st.Host("m3")
			h.Service = state.Service{FileState: "masked"}
			h.Engine = state.Engine{Problem: &state.Problem{Code: "RQ305", Text: "the unit of its engine is masked, and is not dialled or started"}}
		}).want("", "RQ305"),
		away("held", "A file that no recovery is known for keeps a manager's engine from starting.", true, func(st *state.State) {
			down(st, "m3")
			st.Host("m3").Service.Holds = []string{"/var/lib/requeen/recoveries/gone/hold"}
		}).want("", "RQ217"),
	}
	return append(list, unlocked(list, "away-stopped", "nolock-away", "Engines are started without the lock.").want("start m3, start w1", "RQ126"))
}
