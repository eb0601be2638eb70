package main

import (
	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan/planfile"
)

func newBackupPruneCommand(a *app) *cobra.Command {
	f := applyFlags{wish: wish{prune: true}}
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove the backups that no rule of keep keeps",
		Long: `Plans the removal of what the keep blocks do not keep, and nothing else; shows the
backups that go and those that stay, each with its reason; asks, and removes them.
plan and apply do the same after the backups that are due.

The newest verified backup always stays. Nothing is removed while the swarm is in
trouble or is being brought back: then any backup may be the one that is needed.
So the hosts are looked at first, as plan does.

With -dry-run nothing is removed. The exit status is 0, or 1 after an error, or where
backups are not removed now.`,
		Example: "  requeen backup prune -dry-run\n  requeen backup prune",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.told(f.json, a.prune(cmd, f, dryRun))
		},
	}
	f.register(cmd)
	f.journalFlag(cmd)
	a.compactFlag(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be removed, and remove nothing")
	cmd.Flags().BoolVar(&f.auto, "auto-approve", false, "don't ask")
	cmd.Flags().BoolVar(&f.json, "json", false, "print line-delimited JSON; needs -dry-run or -auto-approve; requeen schema -for=apply-stream describes it")
	f.questionsFlag(cmd)
	f.lock = true
	return cmd
}

// prune plans what goes, asks and removes it.
func (a *app) prune(cmd *cobra.Command, f applyFlags, dryRun bool) error {
	if f.json && !f.auto && !dryRun {
		return diag.Diagnostic{Severity: diag.Error, Summary: "-json needs -dry-run or -auto-approve",
			Detail: "A question would stand among the lines.", Remedy: "add one of them"}
	}
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.warnUnfinished(); err != nil {
		return err
	}
	ctx, stop := interruptible(cmd)
	p, err := s.decided(ctx, f.wish, f.json)
	stop()
	if err != nil {
		return err
	}
	raw, digest, err := planfile.Encode(p)
	if err != nil {
		return err
	}
	if err := s.printPlan(p, digest, f.json); err != nil {
		return err
	}
	if dryRun || len(p.Steps) == 0 {
		return planStatus(p, false)
	}
	typed, err := s.ask(f, p)
	if err != nil {
		return err
	}
	return s.runPlan(cmd.Context(), f, p, digest, raw, typed)
}
