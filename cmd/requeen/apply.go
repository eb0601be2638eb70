package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

type applyFlags struct {
	configFlags
	wish
	auto, json bool
	digest     string
	approve    []string
}

func newApplyCommand(a *app) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Do what a plan says",
		Long: `Without FILE: finishes a run that was cut, if there is one; then plans, shows the
plan, asks, and runs it. With FILE: runs exactly that plan, without asking, and
refuses it when what it rests on has changed since. One that was carried out
already, by its journal, does nothing while what it made is there.

Safe and interrupting steps run; destructive ones need -digest (of the reviewed
plan, which approves all of it) or -approve with their codes. -auto-approve
answers the question and approves no destructive step.

A run that was cut anywhere is finished by running apply again. A manager that
was stopped for a backup comes back by itself: its own host starts the engine
again. One that a recovery holds stays down until the recovery lets it go, also
over a reboot; status names it. A run that was changing the cluster's shape goes on
only while the configuration is the one that it was planned from: else its journal is
closed, and a new plan goes by what is there.

On the worst day the repository may be lost too. -lock=false takes no repository's
lock: a recovery runs, a restore only reads its backup, and nothing but the locks
on the hosts keeps a second run away. Steps that store a backup or the survivor's
copy are refused then, and so are those that change the cluster's shape: plan
-lock=false leaves them out.

The first Ctrl-C finishes the current step, sees that a stopped manager is back,
and stops there; the second ends at once, and the host goes on by itself.

Exit status: 0 where every step is done, or there is none and nothing is due; 1 after
an error, and where the plan has no steps though something is due, which is named.`,
		Example: `  requeen apply
  requeen apply tonight.plan
  requeen apply -digest sha256:… reviewed.plan`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := f.wish.check()
			if err == nil {
				err = f.lockFits(f.wish)
			}
			switch {
			case err != nil:
			case len(args) == 1:
				err = a.applyFile(cmd, f, args[0])
			default:
				err = a.applyNow(cmd, f)
			}
			return a.told(f.json, err)
		},
	}
	f.register(cmd)
	f.journalFlag(cmd)
	f.lockFlag(cmd)
	f.wish.flags(cmd, "without FILE: ")
	a.compactFlag(cmd)
	cmd.Flags().BoolVar(&f.auto, "auto-approve", false, "without FILE: don't ask; approves no destructive step")
	cmd.Flags().StringVar(&f.digest, "digest", "", "run only the plan with this `DIGEST`, and approve all of it")
	cmd.Flags().StringSliceVar(&f.approve, "approve", nil, "approve destructive steps by their `CODES`, separated by commas")
	cmd.Flags().BoolVar(&f.json, "json", false, "print line-delimited JSON; needs FILE or -auto-approve; requeen schema -for=apply-stream describes it")
	f.questionsFlag(cmd)
	a.completeNodes(cmd, &f.configFlags)
	return cmd
}

// applyFile runs a plan file as it is.
func (a *app) applyFile(cmd *cobra.Command, f applyFlags, file string) error {
	if f.wish.asked() || f.auto {
		return diag.Diagnostic{Severity: diag.Error, Summary: "-backup, -restore, -target and -auto-approve don't go with a plan file",
			Detail: "A plan file is run as it was reviewed, and never asks.", Remedy: "leave them out, or leave out the file"}
	}
	p, digest, err := planfile.Read(file)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.fits(p); err != nil {
		return err
	}
	if len(p.Steps) == 0 {
		return s.applyNothing(f, p, digest)
	}
	return s.runPlan(cmd.Context(), f, p, digest, raw, false)
}

// fits refuses a plan that was made from another configuration.
func (s *session) fits(p *plan.Plan) error {
	if p.Cluster == s.cfg.Cluster.Name && p.ConfigSHA256 == s.cfg.SHA256 {
		return nil
	}
	code, _ := diag.Lookup(diag.ConfigurationDiffer)
	detail := fmt.Sprintf("The plan was made from the configuration with digest %.12s…, this one has %.12s….", p.ConfigSHA256, s.cfg.SHA256)
	if p.Cluster != s.cfg.Cluster.Name {
		detail = fmt.Sprintf("The plan is for cluster %s, the configuration is cluster %s's.", p.Cluster, s.cfg.Cluster.Name)
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.ConfigurationDiffer, Summary: code.Title,
		Detail: detail + " Nothing was changed.", Remedy: code.Remedy}
}

// applyNow finishes what was cut, plans, asks and runs.
func (a *app) applyNow(cmd *cobra.Command, f applyFlags) error {
	if f.json && !f.auto {
		return diag.Diagnostic{Severity: diag.Error, Summary: "-json needs -auto-approve or a plan file",
			Detail: "A question would stand among the lines.", Remedy: "add -auto-approve, or plan -out FILE and apply FILE"}
	}
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	s.noLock = !f.lock
	if err := f.wish.fits(s.cfg); err != nil {
		return err
	}
	if err := s.resume(cmd.Context(), f); err != nil {
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
	if len(p.Steps) == 0 {
		return planStatus(p, false)
	}
	typed, err := s.ask(f, p)
	if err != nil {
		return err
	}
	return s.runPlan(cmd.Context(), f, p, digest, raw, typed)
}

// resume finishes the runs of this cluster whose journals say that they were
// cut. One that can't be finished any more is closed: its manager is brought
// back, what it left is removed, and a new plan follows.
func (s *session) resume(ctx context.Context, f applyFlags) error {
	unfinished, err := apply.Unfinished(s.journal, s.cfg.Cluster.Name)
	if err != nil {
		return err
	}
	for _, u := range unfinished {
		p, digest, err := planfile.Decode(u.PlanBytes)
		if err != nil {
			return fmt.Errorf("the journal of an unfinished run in %s: %w", u.Dir, err)
		}
		if !f.json {
			fmt.Fprintf(s.app.out, "Finishing the run that was cut: %s\n", p.Summary)
		}
		err = s.runPlan(ctx, f, p, digest, u.PlanBytes, true)
		var stale *apply.StaleError
		var locked *apply.LockNeededError
		if errors.As(err, &stale) && !stale.Closed || errors.As(err, &locked) {
			err = s.abandon(ctx, f, p, digest, u.PlanBytes)
		} else if stale != nil {
			err = nil
		}
		if err != nil {
			return err
		}
		if stale != nil && !f.json {
			fmt.Fprintf(s.app.out, "  is not gone on with: %s\n", whyStale(stale))
		}
	}
	return nil
}

// whyStale is what has changed since a plan was made, as a sentence or several.
func whyStale(stale *apply.StaleError) string {
	var texts []string
	for _, c := range stale.Changes {
		texts = append(texts, strings.TrimSuffix(c.Text, ".")+".")
	}
	return strings.Join(texts, " ")
}

// ask lets a person agree: with yes, or, where something is destructive, by
// typing the cluster's name.
func (s *session) ask(f applyFlags, p *plan.Plan) (typed bool, err error) {
	need := apply.NeedsApproval(p)
	if f.auto || f.digest != "" {
		return false, nil
	}
	if why := f.cannotAsk(s.app.in); why != "" {
		return false, diag.Diagnostic{Severity: diag.Error, Summary: "Nobody can be asked",
			Detail: why + " Nothing was changed.",
			Remedy: "add -auto-approve, or plan -out FILE, review it, and apply FILE"}
	}
	want := "yes"
	if len(need) > 0 && len(f.approve) == 0 {
		want = p.Cluster
		fmt.Fprintf(s.app.out, "\nThis plan destroys something (%s). Type the cluster's name to run it: ", strings.Join(need, ", "))
	} else {
		fmt.Fprint(s.app.out, "\nRun these steps? Only \"yes\" runs them: ")
	}
	line, _ := bufio.NewReader(s.app.in).ReadString('\n')
	if strings.TrimSpace(line) != want {
		fmt.Fprintln(s.app.out, "Nothing was changed.")
		return false, exitStatus(diag.ExitError)
	}
	return want != "yes", nil
}
