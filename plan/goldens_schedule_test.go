package plan_test

import (
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// scheduled is the usual block with a schedule block.
func scheduled(lines ...string) string {
	return strings.TrimSuffix(stateBackup, "}\n") + "  schedule {\n    " + strings.Join(lines, "\n    ") + "\n  }\n}\n"
}

// placed is a schedule that an earlier plan has put on a host.
func placed(backup string) state.HostSchedule {
	return state.HostSchedule{Cluster: "prod", Backup: backup, Declared: "of-another-configuration", Version: "0.1.0", Timer: "active"}
}

func scheduleCases() []golden {
	daily := scheduled(`at = "03:10"`, `on = "m1"`)
	fresh := func(name, about, backup string, edit func(*state.State)) golden {
		return of(name, about, func(st *state.State) {
			keep(st, aged(5*3600e9))
			if edit != nil {
				edit(st)
			}
		}).with(config(3, localRepository, backup))
	}
	other := fresh("schedule-no-helper", "The host of the schedule needs a requeen of another architecture.", daily,
		func(st *state.State) { st.Host("m1").System = "linux/arm64" })
	other.helpers = []string{"linux/amd64"}
	noLock := fresh("schedule-no-lock", "Without the repositories' lock no schedule is touched.", daily, nil)
	noLock.noLock = true
	return []golden{
		fresh("schedule-new", "A schedule is declared, and none is on the host.", daily, nil).want("schedule m1"),
		fresh("schedule-every", "One that runs every six hours, on a worker, with credentials and metrics.",
			scheduled(`every       = "6h"`, `on          = "w1"`, `environment = ["AWS_SECRET_ACCESS_KEY"]`, `textfile    = "/var/lib/node-exporter/requeen.prom"`), nil).want("schedule w1"),
		of("schedule-and-due", "A backup is due, and its schedule is new: the timer comes last.", nil).with(config(3, localRepository, daily)).
			want(backupM2+", schedule m1", "RQ103"),
		fresh("schedule-moved", "The schedule is declared on another node: it is taken away there first.", daily,
			func(st *state.State) { st.Host("m2").Schedules = []state.HostSchedule{placed("state")} }).want("unschedule m2, schedule m1"),
		fresh("schedule-gone", "No schedule is declared any more; one of another cluster stays.", stateBackup, func(st *state.State) {
			other := placed("state")
			other.Cluster = "test"
			st.Host("w1").Schedules = []state.HostSchedule{placed("old"), placed("state"), other}
		}).want("unschedule w1, unschedule w1"),
		fresh("schedule-unreachable", "The host of the schedule can't be looked at.", scheduled(`at = "03:10"`, `on = "m3"`),
			func(st *state.State) { lose(st, "m3") }).want("", "RQ270", "RQ301"),
		other.want("", "RQ211"), noLock.want(""),
		of("schedule-stray", "A schedule on a host that is not declared any more has made the newest backup; one that stopped long ago is not told of.", func(st *state.State) {
			stray, old := aged(5*3600e9), aged(90*3600e9)
			stray.ScheduledOn, old.ScheduledOn = "m9", "m8"
			keep(st, old, stray)
		}).with(config(3, localRepository, stateBackup)).want("", "RQ170"),
	}
}
