package plan_test

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

// left is a case of a run that was left on m2.
func left(name, about string, run state.HostRun, edit func(*state.State)) golden {
	return of(name, about, func(st *state.State) {
		if edit != nil {
			edit(st)
		}
		st.Host("m2").Runs = append(st.Host("m2").Runs, run)
	})
}

func leftoverCases() []golden {
	stopped, torn, active, other := cutRun(10*time.Minute), cutRun(10*time.Minute), cutRun(10*time.Second), cutRun(10*time.Minute)
	stopped.Phase, stopped.StartedAt = state.PhaseCopied, time.Time{}
	torn.CopyIntact = false
	active.UnitActive, active.TimerArmed, active.Phase, active.StartedAt = true, true, state.PhaseStopped, time.Time{}
	other.Cluster = "staging"
	started := stopped
	started.Phase = state.PhaseStarted
	started.StartedAt = stopped.StoppedAt.Add(time.Second)
	return []golden{
		left("leftover-adoptable", "A cut run left a whole copy: it is verified, and no manager stopped again.", cutRun(10*time.Minute), nil).
			want("verify m2", "RQ401"),
		left("leftover-torn", "A cut run left a copy that is not whole: it is removed, and a new one made.", torn, nil).
			want("clean-up m2, stop m2, archive m2, start m2, verify m2", "RQ401", "RQ103"),
		left("leftover-not-due", "A cut run left a copy, and no backup is due.", cutRun(10*time.Minute), func(st *state.State) { keep(st, aged(time.Hour)) }).
			want("clean-up m2", "RQ401"),
		left("leftover-old", "A cut run's copy is older than max_age.", cutRun(30*time.Hour), nil).
			want("clean-up m2, stop m2, archive m2, start m2, verify m2", "RQ401", "RQ103"),
		left("leftover-asked", "A backup is asked for, and the copy of a cut run is hours old.", cutRun(3*time.Hour), nil).asked().
			want("clean-up m2, stop m2, archive m2, start m2, verify m2", "RQ401", "RQ103"),
		left("leftover-stopped", "A cut run left the engine stopped.", stopped, func(st *state.State) { down(st, "m2") }).
			want("start m2, verify m2", "RQ401"),
		left("leftover-locked", "A cut run left the manager locked.", started, func(st *state.State) {
			autolock(st)
			locked(st, "m2")
		}).want("unlock m2, verify m2", "RQ401", "RQ107"),
		left("leftover-stopped-autolocked", "A cut run left an auto-locked manager stopped, and the copy not begun.", func() state.HostRun {
			r := stopped
			r.Phase, r.CopyIntact, r.CopyBytes = state.PhaseStopped, false, 0
			return r
		}(), func(st *state.State) {
			autolock(st)
			down(st, "m2")
		}).want("start m2, unlock m2, clean-up m2, stop m2, archive m2, start m2, unlock m2, verify m2", "RQ401", "RQ103", "RQ108", "RQ107"),
		left("run-in-progress", "A run is at work on m2: no manager is stopped.", active, func(st *state.State) { down(st, "m2") }).
			want("", "RQ216"),
		left("leftover-of-another-cluster", "A run of another cluster's is on m2: it is not ours.", other, func(st *state.State) { keep(st, aged(time.Hour)) }).
			want(""),
		left("leftover-unanswered", "A cut run's host gives no answer from its engine: nothing is done there now.", cutRun(10*time.Minute), func(st *state.State) {
			st.Host("m2").Engine = state.Engine{Answered: state.Absent, Problem: &state.Problem{Code: "RQ305", Text: "no answer in 3 s"}}
			drop(st, "m2")
		}).want("", "RQ217", "RQ201", "RQ305", "RQ401"),
	}
}

// moreLeftovers are those in which a look at more than the run decides.
func moreLeftovers() []golden {
	stopped, active := cutRun(10*time.Minute), cutRun(10*time.Second)
	stopped.Phase, stopped.StartedAt = state.PhaseCopied, time.Time{}
	active.UnitActive, active.TimerArmed, active.Phase, active.StartedAt = true, true, state.PhaseStopped, time.Time{}
	return []golden{
		left("leftover-stopped-by-hand", "A cut run's engine was started, and stopped again by somebody else: it is started like any other.", func() state.HostRun {
			r := stopped
			r.StoppedAt = r.StoppedAt.Add(-5 * time.Hour)
			return r
		}(), func(st *state.State) { down(st, "m2") }).want("verify m2, start m2", "RQ401"),
		left("leftover-failed-start", "A cut run's engine was started by the timer, and failed.", func() state.HostRun {
			r := stopped
			r.StoppedAt = r.StoppedAt.Add(-5 * time.Hour)
			return r
		}(), func(st *state.State) {
			down(st, "m2")
			st.Host("m2").Service.ActiveState = "failed"
		}).want("start m2, verify m2", "RQ401"),
		left("leftover-stored", "A cut run's backup is stored already; another is asked for.", cutRun(10*time.Minute), func(st *state.State) {
			b := aged(10 * time.Minute)
			b.ID = cutRun(10 * time.Minute).ID
			keep(st, b)
		}).asked().want("clean-up m2, stop m2, archive m2, start m2, verify m2", "RQ401", "RQ103"),
		left("leftover-repository-unusable", "A cut run left a whole copy, and its repository can't be used: the copy stays.", cutRun(10*time.Minute), func(st *state.State) {
			st.Repositories[0] = state.Repository{Name: "local", Looked: state.Absent}
		}).want("", "RQ210", "RQ401"),
		left("leftover-of-another-node", "m2 was installed anew since the run was cut.", func() state.HostRun {
			r := cutRun(10 * time.Minute)
			r.NodeID = "before"
			return r
		}(), nil).want("clean-up m2, stop m2, archive m2, start m2, verify m2", "RQ401", "RQ103"),
		left("leftover-two-copies", "Two cut runs left whole copies: the newer is verified before the older goes.", cutRun(3*time.Hour), func(st *state.State) {
			r := cutRun(time.Hour)
			r.NodeID = idOf("m3")
			st.Host("m3").Runs = []state.HostRun{r}
		}).want("verify m3, clean-up m2", "RQ401", "RQ401"),
		lastCopy(),
		anotherBlock(active),
		singleCut(),
	}
}

// lastCopy is a cluster that is gone but for what a cut run holds.
func lastCopy() golden {
	st := observed(1)
	silent(st, "no engine is in a swarm")
	h := st.Host("m1")
	h.Engine = state.Engine{Answered: state.Present, LocalNodeState: "inactive"}
	h.SwarmDir = state.SwarmDir{Presence: state.Absent}
	run := cutRun(30 * time.Hour)
	run.NodeID = idOf("m1")
	h.Runs = []state.HostRun{run}
	return golden{name: "leftover-last-copy", about: "The swarm's state is lost but for the copy of a cut run: it stays.", config: config(1), state: st}.
		want("", "RQ217", "RQ223", "RQ209", "RQ401")
}

// anotherBlock is due while a run for the first goes on.
func anotherBlock(active state.HostRun) golden {
	st := observed(5)
	down(st, "m2")
	st.Host("m2").Runs = []state.HostRun{active}
	return golden{name: "run-in-progress-two-blocks", about: "While a run is at work no second manager is stopped, for no block.", state: st,
		config: config(5, localRepository, stateBackup, "backup \"weekly\" {\n  repository = \"local\"\n  max_age    = \"7d\"\n  swarm {\n  }\n}\n")}.
		want("", "RQ216", "RQ216")
}

// singleCut is the only manager, left stopped: no manager answers.
func singleCut() golden {
	st := observed(1)
	down(st, "m1")
	silent(st, "no manager answers")
	run := cutRun(10 * time.Minute)
	run.NodeID, run.Phase, run.StartedAt = idOf("m1"), state.PhaseCopied, time.Time{}
	st.Host("m1").Runs = []state.HostRun{run}
	return golden{name: "leftover-single-manager", about: "A cut run left the only manager stopped, with a whole copy.", config: config(1), state: st}.
		want("start m1, verify m1", "RQ401")
}
