package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// partsCases are what drawn worlds have shown of data, copies and schedules.
func partsCases() []golden {
	onM2 := strings.Replace(pgdata, `node    = "w1"`, `node    = "m2"`, 1)
	with := aged(5 * time.Hour)
	with.Data = []state.BackupData{{Kind: "volume", Name: "pgdata", Node: "w1", Object: "volume-pgdata.tar.zst"}}
	cut := func(st *state.State) {
		keep(st, aged(30*time.Hour))
		r := cutRun(time.Hour)
		r.Phase, r.CopyIntact, r.StartedAt = state.PhaseStopped, false, time.Time{}
		st.Host("m2").Runs = []state.HostRun{r}
		down(st, "m2")
	}
	rest := inTwo("data-at-rest-first-down", "A service is at rest, and the first of the copies can't be used: the lock of the other serves.", func(local, nas *state.Repository, st *state.State) {
		applications(st)
		nas.Backups = []state.Backup{with}
		unusable(local)
		st.Swarm.Services[1].Replicas, st.Swarm.Services[1].Scale = 0, "3"
	}).with(config(3, localRepository, nasRepository, strings.Replace(dataBackup(pgdata), `repository = "local"`, `copies     = ["local", "nas"]`, 1)))
	nobody := holding("data-at-rest-unreachable", "A service is at rest, and the host of no manager can be reached through which the swarm could be told.", pgdata, func(st *state.State) {
		keep(st, with)
		for _, m := range []string{"m1", "m2", "m3"} {
			h := st.Host(m)
			h.Looked, h.Problem = state.Absent, &state.Problem{Code: "RQ301", Text: "no route to host"}
		}
		st.Swarm.Services[1].Replicas, st.Swarm.Services[1].Scale = 0, "3"
	})
	lacks := heldCase("data-restore-lacking", "Every manager's disk is empty, and the newest backup is of the swarm alone: an older one that holds the volume is named.", nil, func(st *state.State, b *state.Backup) {
		lost(st)
		for _, m := range []string{"m1", "m2", "m3"} {
			wiped(st, m)
		}
		b.Data, b.Stored = nil, b.Stored[:1]
	})
	older := heldData(20 * time.Hour)
	older.Data = older.Data[:1]
	lacks.restore, lacks.state.Repositories[0].Backups = "", append(lacks.state.Repositories[0].Backups, older)
	return []golden{
		lacks.want("prepare m2, hold m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, join m3, update-node m3, remove-node m3, rotate-join-tokens m2, await w1",
			"RQ209", "RQ137", "RQ137", "RQ125", "RQ134"),
		holding("data-node-cut", "The data's node is the manager that a cut run left stopped: it is started, and its data is read by the same plan.", onM2, cut).
			want("clean-up m2, start m2, quiesce m2, archive-data m2, resume m2, "+strings.ReplaceAll(backupM2, "m2", "m3"), "RQ401", "RQ160", "RQ103"),
		holding("data-node-cut-continue", "The same where on_error lets the backup be made without it: it is not left out, since the plan brings its node back.",
			strings.Replace(onM2, "  quiesce", "  on_error = \"continue\"\n  quiesce", 1), cut).
			want("clean-up m2, start m2, quiesce m2, archive-data m2, resume m2, "+strings.ReplaceAll(backupM2, "m2", "m3"), "RQ401", "RQ160", "RQ103"),
		rest.want("resume m1", "RQ210", "RQ164"),
		nobody.want("", "RQ217", "RQ301", "RQ301", "RQ301"),
		of("schedule-recovering", "Every engine is down, and a schedule is declared: it is looked at once the swarm is back.", func(st *state.State) {
			silent(st, "no manager answers")
			for _, m := range []string{"m1", "m2", "m3"} {
				down(st, m)
			}
		}).with(config(3, localRepository, scheduled(`at = "03:10"`, `on = "m1"`))).want("start m1+m2+m3", "RQ209"),
	}
}
