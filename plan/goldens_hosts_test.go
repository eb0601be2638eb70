package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

func choiceCases() []golden {
	from := func(name string) string {
		return config(3, localRepository, strings.Replace(stateBackup, "follower", name, 1))
	}
	return []golden{
		of("leader-named", "The configuration names the manager that leads.", nil).with(from("m1")).want("", "RQ214"),
		of("follower-named", "The configuration names a follower.", func(st *state.State) { member(st, "m3").RunningTasks = 2 }).
			with(from("m3")).want(backupM3, "RQ102", "RQ103"),
		of("named-unreachable", "The configuration names a manager that can't be reached by ssh.", func(st *state.State) {
			lose(st, "m2")
			member(st, "m2").Reachability, member(st, "m2").Status = "reachable", "ready"
		}).with(from("m2")).want("", "RQ202", "RQ301"),
		of("tasks-everywhere", "Every manager runs tasks: the one with fewest is taken.", func(st *state.State) {
			for name, n := range map[string]int{"m1": 9, "m2": 4, "m3": 1} {
				member(st, name).RunningTasks = n
			}
		}).want(backupM3, "RQ102", "RQ103"),
		of("drained-manager", "A drained manager goes first.", func(st *state.State) {
			member(st, "m3").Availability = "drain"
		}).want(backupM3, "RQ103"),
	}
}

func hostCases() []golden {
	return []golden{
		of("unreachable-host", "ssh does not reach m2, though the swarm does: m3 is taken.", func(st *state.State) {
			lose(st, "m2")
			member(st, "m2").Reachability, member(st, "m2").Status = "reachable", "ready"
		}).want(backupM3, "RQ301", "RQ103"),
		of("host-key-changed", "m2 shows another host key: it is alive, but nothing is done on it.", func(st *state.State) {
			lose(st, "m2")
			st.Host("m2").Problem = &state.Problem{Code: "RQ303", Text: "the host key is not the one on record"}
			member(st, "m2").Reachability, member(st, "m2").Status = "reachable", "ready"
		}).want(backupM3, "RQ303", "RQ103"),
		of("not-root", "requeen is not root on m2.", func(st *state.State) {
			st.Host("m2").Problem = &state.Problem{Code: "RQ304", Text: "ops may not use sudo without a password", Remedy: "Add to sudoers: ops ALL=(root) NOPASSWD: ALL"}
			st.Host("m2").SwarmDir = state.SwarmDir{}
		}).want(backupM3, "RQ304", "RQ103"),
		of("no-room", "m2's disk is too full for the copy.", func(st *state.State) { st.Host("m2").SwarmDir.FreeBytes = 90_000_000 }).
			want(backupM3, "RQ103"),
		of("inodes-uncounted", "The file system of m2 counts no inodes.", func(st *state.State) { st.Host("m2").SwarmDir.FreeInode = -1 }).
			want(backupM2, "RQ103"),
		of("clock-skew", "m2's clock is wrong.", func(st *state.State) { st.Host("m2").ClockSkew = -11 * time.Minute }).
			want(backupM3, "RQ103"),
		of("live-restore", "m2 would not come back in swarm mode.", func(st *state.State) { st.Host("m2").Engine.LiveRestore = true }).
			want(backupM3, "RQ103"),
		of("nobody", "Every follower has something in its way: each is named.", func(st *state.State) {
			st.Host("m2").SwarmDir.FreeInode = 12
			st.Host("m3").Service.Unit, st.Host("m3").Service.ActiveState = "", ""
		}).want("", "RQ202"),
		of("damaged-directory", "m2 runs, but would not survive a start: its key is gone.", func(st *state.State) {
			st.Host("m2").SwarmDir.HasKey = false
		}).want(backupM3, "RQ103"),
		of("another-data-root", "The directory that was read on m2 is not the one of its engine.", func(st *state.State) {
			st.Host("m2").SwarmDir.NodeID = "somebodyelse"
		}).want(backupM3, "RQ103"),
	}
}

func identityCases() []golden {
	twice := of("one-machine-twice", "The addresses of m2 and m3 lead to one machine: nothing is planned on either.", func(st *state.State) {
		st.Host("m3").MachineID = "machine-m2"
	})
	clone := of("cloned-directory", "m3 is another machine with a copy of m2's swarm directory.", func(st *state.State) {
		st.Host("m3").Engine.NodeID, st.Host("m3").SwarmDir.NodeID = idOf("m2"), idOf("m2")
	})
	return []golden{
		twice.want("", "RQ208", "RQ208", "RQ208"),
		clone.want("", "RQ215", "RQ215", "RQ202"),
		of("two-swarms", "m3 belongs to another swarm, and nothing says which one is meant.", func(st *state.State) { abroad(st, "m3") }).
			want("", "RQ212"),
		func() golden {
			g := of("foreign-host", "m3 belongs to another swarm than cluster.id says: nothing is done on it.", func(st *state.State) { abroad(st, "m3") })
			g.config = strings.Replace(g.config, "cluster \"prod\" {\n", "cluster \"prod\" {\n  id = \""+swarmID+"\"\n", 1)
			return g.want(backupM2, "RQ207", "RQ103")
		}(),
		of("foreign-backups", "The backups under this label are of another swarm.", func(st *state.State) {
			b := aged(time.Hour)
			b.SwarmID = "an0ther"
			keep(st, b)
		}).want("", "RQ212"),
		of("ambiguous-node", "m3 was installed anew and can't be asked: two entries have its address.", func(st *state.State) {
			lose(st, "m3")
			m := *member(st, "m3")
			m.ID, m.Reachability, m.Status = "anew00000000000000000000", "reachable", "ready"
			st.Swarm.Nodes = append(st.Swarm.Nodes, m)
		}).want("", "RQ213", "RQ201", "RQ301"),
		of("other-clusters-state", "The observation is of another cluster than the configuration.", func(st *state.State) { st.Cluster = "staging" }).
			want("", "RQ207"),
	}
}

// abroad puts a host into another swarm.
func abroad(st *state.State, name string) {
	h := st.Host(name)
	h.Engine.ClusterID, h.SwarmDir.ClusterID, h.Engine.NodeID, h.SwarmDir.NodeID = "an0ther", "an0ther", "elsewhere", "elsewhere"
}

func conditionCases() []golden {
	const none = "rpc error: code = Unknown desc = The swarm does not have a leader."
	return []golden{
		of("leaderless", "Two of three managers are lost: the third has no leader.", func(st *state.State) {
			silent(st, none)
			st.Host("m1").Engine.SwarmError = none
			down(st, "m2")
			down(st, "m3")
		}).want("start m2+m3", "RQ209"),
		of("all-stopped", "Every engine is down, and the state is on every disk.", func(st *state.State) {
			silent(st, "no manager answers")
			for _, m := range []string{"m1", "m2", "m3"} {
				down(st, m)
			}
		}).want("start m1+m2+m3", "RQ209"),
		of("all-unknown", "No host can be reached: unknown is not absent.", func(st *state.State) {
			silent(st, "no manager could be asked")
			for _, m := range []string{"m1", "m2", "m3"} {
				lose(st, m)
			}
		}).want("", "RQ209", "RQ209", "RQ301", "RQ301", "RQ301"),
		of("all-locked", "Every manager waits for the unlock key.", func(st *state.State) {
			silent(st, "every manager is locked")
			for _, m := range []string{"m1", "m2", "m3"} {
				locked(st, m)
			}
		}).want("", "RQ205", "RQ209"),
		of("all-locked-recovered", "Every manager of a swarm that was once recovered waits for the unlock key.", func(st *state.State) {
			silent(st, "every manager is locked")
			for _, m := range []string{"m1", "m2", "m3"} {
				locked(st, m)
				oldRecovery(st, m)
			}
		}).with(ruled(3, allRungs, aKey)).want("unlock m1+m2+m3", "RQ209"),
		of("all-stopped-recovered", "Every engine of a swarm that was once recovered is down.", func(st *state.State) {
			silent(st, "no manager answers")
			for _, m := range []string{"m1", "m2", "m3"} {
				down(st, m)
				oldRecovery(st, m)
			}
		}).want("start m1+m2+m3", "RQ209"),
		of("all-orphaned", "The engines know no swarm, but the state is on every disk.", func(st *state.State) {
			silent(st, "no engine is in a swarm")
			for _, m := range []string{"m1", "m2", "m3"} {
				h := st.Host(m)
				h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", LocalNodeState: "inactive"}
			}
		}).want("start m1+m2+m3", "RQ209"),
		of("all-absent", "No manager's disk holds state; the repository holds a fresh backup.", func(st *state.State) {
			silent(st, "no engine is in a swarm")
			for _, m := range []string{"m1", "m2", "m3"} {
				h := st.Host(m)
				h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", LocalNodeState: "inactive"}
				h.SwarmDir = state.SwarmDir{Presence: state.Absent}
			}
			keep(st, aged(time.Hour))
		}).want("", "RQ222"),
		of("forked", "The repository holds a backup of an epoch that was opened after the one of the swarm that answers.", func(st *state.State) {
			b := aged(time.Hour)
			b.Epoch = "2025-03-10-b"
			keep(st, b)
		}).want("", "RQ209", "RQ209"),
		of("split", "Two managers lead.", func(st *state.State) { member(st, "m2").Leader = true }).want("", "RQ209", "RQ209"),
		of("split-epochs", "A cluster was forced out of m2, and m1 and m3 live on as they were: the older side is named.", sides("20250310T020000Z-c0ffee")).want("", "RQ209", "RQ209"),
		of("split-one-epoch", "Two managers lead in one epoch: which side is to go, nothing tells.", sides("")).want("", "RQ209", "RQ209"),
	}
}

// sides has m2 lead by itself in an epoch, which was opened after the first.
func sides(epoch string) func(*state.State) {
	return func(st *state.State) {
		member(st, "m2").Leader = true
		for _, m := range []string{"m1", "m3"} {
			st.Host(m).Account = &state.Account{Leader: member(st, "m1").ID}
		}
		st.Host("m2").Account = &state.Account{Leader: member(st, "m2").ID, Epoch: epoch}
	}
}

// oldRecovery is what a recovery leaves on a host once it has ended.
func oldRecovery(st *state.State, name string) {
	st.Host(name).Recoveries = []state.HostRecovery{{ID: "20250210T025000Z-c0ffee", Cluster: "prod", Phase: state.RecoveryLifted}}
}
