package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

const restoredSteps = "prepare m2, hold m2, fence m3, hold m1, save m1, fence m1, restore m2, start m2, init m2, join m3, join m1, rotate-join-tokens m2, await w1, stop m1, archive m1, start m1, verify m1"

// runningCases are restores of a backup that was opened while they were planned.
func runningCases() []golden {
	asked := func(name, about string, edit func(*state.State, *state.Backup)) golden {
		g := of(name, about, func(st *state.State) {
			b := aged(5 * time.Hour)
			b.Raft, b.OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
			b.Opening = &state.Opening{Store: store()}
			for i := range st.Hosts {
				st.Hosts[i].ContainersLooked = state.Present
			}
			older := aged(9 * time.Hour)
			older.Raft = b.Raft
			edit(st, &b)
			keep(st, b, older)
		}).with(ruled(3, allRungs, ""))
		g.restore = "latest"
		return g
	}
	damaged := &state.Opening{Damaged: true, Problem: &state.Problem{Text: "certificates/swarm-node.crt: it is not there."}}
	byID := asked("restore-damaged-id", "The backup that is asked for by its ID has no node certificate.", func(_ *state.State, b *state.Backup) { b.Opening = damaged })
	byID.restore = aged(5 * time.Hour).ID
	return []golden{
		asked("restore-running", "Containers run that the backup does not know, a job had not ended and an update was under way.", func(st *state.State, _ *state.Backup) { fill(st) }).
			want(strings.Replace(restoredSteps, "prepare m2, ", "prepare m2, retain w1, ", 1), "RQ125", "RQ130", "RQ131", "RQ132", "RQ103"),
		asked("restore-shared", "w1 can't be reached, and its tasks write to a share: assumed dead is not proved dead.", func(st *state.State, _ *state.Backup) {
			fill(st)
			lose(st, "w1")
			member(st, "w1").Status = "down"
		}).with(ruled(3, allRungs+"  assume_dead = [\"w1\"]\n", "")).want(strings.Replace(restoredSteps, "await w1, ", "", 1), "RQ125", "RQ130", "RQ132", "RQ133", "RQ134", "RQ103"),
		asked("restore-damaged", "The newest backup was opened and is damaged: the one before is taken, and that is told.", func(_ *state.State, b *state.Backup) { b.Opening = damaged }).
			want(restoredSteps, "RQ112", "RQ124", "RQ125", "RQ134", "RQ103"),
		byID.want("", "RQ225"),
		asked("restore-wrong-key", "The key that is configured does not open the backup: no older one is taken in its stead.", func(_ *state.State, b *state.Backup) {
			b.Opening = &state.Opening{Problem: &state.Problem{Code: "RQ205", Text: "cluster.unlock_key is not this backup's unlock key"}}
		}).want("", "RQ205"),
	}
}

// store is what a backup says is to run: web on w1 and m3, a job, and an update.
func store() *state.Store {
	task := func(id, service, node string) state.Task {
		return state.Task{ID: id, ServiceID: service, NodeID: idOf(node), State: "running", DesiredState: "running"}
	}
	job := task("tjob", "sjob", "w1")
	job.Job, job.DesiredState = true, "complete"
	return &state.Store{
		Nodes: map[string]state.StoreNode{idOf("w1"): {Hostname: "w1", Addr: "10.0.0.21"}, idOf("m3"): {Hostname: "m3", Addr: "10.0.0.13"}},
		Services: []state.StoreService{{ID: "sjob", Name: "nightly", Job: true, Moves: true},
			{ID: "sweb", Name: "web", Moves: true, Updating: true, Writable: []state.Mount{{Type: "bind", Source: "/srv/share", Target: "/data"}}}},
		Tasks: []state.Task{job, task("t1", "sweb", "w1"), task("t2", "sweb", "m3")},
	}
}

// fill has containers run: of the two tasks of web, and of a service that was made
// after the backup, one of which was replaced since.
func fill(st *state.State) {
	made := func(id, task, name, node string, volumes ...string) state.Container {
		return state.Container{ID: id, Name: name, State: "running", TaskID: task, ServiceName: strings.Split(name, ".")[0], NodeID: idOf(node), AnonymousVolumes: volumes}
	}
	w1 := st.Host("w1")
	w1.Containers = []state.Container{made("c1", "t1", "web.1", "w1"), made("c3", "t3", "db.1", "w1", "v3"), made("c4", "t4", "db.2", "w1"),
		made("c5", "t5", "db.3", "w1"), made("c6", "t6", "db.4", "w1"), made("c7", "t7", "db.5", "w1", "v7")}
	w1.Containers[5].State = "exited"
	st.Host("m3").Containers = []state.Container{made("c2", "t2", "web.2", "m3")}
	m1 := made("c8", "t8", "web.3", "m1")
	m1.ServiceID = "sweb"
	st.Host("m1").Containers = []state.Container{m1}
}
