package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// isData tells whether an object is an archive of an application's data.
func isData(b state.Backup, object string) bool {
	for _, d := range b.Data {
		if d.Object == object && object != "" {
			return true
		}
	}
	return false
}

// listData opens an archive of data and lists it to its end, of any size: nothing of it
// is kept.
func listData(ctx context.Context, repo *repository.Repository, b state.Backup, object string) (err error) {
	stream, err := repo.OpenObject(ctx, b.ID, object)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	entries, err := repository.ListTar(stream)
	if err != nil {
		return fmt.Errorf("%s of backup %s: %w", object, b.ID, err)
	}
	for _, d := range b.Data {
		if d.Object == object && d.Files != entries {
			return diag.Diagnostic{Severity: diag.Error, Summary: "The archive is not the one that the manifest describes",
				Detail: fmt.Sprintf("The manifest says %d entries of %s; %s of backup %s holds %d.", d.Files, d.ID(), object, b.ID, entries),
				Remedy: "somebody changed the repository: don't restore from this backup"}
		}
	}
	return nil
}
