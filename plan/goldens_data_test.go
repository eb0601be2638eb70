package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// dataBackup is the usual block with data sources.
func dataBackup(blocks string) string {
	return strings.TrimSuffix(stateBackup, "}\n") + "  " + strings.ReplaceAll(strings.TrimSpace(blocks), "\n", "\n  ") + "\n}\n"
}

const pgdata = `
volume "pgdata" {
  node    = "w1"
  quiesce = ["db_postgres"]
}
`

// applications puts services and a volume into a healthy cluster.
func applications(st *state.State) {
	st.Swarm.Services = []state.ServiceScale{
		{ID: "agentid", Name: "agent", Mode: "global"},
		{ID: "postgresid", Name: "db_postgres", Mode: "replicated", Replicas: 1},
		{ID: "nightlyid", Name: "nightly", Mode: "replicated-job"},
	}
	st.Host("w1").Volumes = []state.Volume{{Name: "pgdata", Looked: state.Present, Driver: "local", Mountpoint: "/var/lib/docker/volumes/pgdata/_data"}}
}

// holding is a case of three managers and a worker whose block takes data.
func holding(name, about, blocks string, edit func(*state.State)) golden {
	return of(name, about, func(st *state.State) {
		applications(st)
		if edit != nil {
			edit(st)
		}
	}).with(config(3, localRepository, dataBackup(blocks)))
}

func dataCases() []golden {
	with := aged(5 * time.Hour)
	with.Data = []state.BackupData{{Kind: "volume", Name: "pgdata", Node: "w1", Object: "volume-pgdata.tar.zst"}}
	left := with
	left.Data = []state.BackupData{{Kind: "volume", Name: "pgdata", Node: "w1", Missing: true}}
	old := func(st *state.State) { keep(st, aged(30*time.Hour)) }
	live := "directory \"traefik\" {\n  node = \"m1\"\n  path = \"/etc/traefik\"\n}\n"
	continues := strings.Replace(pgdata, "  quiesce", "  on_error = \"continue\"\n  quiesce", 1)
	steps := "quiesce w1, archive-data w1, resume w1, " + backupM2
	return []golden{
		holding("data", "A due backup takes a volume whose service is down while it is read, before a manager is stopped.", pgdata, old).
			want(steps, "RQ160", "RQ103"),
		holding("data-lacking", "The newest backup is young, and without the volume that is declared since: one with it is due.", pgdata,
			func(st *state.State) { keep(st, aged(5*time.Hour)) }).want(steps, "RQ160", "RQ103"),
		holding("data-fresh", "The newest backup holds what is declared.", pgdata, func(st *state.State) { keep(st, with) }).want(""),
		holding("data-left-out", "The newest backup was made without data that could not be read, as on_error has it: it counts.", continues,
			func(st *state.State) { keep(st, left) }).want(""),
		holding("data-groups", "Sources that share a service are read at one moment; what quiesces nothing stands alone.",
			pgdata+"volume \"wal\" {\n  node    = \"m1\"\n  quiesce = [\"db_postgres\", \"agent\"]\n  before {\n    service = \"db_postgres\"\n    command = [\"psql\", \"-c\", \"CHECKPOINT\"]\n  }\n}\n"+live, old).
			want("quiesce w1+m1, archive-data w1+m1, resume w1+m1, archive-data m1, "+backupM2, "RQ160", "RQ162", "RQ161", "RQ103"),
		holding("data-no-service", "A service that quiesce names is not there: nothing is stopped.", strings.Replace(pgdata, "db_postgres", "db_mysql", 1), old).want("", "RQ260"),
		holding("data-job", "A job has no scale to go back to.", strings.Replace(pgdata, "db_postgres", "nightly", 1), old).want("", "RQ260"),
		holding("data-no-volume", "The engine has no such volume.", pgdata, func(st *state.State) {
			old(st)
			st.Host("w1").Volumes[0] = state.Volume{Name: "pgdata", Looked: state.Absent}
		}).want("", "RQ261"),
		holding("data-node-away", "The swarm does not see the data's node: what runs there would be waited for in vain.", pgdata, func(st *state.State) {
			old(st)
			member(st, "w1").Status = "down"
		}).want("", "RQ261"),
		holding("data-nfs", "A volume that is mounted only while a container uses it can't be read.", pgdata, func(st *state.State) {
			old(st)
			st.Host("w1").Volumes[0].Options = map[string]string{"type": "nfs", "device": ":/export", "o": "addr=10.0.0.9"}
		}).want("", "RQ261"),
		holding("data-continue", "The same, and on_error lets the backup be made without it: nobody is down for it.", continues, func(st *state.State) {
			old(st)
			st.Host("w1").Volumes[0] = state.Volume{Name: "pgdata", Looked: state.Absent}
		}).want("archive-data m2, "+backupM2, "RQ163", "RQ103"),
		holding("data-at-rest", "A run was cut while a service was at rest: it gets its scale back, whoever began the run.", pgdata, func(st *state.State) {
			keep(st, with)
			st.Swarm.Services[1].Replicas, st.Swarm.Services[1].Scale = 0, "3"
			st.Swarm.Services[0].Scale, st.Swarm.Services[0].Waits = state.ScaleGlobal, "20250309T000000Z-abcdef"
		}).want("resume m1", "RQ217", "RQ164"),
	}
}
