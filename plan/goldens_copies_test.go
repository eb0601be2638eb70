package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

const (
	oneRecipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

	nasRepository = `repository "nas" {
  url        = "file:///mnt/nas"
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  identity   = "/root/identity.txt"
}
`
)

// copiesBackup is the usual block, in local and then nas.
var copiesBackup = strings.Replace(stateBackup, `repository = "local"`, `copies     = ["local", "nas"]`, 1)

// inTwo is a case with two repositories.
func inTwo(name, about string, edit func(local, nas *state.Repository, st *state.State)) golden {
	return of(name, about, func(st *state.State) {
		st.Repositories = append(st.Repositories, state.Repository{Name: "nas", URL: "file:///mnt/nas", Looked: state.Present, Backups: []state.Backup{}})
		edit(&st.Repositories[0], &st.Repositories[1], st)
	}).with(config(3, localRepository, nasRepository, copiesBackup))
}

// sealed are backups as a repository with a recipient has them.
func sealed(ages ...time.Duration) []state.Backup {
	list := []state.Backup{}
	for _, age := range ages {
		b := aged(age)
		b.Recipients = []string{oneRecipient}
		list = append(list, b)
	}
	return list
}

func unusable(r *state.Repository) {
	r.Looked, r.Backups = state.Absent, []state.Backup{}
	r.Problem = &state.Problem{Code: "RQ210", Text: "open " + strings.TrimPrefix(r.URL, "file://") + ": no such device", Remedy: "Mount it."}
}

func copiesCases() []golden {
	kept := func(rules string) string {
		return config(3, localRepository, nasRepository, strings.TrimSuffix(copiesBackup, "}\n")+"  keep {\n    "+rules+"\n  }\n}\n")
	}
	recipient := strings.Replace(nasRepository, oneRecipient, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN nas", 1)
	others := func(text string) string { return config(3, text, recipient, copiesBackup) }
	damaged := func(nas *state.Repository) {
		nas.Backups[0].Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age is missing"}
	}
	missing := func(local, _ *state.Repository, _ *state.State) { local.Backups = sealed(5 * time.Hour) }
	both := func(age time.Duration) func(local, nas *state.Repository, _ *state.State) {
		return func(local, nas *state.Repository, _ *state.State) {
			local.Backups, nas.Backups = sealed(age), sealed(age)
		}
	}
	return []golden{
		inTwo("copies-fresh", "Both repositories hold the newest backup: nothing is to be done.", both(5*time.Hour)).want(""),
		inTwo("copies-due", "A backup is due: it is taken once, and copied into the other repository.", both(26*time.Hour)).want(backupM2+", copy nas", "RQ103"),
		inTwo("copies-missing", "One repository lacks a backup that is young enough: it is copied, and nobody is stopped.", missing).want("copy nas"),
		inTwo("copies-missing-first", "The repository that comes first lacks it.", func(_, nas *state.Repository, _ *state.State) { nas.Backups = sealed(5 * time.Hour) }).want("copy local"),
		inTwo("copies-one-down", "A backup is due, and one repository can't be used: the backup is kept in the other.", func(local, nas *state.Repository, _ *state.State) {
			local.Backups = sealed(26 * time.Hour)
			unusable(nas)
		}).want(backupM2, "RQ210", "RQ103"),
		inTwo("copies-first-down", "The one that comes first can't be used: the next one stands in for it.", func(local, nas *state.Repository, _ *state.State) {
			nas.Backups = sealed(26 * time.Hour)
			unusable(local)
		}).want(backupM2, "RQ210", "RQ103"),
		inTwo("copies-all-down", "Neither can be used: whether a backup is due can't be said.", func(local, nas *state.Repository, _ *state.State) {
			unusable(local)
			unusable(nas)
		}).want("", "RQ210"),
		inTwo("copies-damaged", "The copy in one of them is damaged: nothing is written over.", func(local, nas *state.Repository, _ *state.State) {
			local.Backups, nas.Backups = sealed(5*time.Hour), sealed(5*time.Hour)
			damaged(nas)
		}).want("", "RQ251", "RQ112"),
		inTwo("copies-recipients", "The recipients differ: the backup is opened with an identity, and encrypted anew.", missing).with(others(localRepository)).want("copy nas"),
		inTwo("copies-recipients-closed", "The recipients differ, and there is no identity.", missing).
			with(others(strings.Replace(localRepository, "  identity   = \"/root/identity.txt\"\n", "", 1))).want("", "RQ251", "RQ110"),
		inTwo("copies-prune", "Each repository is pruned by the same rules, once it holds the new backup.", func(local, nas *state.Repository, _ *state.State) {
			local.Backups, nas.Backups = sealed(26*time.Hour, 50*time.Hour, 74*time.Hour), sealed(26*time.Hour, 74*time.Hour)
		}).with(kept("last = 2")).want(backupM2+", copy nas, prune local, prune nas", "RQ103", "RQ150", "RQ150"),
		inTwo("copies-cut", "A run was cut whose copy serves, and its repository can't be used: it goes into the other.", func(local, nas *state.Repository, st *state.State) {
			nas.Backups = sealed(26 * time.Hour)
			st.Host("m2").Runs = []state.HostRun{cutRun(10 * time.Minute)}
			unusable(local)
		}).want("verify m2", "RQ210", "RQ401"),
		copiesRestored(),
	}
}

// copiesRestored is a restore out of the second repository, for the first holds a
// damaged copy.
func copiesRestored() golden {
	g := inTwo("copies-restore", "A restore takes the first repository that serves, and says why not the one before.", func(local, nas *state.Repository, _ *state.State) {
		local.Backups, nas.Backups = sealed(5*time.Hour), sealed(5*time.Hour)
		for _, r := range []*state.Repository{local, nas} {
			r.Backups[0].Raft, r.Backups[0].OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
		}
		local.Backups[0].Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age is missing"}
	})
	g.config += "\nrecovery {\n" + allRungs + "}\n"
	g.restore = "latest"
	return g.want("prepare m2, hold m2, fence m3, hold m1, save m1, fence m1, restore m2, start m2, init m2, join m3, join m1, rotate-join-tokens m2, await w1, stop m1, archive m1, start m1, verify m1, copy nas",
		"RQ112", "RQ125", "RQ134", "RQ103")
}
