package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/internal/view"
)

type statusFlags struct {
	configFlags
	json, watch, all bool
	interval         time.Duration
	thresholds       status.Thresholds
	diskFree         int64 // MiB
	textfile         string
}

func newStatusCommand(a *app) *cobra.Command {
	f := statusFlags{thresholds: status.Defaults()}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the cluster and its backups stand",
		Long: `Looks at the hosts, the swarm and the repositories, and shows the condition, the
quorum and its margin, every node, the newest backups with their ages, what
recoveries hold and have set aside, the containers with which they keep volumes,
and for each thing that is wrong what to type. Nothing is changed.

Exit status, for monitoring: 0 nothing needs a hand, 1 something could not be
told, 2 something needs a hand. The thresholds are flags.`,
		Example: `  requeen status
  requeen status -watch
  requeen status -json -certificate 240h -disk-free 4096`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd, f) },
	}
	f.register(cmd)
	f.journalFlag(cmd)
	t := &f.thresholds
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print JSON: a document, or with -watch a line for each look")
	flags.BoolVar(&f.watch, "watch", false, "look again and again, until interrupted")
	flags.BoolVar(&f.all, "all", false, "show every node of a large swarm")
	flags.StringVar(&f.textfile, "textfile", "", "also write metrics to `FILE`, which ends in .prom, for node_exporter's textfile collector")
	flags.DurationVar(&f.interval, "interval", 5*time.Second, "between two looks of -watch")
	flags.DurationVar(&t.OpenedAge, "opened-age", t.OpenedAge, "age at which the last opening of a backup with an identity needs a hand")
	flags.DurationVar(&t.Certificate, "certificate", t.Certificate, "time that a node's certificate must be good for; a quarter of cert_expiry where that is less")
	flags.DurationVar(&t.ClockSkew, "clock-skew", t.ClockSkew, "difference of clocks that needs a hand")
	flags.DurationVar(&t.LockAge, "lock-age", t.LockAge, "age at which a lock in a repository needs a hand")
	flags.Int64Var(&f.diskFree, "disk-free", t.DiskFree>>20, "MiB that must be free on a manager")
	return cmd
}

func (a *app) status(cmd *cobra.Command, f statusFlags) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	f.thresholds.DiskFree = f.diskFree << 20
	if f.interval < time.Second {
		return diag.Diagnostic{Severity: diag.Error, Summary: "-interval is too short",
			Detail: fmt.Sprintf("A look takes seconds, and %s lie between two of them.", f.interval), Remedy: "give a second or more"}
	}
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	last := status.Unsure
	for {
		r, err := s.judge(ctx, f.thresholds)
		switch {
		case ctx.Err() != nil && f.watch:
			return verdictStatus(last)
		case err != nil:
			return err
		}
		last = r.Verdict
		if f.textfile != "" {
			if err := metricsFile(f.textfile, r); err != nil {
				return err
			}
		}
		if err := a.showStatus(r, f); err != nil || !f.watch {
			if err == nil {
				err = verdictStatus(last)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return verdictStatus(last)
		case <-time.After(f.interval):
		}
	}
}

// judge looks and judges.
func (s *session) judge(ctx context.Context, t status.Thresholds) (*status.Report, error) {
	journals, err := apply.Unfinished(s.journal, s.cfg.Cluster.Name)
	if err != nil {
		return nil, err
	}
	st, err := s.observeHolders(ctx)
	if err != nil {
		return nil, err
	}
	in := status.Input{Config: s.cfg, State: st, Now: s.app.now().UTC(), ToolVersion: version, Thresholds: t, Here: s.here(st)}
	for _, j := range journals {
		in.Unfinished = append(in.Unfinished, status.Run{Digest: j.Digest, Dir: j.Dir, BeganAt: j.BeganAt, Running: j.Running})
	}
	return status.Judge(in)
}

// verdictStatus is the exit status for monitoring.
func verdictStatus(v status.Verdict) error {
	switch v {
	case status.Attention:
		return exitStatus(diag.ExitChanges)
	case status.Unsure:
		return exitStatus(diag.ExitError)
	}
	return nil
}

func (a *app) showStatus(r *status.Report, f statusFlags) error {
	if f.json {
		enc := json.NewEncoder(a.out)
		enc.SetEscapeHTML(false)
		if !f.watch {
			enc.SetIndent("", "  ")
		}
		return enc.Encode(r)
	}
	s := statusScreen(a)
	if f.watch && s.Live {
		fmt.Fprint(a.out, "\x1b[H\x1b[2J")
	}
	s.Status(r, f.all)
	if f.watch && !s.Live {
		fmt.Fprintln(a.out)
	}
	return nil
}

// statusScreen has the terminal's whole width, for a table is read better
// unbroken. COLUMNS says the width where there is no terminal; 80 is meant
// without it.
func statusScreen(a *app) view.Screen {
	s := screenOf(a.out)
	if f, ok := a.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.Width = width
			return s
		}
	}
	s.Width = 80
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 40 {
		s.Width = n
	}
	return s
}
