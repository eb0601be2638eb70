package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/lab"
)

func newLabBreakCommand() *cobra.Command {
	var name, how string
	var o lab.BreakOptions
	cmd := &cobra.Command{
		Use:   "break NODE",
		Short: "Break a node of a lab",
		Long: `Breaks a node until lab heal:

  stop       its engine is stopped in an orderly way
  crash      it loses its power; its disks stay
  cut        its cable is out; with -from only the ways to some nodes are
  wipe       its swarm directory is gone, as after a new disk
  full-disk  no byte is free where the swarm's state and requeen's copies are
  clock      date says another time there, by -by. The engine's own clock is the
             machine's and stays right: the lie is for who asks the host`,
		Example: "  requeen lab break m2 -how crash\n  requeen lab break m1 -how cut -from m2,m3\n  requeen lab break m3 -how clock -by -3h",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: completeLabNode,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(name)
			if err != nil {
				return err
			}
			if err := l.Break(cmd.Context(), args[0], lab.How(how), o); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Node %s is broken: %s. To undo it: requeen lab heal%s %s\n", args[0], how, labFlag(l.Name()), args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	cmd.Flags().StringVar(&how, "how", string(lab.Stop), "`WAY` to break it: stop, crash, cut, wipe, full-disk or clock")
	cmd.Flags().StringSliceVar(&o.From, "from", nil, "`NODES` that a cut is towards, or operator for this machine; default all")
	mayBe(cmd, "how", "stop", "crash", "cut", "wipe", "full-disk", "clock")
	cmd.Flags().DurationVar(&o.By, "by", 2*time.Hour, "`DURATION` by which a clock is ahead, or with a minus behind")
	return cmd
}

func newLabHealCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "heal NODE",
		Short: "Undo what lab break did to a node",
		Long: `Mends the node and waits until its sshd and its engine answer. What a wipe took
does not come back: the node runs again, and is in no swarm. lab reset brings the
whole lab back.`,
		Example: "  requeen lab heal m2",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: completeLabNode,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(name)
			if err != nil {
				return err
			}
			if err := l.Heal(cmd.Context(), args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Node %s is whole.\n", args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	return cmd
}
