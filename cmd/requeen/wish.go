package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// wish is what the operator asks a plan for beside what is declared.
type wish struct {
	backup  bool
	restore string // a backup's ID, or "latest"
	onto    string // the node to restore onto, "" leaves it to the configuration
	// targets are what the plan is to be about, nil for all of it: names of nodes,
	// and "backup." with the name of one.
	targets []string
	// only and exclude name parts of a backup: swarm, volume.NAME, directory.NAME.
	only, exclude []string
	prune         bool // the removal of backups that no rule keeps, and nothing else
}

// asked tells whether anything is asked for.
func (w wish) asked() bool {
	return w.backup || w.restore != "" || w.onto != "" || len(w.only)+len(w.exclude) > 0 || len(w.targets) > 0
}

// flags adds the flags; when says in front of each when it holds.
func (w *wish) flags(cmd *cobra.Command, when string) {
	cmd.Flags().BoolVar(&w.backup, "backup", false, when+"take every declared backup, whatever the age of the newest one")
	cmd.Flags().StringVar(&w.restore, "restore", "", when+"restore the backup `ID`, or latest, whatever the swarm's state; recovery.allow must have restore")
	cmd.Flags().StringVar(&w.onto, "onto", "", "with -restore: onto the manager `NODE` (default recovery.restore_onto, else the one it was taken on)")
	cmd.Flags().StringSliceVar(&w.only, "only", nil, "with -restore: restore these `PARTS` of the backup and no others: swarm, volume.NAME, directory.NAME; without swarm nothing of a living swarm is touched but the services that use the data")
	cmd.Flags().StringSliceVar(&w.exclude, "exclude", nil, when+"leave these `PARTS` out of a restore: swarm, volume.NAME, directory.NAME")
	cmd.Flags().StringArrayVar(&w.targets, "target", nil, when+"plan for `TARGET` alone, a node's name or backup.NAME; may be repeated; a recovery can't be planned in part")
	mayBe(cmd, "restore", cobra.CompletionWithDesc("latest", "the newest verified backup"))
}

// check refuses flags that do not go together.
func (w wish) check() error {
	if err := w.checkParts(); err != nil {
		return err
	}
	switch {
	case w.onto != "" && w.restore == "":
		return diag.Diagnostic{Severity: diag.Error, Summary: "-onto needs -restore",
			Detail: "It names the manager that a backup is restored onto, and no restore is asked for.",
			Remedy: "add -restore=latest, or name the manager in recovery { restore_onto }"}
	case w.backup && w.restore != "":
		return diag.Diagnostic{Severity: diag.Error, Summary: "-backup and -restore don't go together",
			Detail: "A restore ends with a backup of the new cluster by itself.",
			Remedy: "leave one of them out; to keep what the swarm holds now, apply a plan -backup first"}
	case w.restore != "" && len(w.targets) > 0:
		row, _ := diag.Lookup(diag.RecoveryTargeted)
		return diag.Diagnostic{Severity: diag.Error, Code: row.ID, Summary: "-restore and -target don't go together",
			Detail: row.Meaning, Remedy: "leave one of them out"}
	case w.backup && len(w.targets) > 0 && !w.targetsBackup():
		return diag.Diagnostic{Severity: diag.Error, Summary: "-backup has no backup among the targets",
			Detail: "With -target only the backups that it names are taken, and it names none.",
			Remedy: "add -target=backup.NAME, or leave -target out"}
	}
	return nil
}

func (w wish) targetsBackup() bool {
	return slices.ContainsFunc(w.targets, func(t string) bool { return strings.HasPrefix(t, plan.TargetBackup) })
}

// fits refuses targets that the configuration does not have.
func (w wish) fits(cfg *schema.Config) error {
	known := targetsOf(cfg)
	for _, t := range w.targets {
		if slices.Contains(known, t) {
			continue
		}
		return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no target %q", t),
			Detail: "-target names a declared node, or a declared backup as backup.NAME. Nothing was contacted.",
			Remedy: "name one of " + shortList(known)}
	}
	return nil
}

// targetsOf are what -target can name.
func targetsOf(cfg *schema.Config) []string {
	var list []string
	for _, b := range cfg.Backups {
		list = append(list, plan.TargetBackup+b.Name)
	}
	for _, n := range cfg.Nodes {
		list = append(list, n.Name)
	}
	return list
}

// shortList joins words, and leaves out the rest of many.
func shortList(words []string) string {
	const most = 12
	if len(words) > most {
		return strings.Join(words[:most], ", ") + ", …"
	}
	return strings.Join(words, ", ")
}
