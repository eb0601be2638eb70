package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/view"
)

type copyFlags struct {
	configFlags
	json            bool
	from, to, toURL string
}

func newBackupCopyCommand(a *app) *cobra.Command {
	var f copyFlags
	cmd := &cobra.Command{
		Use:   "copy -to REPOSITORY ID|latest",
		Short: "Store a backup in another repository, too",
		Long: `Stores a backup that one repository holds in another one, under the same ID. Where
the recipients of both are the same the stored objects are copied as they are, and no
identity is needed; else the backup is opened with the identity of the one that it
comes from, and encrypted to the recipients of the other. The digest of every object
is compared on the way, and again when it is read back; the manifest comes last. A
copy that is cut is no backup, and is made by the same command again.

-to names a declared repository; -to-url gives the URL of any other, into which the
objects go as they are. A signature goes with its manifest. What nobody signed is not
signed afterwards: a repository with a verify_key takes it from none without.

What a backup block names in copies is copied by plan and apply: this command is for
what no block declares.`,
		Example:           "  requeen backup copy -to nas latest\n  requeen backup copy -from offsite -to-url file:///media/stick/backups 20260301T031000Z-0a1b2c",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backupCopy(cmd, f, args[0])
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.from, "from", "", "copy from the repository `NAME` (default any but that of -to)")
	cmd.Flags().StringVar(&f.to, "to", "", "store it in the repository `NAME`")
	cmd.Flags().StringVar(&f.toURL, "to-url", "", "store it in the repository at `URL`, which needs no declaration")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// copiedBackup is what came of a copy.
type copiedBackup struct {
	ID      string `json:"id"`
	From    string `json:"from"`
	To      string `json:"to"`
	URL     string `json:"url"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
	// Anew tells that it was encrypted anew; else the objects are the same.
	Anew bool `json:"encrypted_anew"`
	// There tells that it was there before, and nothing was written.
	There bool `json:"was_there"`
}

func (a *app) backupCopy(cmd *cobra.Command, f copyFlags, id string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	if err := f.check(); err != nil {
		return err
	}
	open, err := a.openRepositories(ctx, &repositoryFlags{configFlags: f.configFlags})
	if err != nil {
		return err
	}
	to, err := f.target(ctx, open)
	if err != nil {
		return err
	}
	from, b, err := f.source(ctx, open, id)
	if err != nil {
		return err
	}
	done, err := a.copied(ctx, to, from, b, f.json)
	if err != nil {
		return err
	}
	if f.json {
		return writeLines(a.out, done)
	}
	what := "its objects as they are"
	switch {
	case done.There:
		fmt.Fprintf(a.out, "Backup %s is in %s already, whole: nothing was written.\n", done.ID, done.To)
		return nil
	case done.Anew:
		what = "encrypted anew"
	}
	fmt.Fprintf(a.out, "Backup %s of %s is in %s, too: %d objects, %s, %s.\n", done.ID, done.From, done.To, done.Objects, view.Bytes(done.Bytes), what)
	return nil
}

func (f copyFlags) check() error {
	refuse := func(summary, detail, remedy string) error {
		return diag.Diagnostic{Severity: diag.Error, Summary: summary, Detail: detail, Remedy: remedy}
	}
	switch {
	case f.to == "" && f.toURL == "":
		return refuse("-to is missing", "It names the repository that the backup is to be stored in.", "add -to NAME, or -to-url URL")
	case f.to != "" && f.toURL != "":
		return refuse("-to and -to-url don't go together", "Both say where the backup is to be stored.", "leave one of them out")
	case f.to != "" && f.to == f.from:
		return refuse("-from and -to name one repository", "A copy in the same place is none.", "name two")
	}
	return nil
}

// target is the repository that is copied into.
func (f copyFlags) target(ctx context.Context, open opened) (*repository.Repository, error) {
	if f.toURL != "" {
		return repository.Open(ctx, repository.Options{Name: f.toURL, URL: f.toURL, Cluster: open.cfg.Cluster.Name})
	}
	if r := open.repositories[f.to]; r != nil {
		return r, nil
	}
	return nil, noRepository(open, f.to, "-to")
}

func noRepository(open opened, name, flag string) error {
	var names []string
	for _, r := range open.cfg.Repositories {
		names = append(names, r.Name)
	}
	return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no repository %q", name),
		Detail: "Declared are: " + shortList(names) + ".", Remedy: "name one of them in " + flag}
}

// source finds the backup in the repository of -from, or in the first that holds it
// and is not the one of -to.
func (f copyFlags) source(ctx context.Context, open opened, id string) (*repository.Repository, state.Backup, error) {
	if f.from != "" && open.repositories[f.from] == nil {
		return nil, state.Backup{}, noRepository(open, f.from, "-from")
	}
	var places []place
	for _, r := range open.cfg.Repositories {
		if r.Name != f.to && (f.from == "" || r.Name == f.from) {
			places = append(places, place{open.repositories[r.Name], open.cfg.Cluster.Name})
		}
	}
	return findIn(ctx, places, id, func(b state.Backup) bool { return b.Problem == nil })
}

// copied copies under the lock of the repository that is written to.
func (a *app) copied(ctx context.Context, to, from *repository.Repository, b state.Backup, quiet bool) (done copiedBackup, err error) {
	done = copiedBackup{ID: b.ID, From: from.Name(), To: to.Name(), URL: to.URL()}
	if there, err := to.Get(ctx, b.ID); err == nil {
		done.There = there.Problem == nil
	}
	lock, err := to.Acquire(ctx, repository.LockOptions{Run: "backup copy " + b.ID, FindDead: true})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, lock.Release(context.WithoutCancel(ctx))) }()
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-lock.Lost():
			cancel()
		case <-call.Done():
		}
	}()
	told := ""
	copied, err := to.Copy(call, from, b.ID, func(p repository.CopyProgress) {
		if p.Object != told && !quiet {
			told = p.Object
			fmt.Fprintf(a.err, "Copying %s, %s …\n", p.Object, view.Bytes(p.Total))
		}
	})
	if err != nil {
		return done, errors.Join(err, lock.Err())
	}
	for _, o := range copied.Stored {
		done.Objects++
		done.Bytes += o.Size
		done.Anew = done.Anew || !slices.Contains(b.Stored, o)
	}
	return done, nil
}
