package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

const (
	backupM2 = "stop m2, archive m2, start m2, verify m2"
	backupM3 = "stop m3, archive m3, start m3, verify m3"
)

func goldens() []golden {
	var list []golden
	for _, part := range [][]golden{dueCases(), lockCases(), quorumCases(), choiceCases(), hostCases(), identityCases(), conditionCases(), leftoverCases(), moreLeftovers(), shapeCases(),
		ladderCases(), forceCases(), cutCases(), restoreCases(), runningCases(), growCases(), lossCases(), finishCases(), strayCases(), noLockCases(), elsewhereCases(), reshapeCases(), retentionCases(), awayCases(), copiesCases(), scheduleCases(), dataCases(), dataRestoreCases(), partsCases()} {
		list = append(list, part...)
	}
	return list
}

// of makes a case of three managers and the usual blocks, changed by edit.
func of(name, about string, edit func(*state.State)) golden {
	st := observed(3)
	if edit != nil {
		edit(st)
	}
	return golden{name: name, about: about, config: config(3), state: st}
}

func (g golden) want(steps string, codes ...string) golden {
	g.steps, g.codes = steps, codes
	return g
}

func (g golden) with(config string) golden {
	g.config = config
	return g
}

func (g golden) asked() golden {
	g.backup = true
	return g
}

func dueCases() []golden {
	future := aged(-2 * time.Hour)
	suspect, damaged := aged(time.Hour), aged(time.Hour)
	suspect.Suspect = []string{"it counts 3 services, the backup before 41", "its raft index 12 is below 900"}
	damaged.Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age is missing"}
	other := aged(time.Hour)
	unverified := aged(time.Hour)
	unverified.Verified = ""
	safety := aged(time.Hour)
	safety.Kind = state.KindSafety
	return []golden{
		of("fresh", "The newest backup is young enough: nothing is to be done.", func(st *state.State) { keep(st, aged(5*time.Hour)) }).
			want(""),
		of("due", "The newest backup is older than max_age.", func(st *state.State) { keep(st, aged(26*time.Hour), aged(50*time.Hour)) }).
			want(backupM2, "RQ103"),
		of("due-to-the-second", "A backup exactly as old as max_age is due.", func(st *state.State) { keep(st, aged(24*time.Hour)) }).
			want(backupM2, "RQ103"),
		of("none-ever", "The repository is empty.", nil).want(backupM2, "RQ103"),
		of("asked", "A backup is asked for though the newest is fresh.", func(st *state.State) { keep(st, aged(time.Hour)) }).
			asked().want(backupM2, "RQ103"),
		of("suspect-newest", "The newest backup is suspect: it satisfies nothing.", func(st *state.State) { keep(st, suspect, aged(26*time.Hour)) }).
			want(backupM2, "RQ106", "RQ103"),
		of("damaged-newest", "An object of the newest backup is missing.", func(st *state.State) { keep(st, damaged, aged(26*time.Hour)) }).
			want(backupM2, "RQ112", "RQ103"),
		of("future-dated", "A backup from the future is fresh for nobody.", func(st *state.State) { keep(st, future) }).
			want(backupM2, "RQ109", "RQ103"),
		of("other-epoch", "The swarm was recovered since: only backups of its epoch count.", func(st *state.State) {
			st.Swarm.Epoch = "2025-03-10-b"
			keep(st, other)
		}).want(backupM2, "RQ103"),
		of("unverified", "A backup that was not verified is none.", func(st *state.State) { keep(st, unverified) }).want(backupM2, "RQ103"),
		of("safety-only", "A safety copy satisfies no max_age.", func(st *state.State) { keep(st, safety) }).want(backupM2, "RQ103"),
		of("repository-unusable", "Whether a backup is due can't be said.", func(st *state.State) {
			st.Repositories[0] = state.Repository{Name: "local", URL: "file:///srv/backups", Looked: state.Absent,
				Problem: &state.Problem{Code: "RQ210", Text: "open /srv/backups: permission denied", Remedy: "Run requeen as a user who may read it."}}
		}).want("", "RQ210"),
		of("plaintext", "The repository is declared plaintext.", nil).
			with(config(3, "repository \"local\" {\n  url       = \"file:///srv/backups\"\n  plaintext = true\n}\n", stateBackup)).
			want(backupM2, "RQ103", "RQ105"),
		of("lock-held", "Another run holds the repository's lock.", func(st *state.State) {
			st.Repositories[0].Lock = &state.Lock{Number: 12, Owner: "ops@laptop 4711", Run: "sha256:…", CreatedAt: observedAt.Add(-time.Minute)}
		}).want(backupM2, "RQ402", "RQ103"),
		of("no-identity", "Backups are there, and no identity to open one.", func(st *state.State) { keep(st, aged(time.Hour)) }).
			with(config(3, "repository \"local\" {\n  url        = \"file:///srv/backups\"\n  recipients = [\"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"]\n}\n", stateBackup)).
			want("", "RQ110"),
		twoBlocks(),
	}
}

// twoBlocks has a repository that fails beside one that works.
func twoBlocks() golden {
	st := observed(3)
	st.Repositories = append(st.Repositories, state.Repository{Name: "offsite", URL: "file:///mnt/backups", Looked: state.Absent,
		Problem: &state.Problem{Code: "RQ210", Text: "stat /mnt/backups: no such file or directory"}})
	return golden{name: "two-blocks", about: "One block's repository fails: the other's backup is taken all the same.", state: st,
		config: config(3, localRepository, "repository \"offsite\" {\n  url       = \"file:///mnt/backups\"\n  plaintext = true\n}\n",
			"backup \"archive\" {\n  repository = \"offsite\"\n  max_age    = \"7d\"\n  swarm {\n  }\n}\n", stateBackup)}.
		want(backupM2, "RQ210", "RQ103")
}

func lockCases() []golden {
	return []golden{
		of("autolocked", "The swarm is auto-locked, and a live manager tells the key.", autolock).
			want("stop m2, archive m2, start m2, unlock m2, verify m2", "RQ103", "RQ108", "RQ107"),
		of("autolocked-key-unknown", "The swarm is auto-locked, and nobody here knows the key.", func(st *state.State) {
			autolock(st)
			st.Swarm.UnlockKeyKnown = false
		}).want("", "RQ205"),
		func() golden {
			g := of("autolocked-no-helper", "An auto-locked manager of another architecture needs a helper that is not there.", func(st *state.State) {
				autolock(st)
				for i := range st.Hosts {
					st.Hosts[i].System = "linux/arm64"
				}
			}).want("", "RQ211")
			g.helpers = []string{"linux/amd64"}
			return g
		}(),
	}
}

func quorumCases() []golden {
	managers := func(n int, name, about string, edit func(*state.State)) golden {
		st := observed(n)
		if edit != nil {
			edit(st)
		}
		return golden{name: name, about: about, config: config(n), state: st}
	}
	undeclared := managers(2, "undeclared-manager", "A third manager is in the swarm, but not declared: it counts for the quorum.", nil)
	undeclared.state.Swarm = observed(3).Swarm
	return []golden{
		managers(1, "single-manager", "The only manager is stopped: allowed, and said.", nil).
			want("stop m1, archive m1, start m1, verify m1", "RQ101"),
		managers(1, "single-manager-named", "The configuration names the only manager.", nil).
			with(config(1, localRepository, strings.Replace(stateBackup, "follower", "m1", 1))).
			want("stop m1, archive m1, start m1, verify m1", "RQ101"),
		managers(2, "two-managers", "Of two managers none can be spared.", nil).want("", "RQ201"),
		managers(3, "three-one-down", "Of three managers one is down: no other can be spared.", func(st *state.State) { lose(st, "m3") }).
			want("", "RQ201", "RQ301"),
		managers(5, "five-one-down", "Of five managers one is down: one more can be stopped.", func(st *state.State) { lose(st, "m4") }).
			want(backupM2, "RQ301", "RQ103"),
		managers(5, "cut-off", "m2's engine runs, but the leader does not reach it.", func(st *state.State) { drop(st, "m2") }).
			want(backupM3, "RQ103"),
		managers(5, "five", "Of five managers one can be stopped and one may fail.", nil).want(backupM2),
		undeclared.want(backupM2, "RQ111", "RQ103"),
		managers(1, "after-a-recovery", "A forced cluster still lists old managers, which are no voters any more.", func(st *state.State) {
			for _, name := range []string{"m8", "m9"} {
				st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: idOf(name), Hostname: name, Role: "manager", Availability: "active", Status: "down", Addr: "10.0.0.99"})
			}
		}).want("stop m1, archive m1, start m1, verify m1", "RQ113", "RQ101"),
	}
}
