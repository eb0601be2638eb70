package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/atomicfile"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

type backupRunFlags struct {
	applyFlags
	given
	name           string
	fresh, wait    time.Duration
	last, textfile string
}

// runAgain is how long a run waits before it tries again to get the lock.
const runAgain = 5 * time.Second

func newBackupRunCommand(a *app) *cobra.Command {
	var f backupRunFlags
	cmd := &cobra.Command{
		Use:   "run NAME",
		Short: "Make one backup now, as a schedule does, without asking",
		Long: `Makes the declared backup NAME, and removes what its keep block does not keep: the
plan that plan -backup -target=backup.NAME shows. A run that was cut is finished
first. Nothing else is planned: no shape is changed, nothing is recovered, and a plan
that would destroy something is refused. Nobody is asked.

Where another run holds the lock, or is at work on a manager, this one waits for it.
With -fresh it makes no backup where one is there by then that is young enough, and
that is no failure.

The services that a schedule block has put on its host run this command; -on, -given,
-export and -last are what they need. The manifest names the node of -on.

Exit status: 0 where the backup was made, or a fresh one is there; 1 where it was not, or
is suspect, or where what goes with it failed: a copy, or what keep removes.`,
		Example: "  requeen backup run state\n  requeen backup run state -fresh=3h -textfile=/var/lib/node-exporter/requeen.prom",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.name = args[0]
			return a.backupRun(cmd.Context(), f)
		},
	}
	f.register(cmd)
	f.journalFlag(cmd)
	flags := cmd.Flags()
	flags.DurationVar(&f.fresh, "fresh", 0, "make none where the newest verified one is younger than this")
	flags.DurationVar(&f.wait, "wait", time.Hour, "wait at most this long for another run")
	flags.StringVar(&f.textfile, "textfile", "", "afterwards, write what status -textfile writes to `FILE`")
	flags.StringVar(&f.on, "on", "", "this machine is the declared `NODE`, which is reached without ssh")
	flags.StringVar(&f.dir, "given", "", "take values of env() and -var, and keys to sign with, from below `DIR`")
	flags.StringSliceVar(&f.export, "export", nil, "of the values in -given, put those with these `NAMES` into the environment")
	flags.StringVar(&f.last, "last", "", "leave in `FILE` how the run ended")
	f.lock, f.auto = true, true
	return cmd
}

// backupRun makes the backup, and tells how that went wherever it is to be told.
func (a *app) backupRun(ctx context.Context, f backupRunFlags) error {
	began := a.now()
	if err := f.values(&f.configFlags); err != nil {
		return errors.Join(err, f.leave(began, a.now(), false))
	}
	f.configFlags.adapt = f.adapt
	s, err := a.open(&f.configFlags)
	if err != nil {
		return errors.Join(err, f.leave(began, a.now(), false))
	}
	defer s.close()
	s.scheduledOn = f.on
	if s.cfg.Backup(f.name) == nil {
		return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no backup block %q", f.name),
			Detail: "backup run makes a declared backup. Nothing was contacted.", Remedy: "name a declared backup"}
	}
	err = s.backupRun(ctx, f, began)
	err = errors.Join(err, f.leave(began, a.now(), err == nil))
	if f.textfile != "" {
		if written := s.writeMetrics(ctx, f.textfile); written != nil {
			s.warnOf("The metrics could not be written to "+f.textfile, written)
		}
	}
	return err
}

// leave notes on the host how the run ended, for later looks.
func (f backupRunFlags) leave(began, ended time.Time, ok bool) error {
	if f.last == "" {
		return nil
	}
	text, err := json.Marshal(state.ScheduledRun{EndedAt: ended.UTC().Truncate(time.Second), OK: ok, Took: ended.Sub(began).Round(time.Millisecond)})
	if err != nil {
		return err
	}
	return atomicfile.Write(f.last, append(text, '\n'))
}

// backupRun finishes what was cut, and tries until the backup is made, there, or can't
// be.
func (s *session) backupRun(ctx context.Context, f backupRunFlags, began time.Time) error {
	for {
		err := s.tryBackup(ctx, f)
		var again *waitError
		if err == nil || !errors.As(err, &again) || s.app.now().Sub(began) >= f.wait {
			if err != nil && !s.hooked[f.name] && !s.hasMade(f.name) && !errors.Is(err, apply.ErrInterrupted) {
				s.failureHook(f.name, began, err)
			}
			return err
		}
		fmt.Fprintf(s.app.err, "Waiting for another run: %v\n", again.error)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(runAgain):
		}
	}
}

// waitError is a reason that passes by itself.
type waitError struct{ error }

func (e waitError) Unwrap() error { return e.error }

// tryBackup makes the backup unless it need not be made.
func (s *session) tryBackup(ctx context.Context, f backupRunFlags) error {
	if err := s.resume(ctx, f.applyFlags); err != nil {
		return waits(err)
	}
	s.hooked, s.made = nil, nil // what was made and told is the cut run's
	w := wish{targets: []string{plan.TargetBackup + f.name}, backup: true}
	p, err := s.decided(ctx, w, false)
	if err != nil {
		return err
	}
	if age, is := s.newestAge(p, f.name); is && age < f.fresh {
		fmt.Fprintf(s.app.out, "The newest verified backup of %s is %s old, and none is made while one is younger than %s.\n", f.name, age.Round(time.Second), f.fresh)
		w.backup = false
		if p, err = s.decided(ctx, w, false); err != nil {
			return err
		}
	}
	raw, digest, err := planfile.Encode(p)
	if err != nil {
		return err
	}
	if err := s.printPlan(p, digest, false); err != nil {
		return err
	}
	if err := backupOnly(p); err != nil {
		return err
	}
	if len(p.Steps) > 0 {
		if err := s.runPlan(ctx, f.applyFlags, p, digest, raw, false); err != nil {
			return waits(err)
		}
		for i := range s.made {
			if err := suspect(&s.made[i]); err != nil && s.made[i].Backup == f.name {
				return err
			}
		}
	}
	return notMade(p, f.name, w.backup)
}

// notMade is why a plan that was carried out made no backup, nil where it did, or was not
// to. What else the plan does not reach is another's to tell.
func notMade(p *plan.Plan, name string, asked bool) error {
	for _, u := range p.Unmet {
		if !strings.HasPrefix(u.Goal, fmt.Sprintf("backup %q:", name)) {
			continue
		}
		err := diag.Diagnostic{Severity: diag.Error, Code: u.Code, Node: u.Node, Summary: "Not reached: " + u.Goal, Detail: u.Reason, Remedy: u.Remedy}
		if u.Code == diag.RunInProgress {
			return &waitError{err}
		}
		return err
	}
	if !asked || slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Kind == plan.Verify && s.Backup == name }) {
		return nil
	}
	return diag.Diagnostic{Severity: diag.Error, Summary: "The backup " + name + " was not made", Detail: p.Condition.Reason + " " + p.Summary + ".", Remedy: "requeen plan says what is to be done"}
}

// waits marks an error that another run is the reason of, where nothing was begun.
func waits(err error) error {
	var held *apply.HeldError
	var stale *apply.StaleError
	if errors.As(err, &held) || errors.As(err, &stale) && !stale.Begun {
		return &waitError{err}
	}
	return err
}

// newestAge is how old the newest backup of a block is that counts.
func (s *session) newestAge(p *plan.Plan, name string) (time.Duration, bool) {
	for _, b := range p.Fingerprint.NewestBackups {
		if b.Backup == name && b.ID != "" {
			return s.app.now().Sub(b.TakenAt), true
		}
	}
	return 0, false
}

// mayRun are the kinds of steps that nobody needs to look at before they run: all that a
// declared backup takes, of the swarm and of its applications' data, in each of its
// repositories.
var mayRun = []plan.Kind{plan.Stop, plan.Archive, plan.Start, plan.Unlock, plan.Verify, plan.CleanUp,
	plan.Quiesce, plan.ArchiveData, plan.Resume, plan.CopyBackup, plan.PruneBackups}

// backupOnly refuses a plan that does more than a backup: no partial plan does.
func backupOnly(p *plan.Plan) error {
	for _, s := range p.Steps {
		if p.Recovery != nil || s.DataRestore != nil || s.Risk == plan.Destructive || s.Shapes() || !slices.Contains(mayRun, s.Kind) {
			return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("The plan has a step, %s %s, that no schedule runs", s.Kind, s.Where()),
				Detail: "Nobody has looked at it. Nothing was changed.", Remedy: "run requeen plan, and look"}
		}
	}
	return nil
}
