package main

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
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
and what to do.

Lists, too, what restores of data set aside beside their places. No backup has what
was written there after the last one, so that each goes only with -without-copy.

Lists, too, the containers with which recoveries keep the anonymous volumes of what
they removed (named requeen-RECOVERY-CONTAINER and never started). One may go when
the swarm has a leader, its recovery is over on the host, whose engine is in the
swarm, and no other container mounts a volume of it, which would go with that one.
No backup counts: none holds volumes, and the volumes stay. Look into them on the
host (docker volume inspect tells the directory), then docker volume rm; a docker
volume prune takes what nothing holds any more.

What may go is removed after you said yes.

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
	st, err := s.observeHolders(ctx)
	if err != nil {
		return err
	}
	list := leftoversOf(s, st, nodes, f.bare)
	may := list.mayGo()
	if f.json {
		if err := list.write(a); err != nil {
			return err
		}
	} else {
		s.tellUnseen(st, nodes)
		screenOf(a.out).Asides(list.asides, a.now())
		screenOf(a.out).Holders(list.holders, a.now())
	}
	if may.none() || f.json && !f.auto {
		return nil
	}
	if !f.auto {
		if yes, err := s.agreed("\nRemove " + may.words() + " for good? Only \"yes\" does: "); !yes {
			return err
		}
	}
	return s.removeLeftovers(ctx, st, may, nodes, f)
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
		if h.Target == "none" || len(nodes) > 0 && !slices.Contains(nodes, h.Name) {
			continue
		}
		if h.Looked == state.Present {
			if h.VolumeHoldersLooked != state.Present {
				fmt.Fprintf(s.app.err, "%s: its engine does not tell its containers. Whether one holds volumes there is not known.\n", h.Name)
			}
			continue
		}
		text := "it was not looked at"
		if h.Problem != nil {
			text = h.Problem.Text
		}
		fmt.Fprintf(s.app.err, "%s: %s. What lies there is not known.\n", h.Name, strings.TrimSuffix(text, "."))
	}
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

func cleanupLocked(repository string, err error) error {
	var held *apply.HeldError
	if !errors.As(err, &held) {
		return err
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.LockHeld, Summary: "Another run holds the lock of repository " + repository,
		Detail: held.Error() + ". It may need what is set aside, so nothing was removed.",
		Remedy: "wait for it to end; if its machine is gone for good, requeen force-unlock"}
}

func countWords(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
