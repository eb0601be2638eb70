package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

func newBackupCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "List, show, verify, compare, copy and prune backups, and get a configuration back",
		Long: `Works on the backups in the declared repositories. The hosts are contacted by run, by
prune, which looks whether the swarm is well, by verify -level=plan, and by diff with live.
Backups are made, and restored, by plan and apply; run makes one without asking, as
schedules do. Where the configuration itself is lost, get -config brings it back from a
repository's URL and an identity.`,
	}
	cmd.AddCommand(newBackupRunCommand(a), newBackupListCommand(a), newBackupShowCommand(a), newBackupVerifyCommand(a), newBackupGetCommand(a), newBackupPruneCommand(a), newBackupDiffCommand(a), newBackupKeygenCommand(a), newBackupCopyCommand(a))
	return cmd
}

// repositoryFlags are the flags of the commands that work on repositories.
type repositoryFlags struct {
	configFlags
	only string
	json bool
}

func (f *repositoryFlags) register(cmd *cobra.Command) {
	f.configFlags.register(cmd)
	cmd.Flags().StringVar(&f.only, "repository", "", "look at the repository `NAME` only")
}

func (f *repositoryFlags) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
}

// opened are the repositories of a configuration that a command works on, by
// their names.
type opened struct {
	cfg          *schema.Config
	repositories map[string]*repository.Repository
}

// openRepositories reads the configuration and opens the repositories that it
// declares, or the one that is named.
func (a *app) openRepositories(ctx context.Context, f *repositoryFlags) (opened, error) {
	cfg, err := a.load(&f.configFlags)
	if err != nil {
		return opened{}, err
	}
	o := opened{cfg, map[string]*repository.Repository{}}
	var names []string
	for _, r := range cfg.Repositories {
		names = append(names, r.Name)
		if f.only != "" && f.only != r.Name {
			continue
		}
		if o.repositories[r.Name], err = repository.Open(ctx, repositoryOptions(cfg, r)); err != nil {
			return opened{}, err
		}
	}
	if len(o.repositories) == 0 {
		return opened{}, diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no repository %q", f.only),
			Detail: "Declared are: " + strings.Join(names, ", "), Remedy: "name one of them in -repository"}
	}
	return o, nil
}

func repositoryOptions(cfg *schema.Config, r schema.Repository) repository.Options {
	return repository.Options{Name: r.Name, URL: r.URL, Cluster: cfg.Cluster.Name,
		Recipients: r.Recipients, Plaintext: r.Plaintext, IdentityFile: r.Identity,
		VerifyKeys: r.VerifyKeys, SignKey: signKey(r)}
}

// place is a repository that a backup is looked for in.
type place struct {
	repo    *repository.Repository
	cluster string // the cluster block's label
}

// findBackup finds one backup by its ID, a unique prefix of it, or "latest",
// over all opened repositories.
func (o opened) findBackup(ctx context.Context, id string) (*repository.Repository, state.Backup, error) {
	var in []place
	for _, r := range o.cfg.Repositories {
		if repo := o.repositories[r.Name]; repo != nil {
			in = append(in, place{repo, o.cfg.Cluster.Name})
		}
	}
	return findIn(ctx, in, id, func(state.Backup) bool { return true })
}

// findIn finds one backup in any of the places: the newest of those that serve, or the
// one that is named, where several places hold it in the first in which it serves. One
// that is named is found also where another place can't be looked at.
func findIn(ctx context.Context, places []place, id string, serves func(state.Backup) bool) (*repository.Repository, state.Backup, error) {
	var found []state.Backup
	var in []*repository.Repository
	var unlisted []error
	clusters := map[string]bool{}
	for _, p := range places {
		clusters[p.cluster] = true
		backups, err := p.repo.List(ctx)
		if err != nil && (id == "latest" || ctx.Err() != nil) {
			return nil, state.Backup{}, err
		}
		if err != nil {
			unlisted = append(unlisted, err)
		}
		for _, b := range backups {
			newest := id == "latest" && serves(b) && (len(found) == 0 || b.TakenAt.After(found[0].TakenAt))
			if newest {
				found, in = nil, nil
			}
			if newest || (id != "latest" && strings.HasPrefix(b.ID, id)) {
				found, in = append(found, b), append(in, p.repo)
			}
		}
	}
	switch {
	case len(found) == 0 && len(unlisted) > 0:
		return nil, state.Backup{}, errors.Join(unlisted...)
	case len(found) == 0:
		return nil, state.Backup{}, diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no backup %q", id),
			Detail: "No backup of cluster " + strings.Join(slices.Sorted(maps.Keys(clusters)), ", ") + " in the repositories that were looked at has this ID.",
			Remedy: "requeen backup list shows what there is"}
	}
	ids := map[string]bool{}
	for _, b := range found {
		ids[b.ID] = true
	}
	if len(ids) > 1 {
		return nil, state.Backup{}, diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("%q fits %d backups", id, len(ids)),
			Remedy: "give more of the ID"}
	}
	at := max(0, slices.IndexFunc(found, serves))
	return in[at], found[at], nil
}
