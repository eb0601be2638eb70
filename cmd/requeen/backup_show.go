package main

import (
	"github.com/spf13/cobra"
)

func newBackupShowCommand(a *app) *cobra.Command {
	var f configFlags
	var only string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID|latest",
		Short: "Show what a backup's manifest says",
		Long: `Prints what the manifest of a backup says: of which swarm it is, its raft
position, what it holds, and what is needed to restore it. ID may be shortened.`,
		Example: "  requeen backup show latest",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd)
			defer stop()
			cfg, err := a.load(&f)
			if err != nil {
				return err
			}
			open, err := openRepositories(ctx, cfg, only)
			if err != nil {
				return err
			}
			repo, b, err := findBackup(ctx, cfg, open, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeLines(a.out, b)
			}
			screenOf(a.out).Backup(b, repo.Name(), a.now())
			return nil
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&only, "repository", "", "look at the repository `NAME` only")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
