package main

import (
	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/specdiff"
	"github.com/requeen/requeen/internal/state"
)

func newBackupDiffCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:   "diff ID ID|latest",
		Short: "Compare what two backups hold",
		Long: `Opens two backups with the repository's identity, each on a private copy in memory,
and shows what is otherwise in the second: services with what changed in their specs,
secrets and configs, networks, and nodes with their labels. No host is contacted.

Of a secret and a config it is told that the data is another, and nothing of it. What
may hold a password is not shown either: the values of environment variables, and
options of drivers. Numbers stand where swarmkit has numbers for words.

Backups of an auto-locked swarm need cluster.unlock_key, the key of their time.`,
		Example:           "  requeen backup diff 20260301T031000Z-0a1b2c latest",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backupDiff(cmd, f, args)
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	return cmd
}

func (a *app) backupDiff(cmd *cobra.Command, f repositoryFlags, args []string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	open, err := a.openRepositories(ctx, &f)
	if err != nil {
		return err
	}
	var key []byte
	if open.cfg.Cluster.UnlockKey.Known() {
		key = []byte(open.cfg.Cluster.UnlockKey.Reveal())
	}
	var ids [2]string
	var specs [2][]state.Spec
	for i, id := range args {
		repo, b, err := open.findBackup(ctx, id)
		if err != nil {
			return err
		}
		if b.Autolocked && len(key) == 0 {
			return diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Summary: "Backup " + b.ID + " can't be opened without an unlock key",
				Detail: "The swarm was auto-locked when it was taken; the key has the fingerprint " + b.KeySHA256 + ".", Remedy: "set cluster.unlock_key to the key of that time"}
		}
		ids[i] = b.ID
		if specs[i], err = effects.Specs(ctx, repo, b, key); err != nil {
			return err
		}
	}
	list := specdiff.Compare(specs[0], specs[1])
	if f.json {
		return writeLines(a.out, struct {
			First   string            `json:"first"`
			Second  string            `json:"second"`
			Objects []specdiff.Object `json:"objects"`
		}{ids[0], ids[1], list})
	}
	screenOf(a.out).SpecDiff(ids[0], ids[1], list)
	return nil
}
