package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/effects"
)

func newBackupVerifyCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:   "verify ID|latest",
		Short: "Read a backup again and prove that it can be opened",
		Long: `Reads every stored object of a backup and compares its digest; then, with the
repository's identity, opens the backup on a private copy in memory and proves
its raft log readable. What was proved is named:

  objects   every object is there and its digest holds
  raft      it was decrypted, its log decodes without a gap, certificate and
            key match, and it holds what the manifest says

That a backup was opened with an identity is recorded in its manifest, and
status tells how long ago that was.

A backup of an auto-locked swarm needs cluster.unlock_key, the key of its time.`,
		Example:           "  requeen backup verify latest",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backupVerify(cmd, f, args[0])
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	return cmd
}

func (a *app) backupVerify(cmd *cobra.Command, f repositoryFlags, id string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	open, err := a.openRepositories(ctx, &f)
	if err != nil {
		return err
	}
	repo, b, err := open.findBackup(ctx, id)
	if err != nil {
		return err
	}
	var key []byte
	if open.cfg.Cluster.UnlockKey.Known() {
		key = []byte(open.cfg.Cluster.UnlockKey.Reveal())
	}
	checked, err := effects.Check(ctx, repo, b, open.cfg.Repository(repo.Name()).Identity != "", key)
	if err != nil {
		return err
	}
	unrecorded := ""
	if checked.Level == effects.LevelRaft && !b.PlainStored {
		if err := repo.RecordOpened(ctx, b.ID, a.now()); err != nil {
			unrecorded = err.Error()
		}
	}
	if f.json {
		return writeLines(a.out, struct {
			ID string `json:"id"`
			effects.Checked
			Unrecorded string `json:"not_recorded,omitempty"`
		}{b.ID, checked, unrecorded})
	}
	fmt.Fprintf(a.out, "Backup %s verified: %s\n", b.ID, checked.Level)
	if checked.Level == effects.LevelRaft {
		r := checked.Report
		fmt.Fprintf(a.out, "  opened with the identity; term %d, index %d; %d services, %d secrets, %d configs\n",
			r.Term, r.Index, r.Objects.Services, r.Objects.Secrets, r.Objects.Configs)
	}
	if unrecorded != "" {
		fmt.Fprintf(a.out, "  not recorded: %s\n", unrecorded)
	}
	if checked.Short != "" {
		fmt.Fprintf(a.out, "  not further: %s\n", checked.Short)
	}
	return nil
}
