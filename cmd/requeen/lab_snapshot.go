package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/lab"
)

func newLabSnapshotCommand() *cobra.Command {
	return newSnapshotCommand("snapshot", "Keep a lab as it is, for lab reset",
		`Keeps the nodes with their disks, the repository and the unlock key under SNAPSHOT
(default `+lab.DefaultSnapshot+`). The engines are stopped for it and started again.`, "kept", (*lab.Lab).Snapshot)
}

func newLabResetCommand() *cobra.Command {
	return newSnapshotCommand("reset", "Put a lab back to a snapshot",
		`Puts everything back to what SNAPSHOT (default `+lab.DefaultSnapshot+`) kept, whatever happened since, and
waits until the swarm has a leader and all of its nodes. Nodes that were added
since are removed. Most of the time that it takes is the election.`, "back", (*lab.Lab).Reset)
}

func newSnapshotCommand(use, short, long, done string, do func(*lab.Lab, context.Context, string) error) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: use + " [SNAPSHOT]", Short: short, Long: long, Args: cobra.MaximumNArgs(1),
		Example: "  requeen lab " + use + "\n  requeen lab " + use + " before-upgrade",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(name)
			if err != nil {
				return err
			}
			snapshot := lab.DefaultSnapshot
			if len(args) == 1 {
				snapshot = args[0]
			}
			start := time.Now()
			if err := do(l, cmd.Context(), snapshot); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Lab %s is %s (%s) after %.1f s.\n", l.Name(), done, snapshot, time.Since(start).Seconds())
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	return cmd
}
