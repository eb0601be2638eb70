package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// configFlags are the flags of every command that reads the configuration.
type configFlags struct {
	inputs  []schema.Input
	journal string
	lock    bool // of the commands with lockFlag: false takes no repository's lock
	// questions is false where nobody is to be asked; of the commands with
	// questionsFlag.
	questions bool
	environ   []string                   // beside the program's own, and before it
	adapt     func(*schema.Config) error // what was read to this machine; nil for none
}

func (f *configFlags) register(cmd *cobra.Command) {
	cmd.Flags().Var(&inputFlag{inputs: &f.inputs}, "var", "set a variable, as `NAME=VALUE`; may be repeated")
	cmd.Flags().Var(&inputFlag{inputs: &f.inputs, file: true}, "var-file", "read variables from `FILE`; may be repeated")
}

// journalFlag is for the commands that run a plan or look for a cut run.
func (f *configFlags) journalFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.journal, "journal", "", "keep the journals of runs in `DIR` (default $XDG_STATE_HOME/requeen, or ~/.local/state/requeen)")
}

// lockFlag is for the commands that plan for the repositories' locks or take them.
func (f *configFlags) lockFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.lock, "lock", true, "take the lock of each repository that a step uses; -lock=false takes none, for a recovery on a day on which the repository is lost too")
}

// lockFits refuses a backup without the lock.
func (f *configFlags) lockFits(w wish) error {
	if f.lock || !w.backup {
		return nil
	}
	row, _ := diag.Lookup(diag.LockNeeded)
	return diag.Diagnostic{Severity: diag.Error, Code: diag.LockNeeded, Summary: "-backup and -lock=false don't go together",
		Detail: row.Meaning, Remedy: "leave one of them out"}
}

// journalRoot is where journals are kept.
func (f *configFlags) journalRoot() string {
	if f.journal != "" {
		return f.journal
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "requeen")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/root"
	}
	return filepath.Join(home, ".local", "state", "requeen")
}

// session is one look at one cluster: its configuration and the connections to
// its hosts, which every later look and every step shares.
type session struct {
	app     *app
	cfg     *schema.Config
	pool    *host.Pool // nil where recorded stands for every look
	journal string
	// recorded is what a file says was there; no host, engine or repository is
	// reached then, and no command run.
	recorded *recorded
	noLock   bool // what is planned takes no repository's lock
	inputs   []schema.Input
	hooked   map[string]bool // backups whose on_failure was run
	// scheduledOn is the node whose schedule this run is, "" where it is none.
	scheduledOn string

	firstLook time.Time // when no leader was seen for the first time
	openings  map[backupAt]*state.Opening
	specs     map[backupAt][]state.Spec // what the backups that were opened hold

	made []state.Backup // by the last plan that was run
}

// load reads the configuration and says what is wrong with it.
func (a *app) load(f *configFlags) (*schema.Config, error) {
	cfg, ds := schema.Load(".", schema.Options{Inputs: f.inputs, Environ: append(os.Environ(), f.environ...)})
	if ds.HasErrors() {
		return nil, ds
	}
	if f.adapt != nil {
		if err := f.adapt(cfg); err != nil {
			return nil, err
		}
	}
	a.screen(a.err).Diagnostics(ds)
	return cfg, nil
}

// open reads the configuration and makes ready to connect.
func (a *app) open(f *configFlags) (*session, error) {
	cfg, err := a.load(f)
	if err != nil {
		return nil, err
	}
	pool, err := host.NewPool(observe.Targets(cfg), host.Options{
		SSHConfig: os.Getenv("RQ_SSH_CONFIG"),
		Helper:    os.Getenv("RQ_HELPER"),
	})
	if err != nil {
		return nil, err
	}
	return &session{app: a, cfg: cfg, pool: pool, journal: f.journalRoot(), inputs: f.inputs}, nil
}

func (s *session) close() {
	if s.pool != nil {
		s.pool.Close()
	}
}

// Observe looks at the hosts, the swarm and the repositories.
func (s *session) Observe(ctx context.Context) (*state.State, error) {
	return s.look(ctx, observe.Options{})
}

// observeHolders is Observe, and asks the engines for the containers with which
// recoveries hold volumes.
func (s *session) observeHolders(ctx context.Context) (*state.State, error) {
	return s.look(ctx, observe.Options{VolumeHolders: true})
}

// look is Observe with options that say what else is looked at.
func (s *session) look(ctx context.Context, o observe.Options) (*state.State, error) {
	o.Now = s.app.now
	st, err := observe.Read(ctx, s.cfg, s.pool, o)
	switch {
	case st == nil || st.Swarm != nil:
		s.firstLook = time.Time{}
	case s.firstLook.IsZero():
		s.firstLook = st.ObservedAt.Add(-lookedBefore)
	}
	if st != nil {
		st.FirstLookedAt = s.firstLook
		s.compareValues(st)
	}
	return st, err
}

// lookedBefore is for how long this cluster has been looked at when the program
// begins; only the end-to-end tests set it.
var lookedBefore time.Duration

// lookAgain is how long plan waits between two looks at a swarm whose loss can't
// be judged yet.
const lookAgain = 5 * time.Second

// decided is the plan of what is there, or of what a file says was there.
func (s *session) decided(ctx context.Context, w wish, quiet bool) (*plan.Plan, error) {
	if s.recorded != nil {
		return s.planned(s.recorded.state, s.recorded.state.ObservedAt, w)
	}
	p, _, err := s.settled(ctx, w, observe.Options{Containers: w.restore != ""}, quiet)
	return p, err
}

// settled builds plans until whether the quorum is lost can be told: it tells how
// long that is, and ends earlier when a leader is seen or the disks make it certain.
// The state is that of the last look, also where no plan could be made of it.
func (s *session) settled(ctx context.Context, w wish, o observe.Options, quiet bool) (*plan.Plan, *state.State, error) {
	for told := false; ; {
		p, st, err := s.build(ctx, w, o, quiet)
		if err != nil || p.UndecidedUntil.IsZero() || !s.app.now().Before(p.UndecidedUntil) {
			return p, st, err
		}
		if !told && !quiet {
			told = true
			for _, u := range p.Unmet {
				if u.Code == diag.Undecided {
					fmt.Fprintf(s.app.err, "%s\nLooking again every %s until %s …\n", u.Reason, lookAgain, p.UndecidedUntil.Local().Format("15:04:05"))
				}
			}
		}
		select {
		case <-ctx.Done():
			return p, st, nil
		case <-time.After(min(lookAgain, time.Until(p.UndecidedUntil)+time.Second)):
		}
	}
}

// build makes a plan of what is there now. A backup that the plan would restore is
// opened first, and the plan is made again with what came of that.
func (s *session) build(ctx context.Context, w wish, o observe.Options, quiet bool) (*plan.Plan, *state.State, error) {
	st, err := s.look(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	s.openedInto(st)
	for {
		p, err := s.planned(st, s.app.now(), w)
		if err != nil || !s.opens(ctx, p, st, quiet) {
			return p, st, err
		}
	}
}

// planned is the plan of a state. It is the same for the same state and time,
// whether the state was just looked at or comes from a file.
func (s *session) planned(st *state.State, now time.Time, w wish) (*plan.Plan, error) {
	return plan.Build(plan.Input{
		Config: s.cfg, State: st, Now: now.UTC(), ToolVersion: version, Backup: w.backup, Restore: w.restore, Onto: w.onto, Only: w.only, Exclude: w.exclude,
		Targets: w.targets, HelperSystems: helperSystems(), NoLock: s.noLock, Prune: w.prune, Here: s.hereAnd(st, now),
	})
}

// helperSystems are the systems for which a helper is at hand: this program's
// own, or, where RQ_HELPER names another binary, any.
func helperSystems() []string {
	if os.Getenv("RQ_HELPER") != "" {
		return nil
	}
	return []string{runtime.GOOS + "/" + runtime.GOARCH}
}

// interruptible gives a context that ends with the first interrupt, for
// commands that change nothing.
func interruptible(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
}

// warnUnfinished says that an earlier run was cut.
func (s *session) warnUnfinished() error {
	unfinished, err := apply.Unfinished(s.journal, s.cfg.Cluster.Name)
	if err != nil {
		return err
	}
	for _, u := range unfinished {
		code, _ := diag.Lookup(diag.UnfinishedRun)
		screenOf(s.app.err).Diagnostics(diag.Diagnostics{{Severity: diag.Warning, Code: diag.UnfinishedRun,
			Summary: code.Title, Detail: "its plan is " + u.Digest + ", its journal is in " + u.Dir + ".", Remedy: code.Remedy}})
	}
	return nil
}
