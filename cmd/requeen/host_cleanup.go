package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
)

type cleanupFlags struct {
	configFlags
	auto, json, bare bool
}

func newHostCleanupCommand(a *app) *cobra.Command {
	var f cleanupFlags
	cmd := &cobra.Command{
		Use:   "cleanup [NODE]…",
		Short: "Remove what recoveries set aside, once a backup holds it",
		Long: `Lists the directories beside the swarm directories of the declared hosts, or of
those that are named, that hold a swarm's state: a recovery removes nothing, it
sets aside. Each is the whole cluster in clear, its CA key and its secrets.

One may go when the swarm has a leader, its recovery is over, and a verified
backup of the swarm's current epoch was taken after it and has been opened with
an identity. Where the log in it may hold what the swarm was not made from (no
safety copy was stored with it: after a restore, or of a manager that came back
later), it goes only with -without-copy. Every other one is kept, with the reason
and what to do. What may go is removed after you said yes.

Exit status: 0, also when something is kept; 1 after an error.`,
		Example: `  requeen host cleanup
  requeen host cleanup m1 -auto-approve -json`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.hostCleanup(cmd, f, args) },
	}
	f.register(cmd)
	f.journalFlag(cmd)
	cmd.Flags().BoolVar(&f.auto, "auto-approve", false, "don't ask")
	cmd.Flags().BoolVar(&f.bare, "without-copy", false, "also remove what was superseded and what no safety copy has: writes that are nowhere else may be lost")
	cmd.Flags().BoolVar(&f.json, "json", false, "print line-delimited JSON; removes only with -auto-approve")
	return cmd
}

func (a *app) hostCleanup(cmd *cobra.Command, f cleanupFlags, nodes []string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	for _, name := range nodes {
		if s.cfg.Node(name) == nil {
			return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("No node %q is declared", name),
				Detail: "Only the declared hosts are looked at.", Remedy: "name a node of the configuration, or none for all"}
		}
	}
	if err := s.noUnfinished(); err != nil {
		return err
	}
	st, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	list := asidesOf(s, st, nodes, f.bare)
	may := mayGo(list)
	if f.json {
		if err := writeAsides(a, list); err != nil {
			return err
		}
	} else {
		s.tellUnseen(st, nodes)
		screenOf(a.out).Asides(list, a.now())
	}
	if len(may) == 0 || f.json && !f.auto {
		return nil
	}
	if !f.auto {
		if yes, err := s.agreed(fmt.Sprintf("\nRemove %s for good? Only \"yes\" does: ", countWords(len(may), "directory", "directories"))); !yes {
			return err
		}
	}
	return s.removeAsides(ctx, st, may, nodes, f)
}

// noUnfinished refuses while a run on this machine is unfinished: what it set
// aside is its own yet.
func (s *session) noUnfinished() error {
	unfinished, err := apply.Unfinished(s.journal, s.cfg.Cluster.Name)
	if err != nil || len(unfinished) == 0 {
		return err
	}
	code, _ := diag.Lookup(diag.UnfinishedRun)
	return diag.Diagnostic{Severity: diag.Error, Code: diag.UnfinishedRun, Summary: code.Title,
		Detail: "What it set aside may still be needed, so nothing was removed. Its journal is in " + unfinished[0].Dir + ".", Remedy: code.Remedy}
}

// tellUnseen names the hosts of which it is not known what lies there.
func (s *session) tellUnseen(st *state.State, nodes []string) {
	for _, h := range st.Hosts {
		if h.Looked == state.Present || h.Target == "none" || len(nodes) > 0 && !slices.Contains(nodes, h.Name) {
			continue
		}
		text := "it was not looked at"
		if h.Problem != nil {
			text = h.Problem.Text
		}
		fmt.Fprintf(s.app.err, "%s: %s. What lies there is not known.\n", h.Name, strings.TrimSuffix(text, "."))
	}
}

// asidesOf are those on the hosts that are meant. With bare, superseded ones count
// as superfluous.
func asidesOf(s *session, st *state.State, nodes []string, bare bool) []status.Aside {
	list := status.Asides(s.cfg, st)
	for i := range list {
		if bare && list[i].Superseded {
			list[i].Superfluous, list[i].Remedy = true, ""
		}
	}
	return slices.DeleteFunc(list, func(a status.Aside) bool { return len(nodes) > 0 && !slices.Contains(nodes, a.Node) })
}

func mayGo(list []status.Aside) []status.Aside {
	return slices.DeleteFunc(slices.Clone(list), func(a status.Aside) bool { return !a.Superfluous })
}

func writeAsides(a *app, list []status.Aside) error {
	var lines []any
	for _, aside := range list {
		lines = append(lines, struct {
			Type string `json:"type"`
			status.Aside
		}{"set_aside", aside})
	}
	return writeLines(a.out, lines...)
}

// agreed asks a question that only "yes" answers.
func (s *session) agreed(question string) (bool, error) {
	if !isTerminal(s.app.in) {
		return false, diag.Diagnostic{Severity: diag.Error, Summary: "Nobody can be asked",
			Detail: "The standard input is not a terminal. Nothing was removed.", Remedy: "add -auto-approve"}
	}
	fmt.Fprint(s.app.out, question)
	line, _ := bufio.NewReader(s.app.in).ReadString('\n')
	if strings.TrimSpace(line) != "yes" {
		fmt.Fprintln(s.app.out, "Nothing was removed.")
		return false, exitStatus(diag.ExitError)
	}
	return true, nil
}

// removeAsides takes the lock of the repositories that hold the backups which
// count, looks again, and removes what still may go.
func (s *session) removeAsides(ctx context.Context, st *state.State, may []status.Aside, nodes []string, f cleanupFlags) error {
	world := effects.New(s.effects())
	token := uint64(0)
	for _, h := range st.Hosts {
		token = max(token, h.RunToken)
	}
	for _, r := range s.cfg.Repositories {
		if !holdsAny(st, r.Name, may) {
			continue
		}
		lock, err := world.Lock(ctx, r.Name, "host cleanup", token)
		if err != nil {
			return cleanupLocked(r.Name, err)
		}
		defer lock.Release(context.WithoutCancel(ctx)) //nolint:errcheck // it becomes stale by itself
		token = max(token, lock.Number())
	}
	again, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	still := mayGo(asidesOf(s, again, nodes, f.bare))
	for _, aside := range may {
		if !slices.ContainsFunc(still, func(a status.Aside) bool { return a.Node == aside.Node && a.Path == aside.Path }) {
			fmt.Fprintf(s.app.err, "%s: %s changed meanwhile and is kept.\n", aside.Node, aside.Path)
			continue
		}
		if err := world.RemoveAside(ctx, effects.Aside{Cluster: s.cfg.Cluster.Name, Token: token, Node: aside.Node, Host: *again.Host(aside.Node), Path: aside.Path}); err != nil {
			return err
		}
		if f.json {
			if err := writeLines(s.app.out, map[string]any{"type": "removed", "node": aside.Node, "path": aside.Path, "bytes": aside.Bytes}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(s.app.out, "%s: %s is removed.\n", aside.Node, aside.Path)
	}
	return nil
}

func cleanupLocked(repository string, err error) error {
	var held *apply.HeldError
	if !errors.As(err, &held) {
		return err
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.LockHeld, Summary: "Another run holds the lock of repository " + repository,
		Detail: held.Error() + ". It may need what is set aside, so nothing was removed.",
		Remedy: "wait for it to end; if its machine is gone for good, requeen force-unlock"}
}

// holdsAny tells whether a repository holds a backup on which a removal rests.
func holdsAny(st *state.State, repository string, may []status.Aside) bool {
	for _, r := range st.Repositories {
		if r.Name != repository {
			continue
		}
		for _, b := range r.Backups {
			if slices.ContainsFunc(may, func(a status.Aside) bool { return a.Backup == b.ID }) {
				return true
			}
		}
	}
	return false
}

func countWords(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
