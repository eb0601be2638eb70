package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/specdiff"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
)

// live is what stands for the swarm as it is now, in place of a backup's ID.
const live = "live"

func newBackupDiffCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:   "diff ID|latest|live ID|latest|live",
		Short: "Compare what two backups hold, or a backup with the living swarm",
		Long: `Opens two backups with the repository's identity, each on a private copy in memory,
and shows what is otherwise in the second: services with what changed in their specs,
secrets and configs, networks, and nodes with their labels. No host is contacted. Only
the swarm's own archive of each is read; volumes and directories are not compared.

With live in place of one of them the swarm is asked through a manager's API, read-only,
what it holds now: diff ID live shows what was added, removed and changed since the
backup, diff live ID what a restore would bring back and what would be lost. The API
tells no secret's value; a secret can't be changed, so another ID is another value. Of
services that is compared which both tell alike.

Of a secret and a config it is told that the data is another, and nothing of it. What
may hold a password is not shown either: the values of environment variables, and
options of drivers. Between two backups numbers stand where swarmkit has numbers for
words.

Backups of an auto-locked swarm need the key of their time: the one beside it, else
cluster.unlock_key.`,
		Example:           "  requeen backup diff 20260301T031000Z-0a1b2c latest\n  requeen backup diff latest live",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeCompared,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backupDiff(cmd, f, args)
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	return cmd
}

// completeCompared offers the newest backup and the living swarm.
var completeCompared = cobra.FixedCompletions([]string{cobra.CompletionWithDesc("latest", "the newest backup"),
	cobra.CompletionWithDesc(live, "the swarm as it is now")}, cobra.ShellCompDirectiveNoFileComp)

func (a *app) backupDiff(cmd *cobra.Command, f repositoryFlags, args []string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	if args[0] == live && args[1] == live {
		return diag.Diagnostic{Severity: diag.Error, Summary: "The living swarm is compared with itself", Remedy: "name a backup in place of one of the two"}
	}
	open, err := a.openRepositories(ctx, &f)
	if err != nil {
		return err
	}
	withLive := args[0] == live || args[1] == live
	ids, specs := [2]string{}, [2][]state.Spec{}
	for i, id := range args {
		if id == live {
			ids[i] = live
			specs[i], err = a.liveSpecs(ctx, &f.configFlags)
		} else {
			ids[i], specs[i], err = open.specs(ctx, id, withLive)
		}
		if err != nil {
			return err
		}
	}
	list := specdiff.Compare(specs[0], specs[1])
	if f.json {
		return writeLines(a.out, view.BackupDiff{First: ids[0], Second: ids[1], Objects: list})
	}
	screenOf(a.out).SpecDiff(ids[0], ids[1], list)
	return nil
}

// specs opens a backup and tells what it holds; alike says in the words of a living
// swarm.
func (o opened) specs(ctx context.Context, id string, alike bool) (string, []state.Spec, error) {
	var key []byte
	if o.cfg.Cluster.UnlockKey.Known() {
		key = []byte(o.cfg.Cluster.UnlockKey.Reveal())
	}
	repo, b, err := o.findBackup(ctx, id)
	if err != nil {
		return "", nil, err
	}
	if b.Autolocked && len(key) == 0 && !b.KeyEscrowed() {
		return b.ID, nil, diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Summary: "Backup " + b.ID + " can't be opened without an unlock key",
			Detail: "The swarm was auto-locked when it was taken; the key has the fingerprint " + b.KeySHA256 + ".", Remedy: "set cluster.unlock_key to the key of that time"}
	}
	if alike {
		list, _, err := effects.Contents(ctx, repo, b, key, nil)
		return b.ID, list, err
	}
	list, err := effects.Specs(ctx, repo, b, key)
	return b.ID, list, err
}

// liveSpecs asks a manager what the swarm holds now.
func (a *app) liveSpecs(ctx context.Context, f *configFlags) ([]state.Spec, error) {
	s, err := a.open(f)
	if err != nil {
		return nil, err
	}
	defer s.close()
	list, _, err := effects.New(s.effects()).LiveSpecs(ctx)
	return list, err
}

// restoreDiffTime bounds how long a plan waits for what its restore changes.
const restoreDiffTime = 30 * time.Second

// restoreDiff is what a plan's restore changes of the swarm that answers; nil where
// the backup was not opened or no manager tells what there is.
func (s *session) restoreDiff(p *plan.Plan) *view.RestoreDiff {
	if p.Recovery == nil || p.Recovery.Rung != plan.RungRestore || !p.Recovery.Asked || s.pool == nil || s.recorded != nil {
		return nil
	}
	held, opened := s.specs[backupAt{p.Recovery.Repository, p.Recovery.Backup}]
	if !opened {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), restoreDiffTime)
	defer cancel()
	now, _, err := effects.New(s.effects()).LiveSpecs(ctx)
	if err != nil {
		return nil
	}
	return &view.RestoreDiff{Backup: p.Recovery.Backup, Objects: specdiff.Compare(now, held)}
}
