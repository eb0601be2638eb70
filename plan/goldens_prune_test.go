package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// keepBackup is the usual block with a keep block.
func keepBackup(rules string) string {
	return strings.TrimSuffix(stateBackup, "}\n") + "  keep {\n    " + strings.ReplaceAll(rules, "\n", "\n    ") + "\n  }\n}\n"
}

// pruning is a case of three managers whose block keeps by rules.
func pruning(name, about, rules string, edit func(*state.State)) golden {
	return of(name, about, edit).with(config(3, localRepository, keepBackup(rules)))
}

// dailies are verified backups of the block "state", a day apart.
func dailies(first time.Duration, n int) []state.Backup {
	var list []state.Backup
	for i := range n {
		list = append(list, aged(first+time.Duration(i)*24*time.Hour))
	}
	return list
}

func retentionCases() []golden {
	suspect, other, safety := aged(5*time.Hour), aged(80*time.Hour), aged(90*time.Hour)
	suspect.Suspect = []string{"it counts 3 services, the backup before 41"}
	other.Backup = "weekly"
	safety.Kind = state.KindSafety
	aloof := pruning("prune-unmet", "A backup is due and can't be made: nothing is removed.", "last = 2", func(st *state.State) {
		keep(st, dailies(30*time.Hour, 5)...)
		lose(st, "m3")
	})
	noLock := pruning("prune-no-lock", "Without the repository's lock nothing is removed.", "last = 2", func(st *state.State) { keep(st, dailies(5*time.Hour, 5)...) })
	noLock.noLock = true
	alone := pruning("prune-alone", "backup prune, in a swarm whose backup is due: nothing else is planned.", "last = 2", func(st *state.State) { keep(st, dailies(30*time.Hour, 4)...) })
	alone.prune = true
	waits := pruning("prune-waits", "backup prune, in a swarm that has no leader.", "last = 2", func(st *state.State) {
		keep(st, dailies(30*time.Hour, 4)...)
		silent(st, "no manager answers")
	})
	waits.prune = true
	awaited := pruning("prune-data-awaited", "backup prune, while a service waits for data out of one of the backups, on whatever machine the restore was cut.", "last = 2", func(st *state.State) {
		keep(st, dailies(30*time.Hour, 4)...)
		st.Swarm.Services = []state.ServiceScale{{ID: "svc", Name: "db_postgres", Mode: "replicated", Scale: "1",
			Waits: state.PendingRestore{ID: "20250310T025500Z-c0ffee", Backup: st.Repositories[0].Backups[3].ID, Repository: "local", Sources: []string{"volume.pgdata"}}.Value()}}
	})
	awaited.prune = true
	none := pruning("prune-none", "backup prune, and every backup is kept by a rule.", "last = 9", func(st *state.State) { keep(st, dailies(30*time.Hour, 4)...) })
	none.prune = true
	return []golden{
		pruning("prune", "No backup is due, and some are kept by no rule.", "last   = 2\nweekly = 3", func(st *state.State) { keep(st, dailies(5*time.Hour, 20)...) }).
			want("prune local", "RQ150"),
		pruning("prune-and-due", "A backup is due: it is counted as there, and what it takes the place of goes after it.", "last = 3", func(st *state.State) { keep(st, dailies(30*time.Hour, 4)...) }).
			want(backupM2+", prune local", "RQ103", "RQ150"),
		pruning("prune-first", "The only backup of one that is to stay: the plan's own takes no place before it is there.", "last = 1", func(st *state.State) { keep(st, aged(30*time.Hour)) }).
			want(backupM2, "RQ103"),
		pruning("prune-zone", "Days begin where the zone has it: at 23:30 UTC it is the next day in Amsterdam.", "daily     = 2\ntime_zone = \"Europe/Amsterdam\"", func(st *state.State) {
			keep(st, aged(2*time.Hour), aged(3*time.Hour+30*time.Minute), aged(4*time.Hour+30*time.Minute), aged(30*time.Hour))
		}).want("prune local", "RQ150"),
		pruning("prune-others", "Of what is suspect, another block's, another epoch's or a recovery's, nothing takes another's place.", "last = 2", func(st *state.State) {
			keep(st, suspect, aged(6*time.Hour), aged(30*time.Hour), aged(54*time.Hour), other, safety, aged(100*time.Hour))
			st.Swarm.Epoch = "20250301T000000Z-abcdef"
			for i := range 6 { // the last is of the time before
				st.Repositories[0].Backups[i].Epoch = st.Swarm.Epoch
			}
		}).want("prune local", "RQ106", "RQ150"),
		pruning("prune-just-made", "What was the newest within the last hour may be in a plan that is still begun.", "last = 1", func(st *state.State) {
			keep(st, aged(20*time.Minute), aged(24*time.Hour), aged(48*time.Hour))
		}).want("prune local", "RQ150"),
		pruning("prune-recovering", "A recovery is not at its end on a host: nothing is removed.", "last = 1", func(st *state.State) {
			keep(st, dailies(5*time.Hour, 3)...)
			st.Host("w1").Recoveries = []state.HostRecovery{{ID: "20250309T000000Z-abcdef", Cluster: "prod", Phase: state.RecoveryBegun}}
		}).want(""),
		aloof.want("", "RQ201", "RQ301"), noLock.want(""), alone.want("prune local", "RQ150"), waits.want("", "RQ250"), awaited.want("", "RQ250"), none.want(""),
	}
}
