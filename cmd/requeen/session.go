package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

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
}

func (f *configFlags) register(cmd *cobra.Command) {
	cmd.Flags().Var(&inputFlag{inputs: &f.inputs}, "var", "set a variable, as `NAME=VALUE`; may be repeated")
	cmd.Flags().Var(&inputFlag{inputs: &f.inputs, file: true}, "var-file", "read variables from `FILE`; may be repeated")
}

// journalFlag is for the commands that run a plan or look for a cut run.
func (f *configFlags) journalFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.journal, "journal", "", "keep the journals of runs in `DIR` (default $XDG_STATE_HOME/requeen, or ~/.local/state/requeen)")
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
	pool    *host.Pool
	journal string
}

// load reads the configuration and says what is wrong with it.
func (a *app) load(f *configFlags) (*schema.Config, error) {
	cfg, ds := schema.Load(".", schema.Options{Inputs: f.inputs, Environ: os.Environ()})
	if ds.HasErrors() {
		return nil, ds
	}
	screenOf(a.err).Diagnostics(ds)
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
	return &session{app: a, cfg: cfg, pool: pool, journal: f.journalRoot()}, nil
}

func (s *session) close() { s.pool.Close() }

// Observe looks at the hosts, the swarm and the repositories.
func (s *session) Observe(ctx context.Context) (*state.State, error) {
	return observe.Read(ctx, s.cfg, s.pool, observe.Options{Now: s.app.now})
}

// build makes a plan of what is there now.
func (s *session) build(ctx context.Context, backup bool) (*plan.Plan, error) {
	st, err := s.Observe(ctx)
	if err != nil {
		return nil, err
	}
	return plan.Build(plan.Input{
		Config: s.cfg, State: st, Now: s.app.now().UTC(), ToolVersion: version, Backup: backup,
		HelperSystems: helperSystems(),
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
