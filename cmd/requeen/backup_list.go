package main

import (
	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/state"
)

func newBackupListCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the cluster's backups, newest first",
		Long:    `Lists the backups of the cluster in every declared repository, newest first.`,
		Example: "  requeen backup list\n  requeen backup list -repository offsite -json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd)
			defer stop()
			open, err := a.openRepositories(ctx, &f)
			if err != nil {
				return err
			}
			var list []state.Repository
			for _, r := range open.cfg.Repositories {
				repo := open.repositories[r.Name]
				if repo == nil {
					continue
				}
				backups, err := repo.List(ctx)
				if err != nil {
					return err
				}
				list = append(list, state.Repository{Name: r.Name, URL: r.URL, Looked: state.Present, Backups: backups})
			}
			if f.json {
				return writeLines(a.out, list)
			}
			screenOf(a.out).Backups(list, a.now())
			return nil
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	return cmd
}
