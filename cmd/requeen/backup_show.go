package main

import (
	"github.com/spf13/cobra"
)

func newBackupShowCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:   "show ID|latest",
		Short: "Show what a backup's manifest says",
		Long: `Prints what the manifest of a backup says: of which swarm it is, its raft
position, what it holds, and what is needed to restore it. ID may be shortened.`,
		Example:           "  requeen backup show latest",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd)
			defer stop()
			open, err := a.openRepositories(ctx, &f)
			if err != nil {
				return err
			}
			repo, b, err := open.findBackup(ctx, args[0])
			if err != nil {
				return err
			}
			if f.json {
				return writeLines(a.out, b)
			}
			screenOf(a.out).Backup(b, repo.Name(), a.now())
			return nil
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	return cmd
}
