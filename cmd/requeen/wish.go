package main

import (
	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
)

// wish is what the operator asks a plan for beside what is declared.
type wish struct {
	backup  bool
	restore string // a backup's ID, or "latest"
	onto    string // the node to restore onto, "" leaves it to the configuration
}

// flags adds the flags; when says in front of each when it holds.
func (w *wish) flags(cmd *cobra.Command, when string) {
	cmd.Flags().BoolVar(&w.backup, "backup", false, when+"take every declared backup, whatever the age of the newest one")
	cmd.Flags().StringVar(&w.restore, "restore", "", when+"restore the backup `ID`, or latest, whatever the swarm's state; recovery.allow must have restore")
	cmd.Flags().StringVar(&w.onto, "onto", "", "with -restore: onto the manager `NODE` (default recovery.restore_onto, else the one it was taken on)")
	mayBe(cmd, "restore", cobra.CompletionWithDesc("latest", "the newest verified backup"))
}

// check refuses flags that do not go together.
func (w wish) check() error {
	switch {
	case w.onto != "" && w.restore == "":
		return diag.Diagnostic{Severity: diag.Error, Summary: "-onto needs -restore",
			Detail: "It names the manager that a backup is restored onto, and no restore is asked for.",
			Remedy: "add -restore=latest, or name the manager in recovery { restore_onto }"}
	case w.backup && w.restore != "":
		return diag.Diagnostic{Severity: diag.Error, Summary: "-backup and -restore don't go together",
			Detail: "A restore ends with a backup of the new cluster by itself.",
			Remedy: "leave one of them out; to keep what the swarm holds now, apply a plan -backup first"}
	}
	return nil
}
