package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/plan"
)

type observeFlags struct {
	configFlags
	out string
}

func newObserveCommand(a *app) *cobra.Command {
	var f observeFlags
	cmd := &cobra.Command{
		Use:   "observe",
		Short: "Record what is there, for a plan that is made elsewhere",
		Long: `Looks at the hosts, the swarm and the repositories as plan does, and writes what
was seen to a file. requeen plan -state FILE plans from it where no host can be
reached, as in a CI that only reviews. Nothing is changed.

The file is one JSON document of mode 0600 (requeen schema -for=observation
describes it). It says which machines a cluster is made of: addresses, host keys,
machine IDs, and the names of nodes, services, containers and volumes. No secret is
in it: no key, no token, nothing out of a raft log or a secret.

Where no leader is seen it looks until the loss of the quorum can be judged, as
plan does, and says so; an interrupt ends that, and what was seen is written. A
backup that would have to be restored is opened where identity and unlock key are
at hand, so that the plan can tell which containers end.

Exit status: 0, also where hosts could not be looked at, which it names; 1 where
nothing was written.`,
		Example: `  requeen observe -out prod.state.json
  requeen plan -state prod.state.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.out == "" {
				return diag.Diagnostic{Severity: diag.Error, Summary: "-out is missing",
					Detail: "The observation goes to a file, of which others than its owner read nothing.", Remedy: "add -out FILE"}
			}
			return a.observe(cmd, f)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "write the observation to `FILE`, for plan -state")
	return cmd
}

func (a *app) observe(cmd *cobra.Command, f observeFlags) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	s, err := a.open(&f.configFlags)
	if err != nil {
		return err
	}
	defer s.close()
	// The containers are looked at in any case: a plan of the file may be asked
	// for a restore.
	_, st, planErr := s.settled(ctx, wish{}, observe.Options{Containers: true}, false)
	if st == nil {
		return planErr
	}
	if err := statefile.Write(f.out, st, version); err != nil {
		return err
	}
	d := plan.FindDrift(s.cfg, st, st.ObservedAt)
	fmt.Fprintf(a.out, "Cluster %s is %s. %s\n", d.Cluster, d.Condition.Name, d.Condition.Reason)
	screenOf(a.out).Unseen(d.Unseen)
	fmt.Fprintf(a.out, "Written to %s. To plan from it: requeen plan -state %s\n", f.out, f.out)
	return planErr
}
