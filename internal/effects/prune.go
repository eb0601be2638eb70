package effects

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// cutFor is how old what lies without a manifest must be to be a leftover: the run has
// the repository's lock, so that nobody else's upload is under way.
const cutFor = time.Hour

// Remove removes a backup while the one that is to stay is there.
func (w *World) Remove(ctx context.Context, q apply.Removal) (bool, error) {
	repo, err := w.repository(ctx, q.Repository)
	if err != nil {
		return false, err
	}
	defer repo.Close()
	if err := stays(ctx, repo, q); err != nil {
		return false, err
	}
	b, err := repo.Get(ctx, q.ID)
	switch {
	case errors.Is(err, repository.ErrNotFound):
		return false, repo.RemoveIncomplete(ctx, q.ID)
	case err != nil:
		return false, err
	case q.ID == q.Keeps || b.SwarmID != q.SwarmID || b.Backup != q.Backup || b.Kind != state.KindRegular:
		return false, diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + q.ID + " is not the one that was to be removed",
			Detail: "It is of swarm " + b.SwarmID + ", block " + b.Backup + "; to be removed was one of swarm " + q.SwarmID + ", block " + q.Backup + ". It stays.",
			Remedy: "find out what changed the repository, then plan again"}
	}
	return true, repo.Remove(ctx, q.ID)
}

// stays tells whether the backup that is to stay is there, and could be restored as
// far as its manifest and the sizes of its objects tell.
func stays(ctx context.Context, repo *repository.Repository, q apply.Removal) error {
	b, err := repo.Get(ctx, q.Keeps)
	reason := ""
	switch {
	case errors.Is(err, repository.ErrNotFound):
		reason = "it is not there"
	case errors.Is(err, repository.ErrManifest):
		reason = err.Error()
	case err != nil:
		return err
	case b.Problem != nil:
		reason = "it is damaged: " + b.Problem.Text
	case b.Verified == "" || len(b.Suspect) > 0:
		reason = strings.TrimSuffix("it does not count: "+strings.Join(b.Suspect, "; "), ": ")
	case b.SwarmID != q.SwarmID || b.Backup != q.Backup || b.Kind != state.KindRegular:
		reason = "it is another's: of swarm " + b.SwarmID + ", block " + b.Backup
	}
	if reason == "" {
		return nil
	}
	return &apply.NotKeptError{ID: q.Keeps, Reason: reason}
}

// Sweep removes what uploads and removals that were cut left.
func (w *World) Sweep(ctx context.Context, name string) error {
	repo, err := w.repository(ctx, name)
	if err != nil {
		return err
	}
	defer repo.Close()
	_, err = repo.Sweep(ctx, nil, cutFor, w.o.Now())
	return err
}
