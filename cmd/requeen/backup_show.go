package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

type showFlags struct {
	repositoryFlags
	contents bool
	reveal   []string
}

func newBackupShowCommand(a *app) *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show ID|latest",
		Short: "Show what a backup's manifest says, and what it holds",
		Long: `Prints what the manifest of a backup says: of which swarm it is, its raft
position, what it holds, and what is needed to restore it. ID may be shortened.

Where the identity is at hand, and for an auto-locked swarm the unlock key, the backup
is opened on a private copy in memory, and names are told: services with their images,
secrets, configs with the digest of their data, networks, nodes with their labels. Only
the swarm's own archive is read for that: that the others are whole, those of volumes
and directories among them, is what backup verify proves. -contents=false reads the
manifest alone.

The value of a secret is never shown, but for those that -reveal names. Join tokens
and keys are never shown at all.`,
		Example:           "  requeen backup show latest\n  requeen backup show -reveal=db_password latest",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backupShow(cmd, f, args[0])
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	cmd.Flags().BoolVar(&f.contents, "contents", true, "open the backup where the keys are at hand, and tell the names in it")
	cmd.Flags().StringArrayVar(&f.reveal, "reveal", nil, "show the value of the secret `NAME`; may be repeated")
	return cmd
}

func (a *app) backupShow(cmd *cobra.Command, f showFlags, id string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	open, err := a.openRepositories(ctx, &f.repositoryFlags)
	if err != nil {
		return err
	}
	repo, b, err := open.findBackup(ctx, id)
	if err != nil {
		return err
	}
	shown := shownBackup{Backup: b}
	var secrets map[string][]byte
	screen := screenOf(a.out)
	if f.contents || len(f.reveal) > 0 {
		list, values, why, err := a.contents(ctx, open, repo, b, f.reveal)
		if err == nil {
			err = a.revealed(b.ID, f.reveal, values)
		}
		if err != nil {
			return err
		}
		shown.Holds, shown.NotOpened, secrets = held(list), why, values
		if !f.json {
			screen.Backup(b, repo.Name(), a.now())
			screen.Contents(list)
		}
	} else if !f.json {
		screen.Backup(b, repo.Name(), a.now())
	}
	if f.json {
		if len(secrets) > 0 {
			shown.Revealed = inBase64(secrets)
		}
		return writeLines(a.out, shown)
	}
	if shown.NotOpened != "" {
		fmt.Fprintf(a.out, "  not opened: %s\n", shown.NotOpened)
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		fmt.Fprintf(a.out, "  value of secret %s: %s\n", shownText([]byte(name)), shownText(secrets[name]))
	}
	return nil
}
