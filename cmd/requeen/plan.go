package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

type planFlags struct {
	configFlags
	wish
	json, detailed, refreshOnly bool
	out, state                  string
}

// check refuses flags that do not go together.
func (f planFlags) check() error {
	if err := f.wish.check(); err != nil {
		return err
	}
	if err := f.lockFits(f.wish); err != nil {
		return err
	}
	if f.refreshOnly && (f.wish.asked() || f.out != "" || !f.lock) {
		return diag.Diagnostic{Severity: diag.Error, Summary: "-refresh-only plans nothing",
			Detail: "It shows what differs, so that -out, -backup, -restore, -onto, -only, -exclude, -target and -lock=false have no meaning with it.",
			Remedy: "leave them out, or leave out -refresh-only"}
	}
	return nil
}

const planHelp = `Looks at the hosts, the swarm and the repositories, and prints the steps that
would make what is declared true: each with its reason, its risk and the
quorum's margin after it. Nothing is changed.

A swarm that is well is brought to its declared shape: hosts join, roles, labels,
availability and settings are put as declared, one manager at a time and the
leader last. Engines of declared nodes that are down are started before, and locked
managers unlocked; one that is to stay down has its unit masked. What no step
reaches is named with what it would take.

A swarm that has lost its quorum is brought back by the lowest rung that
reaches it and that recovery.allow has: stopped engines are started, locked
managers unlocked; else a new cluster is forced out of the manager whose log is
furthest; else the newest verified backup is restored. Whether a quorum is lost
can take two minutes to tell: plan waits that long, and says so.

-restore asks for a restore outright, also of a swarm that is well: that goes
back in time, and the plan says what is lost.

The data of a backup are restored with the swarm, to the node where they are declared
now, before the services that use them run. -only and -exclude choose parts: swarm,
volume.NAME, directory.NAME; without the swarm nothing of one that lives is touched
but those services. What is in the place is set aside. Where nobody asked for the
restore, data are put only where nothing is.

A backup that would be restored is opened while it is planned, on a private
copy in memory, where its identity and unlock key are at hand. The plan then
tells which containers the new cluster ends; of a restore that was asked for while
the swarm answers, it is shown which services, secrets, configs, networks and nodes
come back, are lost or become what they were.

With -lock=false the plan runs without a repository's lock, which RQ126 says: no
backup is taken, and what the survivor holds stays on its host alone, set aside.
Where no repository can be used, a forced cluster needs no flag for that.

With -state the plan is made from a file that requeen observe has written, as of
the time of that look: nothing is contacted, no command is run, and neither
identity nor unlock key is needed. apply compares such a plan with the hosts like
any other. The functions env and file are evaluated where plan runs: give the
configuration of a pull request that nobody has read an environment without
secrets.

With -target the plan is partial: it is about the nodes and backups that are named,
and what a cut run left. With -refresh-only nothing is planned: what differs from
the declaration is shown, and how old the backups are.

Exit status: 0, or 1 after an error, or when nothing can be done though
something is due. With -detailed-exitcode 2 says that there are steps; with
-refresh-only too, it says that something differs or is due, and 1 that nothing
does as far as could be looked at.`

func newPlanCommand(a *app) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would do, and why",
		Long:  planHelp,
		Example: `  requeen plan
  requeen plan -backup -out tonight.plan
  requeen plan -restore=latest -onto=m1 -out back.plan
  requeen plan -restore=latest -only=volume.pgdata -out data.plan
  requeen plan -state prod.state.json -out reviewed.plan
  requeen plan -target=w1 -target=backup.state
  requeen plan -refresh-only -detailed-exitcode
  requeen -chdir=clusters/prod plan -detailed-exitcode`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := f.check()
			if err == nil {
				err = a.plan(cmd, f)
			}
			return a.told(f.json, err)
		},
	}
	f.register(cmd)
	f.journalFlag(cmd)
	f.lockFlag(cmd)
	f.wish.flags(cmd, "")
	a.compactFlag(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "write the plan to `FILE`, for show and apply")
	stateFlag(cmd, &f.state, "")
	cmd.Flags().BoolVar(&f.refreshOnly, "refresh-only", false, "show what differs from the declaration, and plan nothing")
	cmd.Flags().BoolVar(&f.json, "json", false, "print line-delimited JSON; requeen schema -for=plan-stream describes it")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when there are steps")
	f.questionsFlag(cmd)
	a.completeNodes(cmd, &f.configFlags)
	return cmd
}

// stateFlag is for the commands that plan; when says in front of it when it holds.
func stateFlag(cmd *cobra.Command, state *string, when string) {
	cmd.Flags().StringVar(state, "state", "", when+"plan from `FILE`, which requeen observe wrote, and contact nothing")
}

func (a *app) plan(cmd *cobra.Command, f planFlags) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	s, err := a.openAt(&f.configFlags, f.state)
	if err != nil {
		return err
	}
	defer s.close()
	s.noLock = !f.lock
	if err := f.wish.fits(s.cfg); err != nil {
		return err
	}
	if f.refreshOnly {
		return s.showDrift(ctx, f)
	}
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
		if err := s.noteRestore(p); err != nil {
			fmt.Fprintf(a.err, "The backup that the plan restores can't be noted as one that is about to be restored (%v): a prune may remove it before the plan is applied.\n", err)
		}
	}
	if err := s.printPlan(p, digest, f.json); err != nil {
		return err
	}
	return planStatus(p, f.detailed)
}

func (s *session) printPlan(p *plan.Plan, digest string, asJSON bool) error {
	changes := s.restoreDiff(p)
	if asJSON {
		given := s.recordedLines()
		if changes != nil {
			given = append(given, changes.Lines(p.PlannedAt)...)
		}
		return writeLines(s.app.out, view.PlanLines(p, digest, given...)...)
	}
	s.showRecorded()
	if changes != nil {
		s.app.screen(s.app.out).RestoreDiff(*changes)
	}
	s.app.screen(s.app.out).Plan(p, digest)
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
