package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
)

func newForceUnlockCommand(a *app) *cobra.Command {
	var f repositoryFlags
	cmd := &cobra.Command{
		Use:   "force-unlock NUMBER",
		Short: "Remove the lock that a dead run left in a repository",
		Long: `Removes a lock whose run is gone for good. NUMBER is the one that the refused
command named, so that no other run's lock is removed by mistake. A run that
still lives notices that its lock is gone and begins no further step.

A lock whose heartbeat has stopped for a minute needs no force: the next apply
takes it over by itself.`,
		Example: "  requeen force-unlock 12",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd)
			defer stop()
			number, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("%q is not a lock's number", args[0]),
					Remedy: "use the number that the refused command named"}
			}
			open, err := a.openRepositories(ctx, &f)
			if err != nil {
				return err
			}
			for _, r := range open.cfg.Repositories {
				repo := open.repositories[r.Name]
				if repo == nil {
					continue
				}
				lock, err := repo.ReadLock(ctx)
				if err != nil {
					return err
				}
				if lock == nil || lock.Number != number {
					continue
				}
				if err := repo.ForceUnlock(ctx, number); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "Lock %d of %s removed from repository %s.\n", number, lock.Owner, r.Name)
				return nil
			}
			return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("No repository holds lock %d", number),
				Remedy: "plan again: the lock may have been released"}
		},
	}
	f.register(cmd)
	return cmd
}
