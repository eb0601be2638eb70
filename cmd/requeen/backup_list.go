package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// unlistedFor is why a repository could not be looked at, for whoever reads the list.
func unlistedFor(err error) *state.Problem {
	var d diag.Diagnostic
	if !errors.As(err, &d) {
		return &state.Problem{Code: diag.RepositoryUnusable, Text: err.Error()}
	}
	return &state.Problem{Code: d.Code, Text: d.Summary, Remedy: d.Remedy}
}

func newBackupListCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the cluster's backups, newest first",
		Long: `Lists the backups of the cluster in every declared repository, newest first. Where one
of them can't be looked at the others are listed all the same, and the exit status is 1.`,
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
			var unlisted []error
			for _, r := range open.cfg.Repositories {
				repo := open.repositories[r.Name]
				if repo == nil {
					continue
				}
				seen := state.Repository{Name: r.Name, URL: r.URL, Looked: state.Present}
				seen.Backups, err = repo.List(ctx)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					seen.Looked, seen.Problem, seen.Backups = state.Absent, unlistedFor(err), []state.Backup{}
					unlisted = append(unlisted, err)
				}
				list = append(list, seen)
			}
			if f.json {
				return errors.Join(writeLines(a.out, list), errors.Join(unlisted...))
			}
			screenOf(a.out).Backups(list, a.now())
			return errors.Join(unlisted...)
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	return cmd
}
