package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

type getFlags struct {
	repositoryFlags
	config                      bool
	out, url, identity, cluster string
	verifyKeys                  []string
}

func newBackupGetCommand(a *app) *cobra.Command {
	var f getFlags
	cmd := &cobra.Command{
		Use:   "get -config -out DIR [ID|latest]",
		Short: "Bring the configuration files of a backup back",
		Long: `Writes the configuration files that made a backup into the directory of -out,
which must be new or empty. With -url nothing else is needed than the repository's
URL and, where the backup is encrypted, an identity: this is how one begins on a
machine that has nothing. Without -url the declared repositories are looked at.
Where backups are signed, give the public key in -verify-key as well: without it
whoever can write to the repository chooses the configuration that comes out. The
newest is not taken then if it is not signed and others are.

latest, which is meant where no ID is given, is the newest backup that holds a
configuration. Values that came from the environment or from -var are in no
backup; files of -var-file from elsewhere are below outside/.

Only -config exists: the swarm directory itself is restored by plan and apply, or
by hand as the page of a backup's layout says.`,
		Example: "  requeen backup get -config -out prod -url file:///mnt/nas/swarm-backups -identity requeen-identity.txt",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := "latest"
			if len(args) == 1 {
				id = args[0]
			}
			return a.backupGet(cmd, f, id)
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	cmd.Flags().BoolVar(&f.config, "config", false, "get the configuration files; needed")
	cmd.Flags().StringVar(&f.out, "out", "", "write them into the new or empty directory `DIR`; needed")
	cmd.Flags().StringVar(&f.url, "url", "", "look into the repository at `URL`, without a configuration")
	cmd.Flags().StringVar(&f.identity, "identity", "", "with -url: open with the identity in `FILE`")
	cmd.Flags().StringArrayVar(&f.verifyKeys, "verify-key", nil, "with -url: accept backups only that are signed with the public key `KEY`; may be repeated")
	cmd.Flags().StringVar(&f.cluster, "cluster", "", "with -url: of the cluster `NAME`; needed where the repository holds several")
	return cmd
}

func (a *app) backupGet(cmd *cobra.Command, f getFlags, id string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	if err := f.check(); err != nil {
		return err
	}
	if err := vacant(f.out); err != nil {
		return err
	}
	places, err := a.placesOf(ctx, f)
	if err != nil {
		return err
	}
	repo, b, err := findIn(ctx, places, id, holdsConfig)
	if err != nil {
		return err
	}
	if !holdsConfig(b) {
		return diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + b.ID + " holds no configuration",
			Detail: "Its manifest names no config.tar: a safety copy holds the swarm directory only.", Remedy: "get the configuration of another backup: requeen backup list"}
	}
	if f.url != "" && len(f.verifyKeys) == 0 {
		if err := a.unverified(ctx, repo, b, id); err != nil {
			return err
		}
	}
	names, err := writeConfig(ctx, repo, b, f.out)
	if f.url != "" && f.identity == "" && errors.Is(err, repository.ErrNoIdentity) {
		return diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + b.ID + " is encrypted, and no identity is given",
			Detail: "It opens with an identity of one of these recipients: " + strings.Join(b.Recipients, ", ") + ".", Remedy: "add -identity FILE"}
	}
	if err != nil {
		return err
	}
	if f.json {
		return writeLines(a.out, struct {
			ID    string   `json:"id"`
			Out   string   `json:"out"`
			Files []string `json:"files"`
		}{b.ID, f.out, names})
	}
	fmt.Fprintf(a.out, "The configuration of backup %s, taken %s of %s, is in %s:\n", b.ID, b.TakenAt.UTC().Format("2006-01-02 15:04 UTC"), shownText([]byte(b.Node)), f.out)
	for _, name := range names {
		fmt.Fprintf(a.out, "  %s\n", shownText([]byte(name)))
	}
	fmt.Fprintf(a.out, "Next: requeen -chdir=%s status\n", f.out)
	return nil
}

// unverified warns of a backup whose signature nobody compares, and refuses the newest
// one where it has none and others do: a signature that is left out is how one gets in.
func (a *app) unverified(ctx context.Context, repo *repository.Repository, b state.Backup, asked string) error {
	if b.Signature != nil {
		fmt.Fprintf(a.err, "Backup %s is signed, and with no -verify-key nobody has compared the signature: read what comes out before you use it.\n", b.ID)
		return nil
	}
	list, err := repo.List(ctx)
	if err != nil {
		return err
	}
	signed := slices.ContainsFunc(list, func(b state.Backup) bool { return b.Signature != nil })
	switch {
	case !signed:
	case asked == "latest":
		return diag.Diagnostic{Severity: diag.Error, Code: diag.BackupNotSigned, Summary: "The newest backup, " + b.ID + ", is not signed, and others there are",
			Detail: "Whoever can write to the repository could have put it there, with a configuration of his own. Nothing was written.",
			Remedy: "give the public key in -verify-key, and the newest that is signed with it is taken; or name the ID of the one that you want"}
	default:
		fmt.Fprintf(a.err, "Backup %s is not signed, and others there are: read what comes out before you use it.\n", b.ID)
	}
	return nil
}

func (f getFlags) check() error {
	refuse := func(summary, detail, remedy string) error {
		return diag.Diagnostic{Severity: diag.Error, Summary: summary, Detail: detail, Remedy: remedy}
	}
	switch {
	case !f.config:
		return refuse("Only -config can be got so far", "The swarm directory of a backup is restored by plan and apply, which make it fit for the host that it goes to.",
			"add -config for the configuration files; to restore the swarm, requeen plan -restore=latest")
	case f.out == "":
		return refuse("-out is missing", "The files are written into a directory that is new or empty.", "add -out DIR")
	case f.url == "" && (f.identity != "" || f.cluster != "" || len(f.verifyKeys) > 0):
		return refuse("-identity, -cluster and -verify-key need -url", "Without -url the configuration says them.", "add -url, or leave them out")
	case f.url != "" && (f.only != "" || len(f.inputs) > 0):
		return refuse("-url does not go with -repository, -var and -var-file", "With -url no configuration is read.", "leave them out")
	}
	return nil
}

// vacant refuses a directory that holds anything: nothing is ever written over.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return diag.Diagnostic{Severity: diag.Error, Summary: "The directory of -out can't be used", Detail: err.Error() + ".", Remedy: "name a new directory"}
	case len(entries) > 0:
		return diag.Diagnostic{Severity: diag.Error, Summary: "The directory of -out is not empty",
			Detail: fmt.Sprintf("%s holds %s, and nothing is written over.", dir, entries[0].Name()), Remedy: "name a new directory"}
	}
	return nil
}

// placesOf are where the backup is looked for: the declared repositories, or the
// one of -url, of which a single cluster may be meant without being named.
func (a *app) placesOf(ctx context.Context, f getFlags) ([]place, error) {
	if f.url == "" {
		open, err := a.openRepositories(ctx, &f.repositoryFlags)
		if err != nil {
			return nil, err
		}
		var places []place
		for _, r := range open.cfg.Repositories {
			if repo := open.repositories[r.Name]; repo != nil {
				places = append(places, place{repo, open.cfg.Cluster.Name})
			}
		}
		return places, nil
	}
	clusters, err := repository.Clusters(ctx, f.url)
	if err != nil {
		return nil, err
	}
	name := f.cluster
	switch {
	case name == "" && len(clusters) == 1:
		name = clusters[0]
	case len(clusters) == 0:
		return nil, diag.Diagnostic{Severity: diag.Error, Summary: "There is no backup at " + f.url,
			Detail: "Nothing there has a cluster's name. A directory that is not mounted looks like this.", Remedy: "check the URL, and that what it names is mounted"}
	case name == "":
		return nil, diag.Diagnostic{Severity: diag.Error, Summary: "Several clusters have backups there",
			Detail: "They are: " + strings.Join(clusters, ", ") + ".", Remedy: "add -cluster NAME"}
	}
	identity := f.identity
	repo, err := repository.Open(ctx, repository.Options{Name: "of -url", URL: f.url, Cluster: name, IdentityFile: identity, VerifyKeys: f.verifyKeys})
	return []place{{repo, name}}, err
}

func holdsConfig(b state.Backup) bool {
	if b.Problem != nil {
		return false
	}
	for _, o := range b.Stored {
		if strings.HasPrefix(o.Name, "config.tar") {
			return true
		}
	}
	return false
}

// writeConfig opens the archive to its end, where its digest is compared, and only
// then writes the files.
func writeConfig(ctx context.Context, repo *repository.Repository, b state.Backup, out string) (names []string, err error) {
	stream, err := repo.OpenObject(ctx, b.ID, "config.tar")
	if err != nil {
		return nil, err
	}
	files, err := readConfig(stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return nil, fmt.Errorf("the configuration in backup %s: %w", b.ID, err)
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, f := range files {
		if err := writeConfigFile(root, f); err != nil {
			return nil, err
		}
		names = append(names, f.Name)
	}
	return names, nil
}

// writeConfigFile writes a file that is not there yet.
func writeConfigFile(root *os.Root, f repository.File) error {
	name := filepath.FromSlash(f.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(f.Data)
	return errors.Join(err, file.Close())
}

// readConfig gives the files under their own names. Names that lead out of the
// directory are refused.
func readConfig(r io.Reader) ([]repository.File, error) {
	files, err := repository.ReadTar(r)
	if err != nil {
		return nil, err
	}
	for i, f := range files {
		name, below := strings.CutPrefix(f.Name, "config/")
		if !below || !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("%q is no configuration file", f.Name)
		}
		files[i].Name = name
	}
	return files, nil
}
