package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

type planFlags struct {
	configFlags
	wish
	json, detailed bool
	out            string
}

func newPlanCommand(a *app) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would do, and why",
		Long: `Looks at the hosts, the swarm and the repositories, and prints the steps that
would make what is declared true: each with its reason, its risk and the
quorum's margin after it. Nothing is changed.

A swarm that has lost its quorum is brought back by the lowest rung that
reaches it and that recovery.allow has: stopped engines are started, locked
managers unlocked; else a new cluster is forced out of the manager whose log is
furthest; else the newest verified backup is restored. Whether a quorum is lost
can take two minutes to tell: plan waits that long, and says so.

-restore asks for a restore outright, also of a swarm that is well: that goes
back in time, and the plan says what is lost.

A backup that would be restored is opened while it is planned, on a private
copy in memory, where its identity and unlock key are at hand. The plan then
tells which containers the new cluster ends.

With -lock=false the plan runs without a repository's lock, which RQ126 says: no
backup is taken, and what the survivor holds stays on its host alone, set aside.
Where no repository can be used, a forced cluster needs no flag for that.

Exit status: 0, or 1 after an error, or when nothing can be done though
something is due. With -detailed-exitcode 2 says that there are steps.`,
		Example: `  requeen plan
  requeen plan -backup -out tonight.plan
  requeen plan -restore=latest -onto=m1 -out back.plan
  requeen -chdir=clusters/prod plan -detailed-exitcode`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.wish.check(); err != nil {
				return err
			}
			if err := f.lockFits(f.wish); err != nil {
				return err
			}
			return a.plan(cmd, f)
		},
	}
	f.register(cmd)
	f.journalFlag(cmd)
	f.lockFlag(cmd)
	f.wish.flags(cmd, "")
	cmd.Flags().StringVar(&f.out, "out", "", "write the plan to `FILE`, for show and apply")
	cmd.Flags().BoolVar(&f.json, "json", false, "print line-delimited JSON")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when there are steps")
	return cmd
}

func (a *app) plan(cmd *cobra.Command, f planFlags) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	s.noLock = !f.lock
	if err := s.warnUnfinished(); err != nil {
		return err
	}
	p, err := s.decided(ctx, f.wish, f.json)
	if err != nil {
		return err
	}
	_, digest, err := planfile.Encode(p)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := planfile.Write(f.out, p); err != nil {
			return err
		}
	}
	if err := a.printPlan(p, digest, f.json); err != nil {
		return err
	}
	return planStatus(p, f.detailed)
}

func (a *app) printPlan(p *plan.Plan, digest string, asJSON bool) error {
	if asJSON {
		return writeLines(a.out, view.PlanLines(p, digest)...)
	}
	screenOf(a.out).Plan(p, digest)
	return nil
}

// planStatus is the exit status that decisions.md fixes for a plan.
func planStatus(p *plan.Plan, detailed bool) error {
	switch {
	case len(p.Steps) > 0 && detailed:
		return exitStatus(diag.ExitChanges)
	case len(p.Steps) == 0 && len(p.Unmet) > 0:
		return exitStatus(diag.ExitError)
	}
	return nil
}

func writeLines(w io.Writer, lines ...any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
