package effects

import (
	"context"
	"errors"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// Open fetches a backup and opens it on a private copy, as the restore of it will,
// and says what came of that. It changes nothing: that the backup was opened is
// not recorded in it either. unlockKey is nil where none is known.
func Open(ctx context.Context, repo *repository.Repository, b state.Backup, unlockKey []byte) *state.Opening {
	o, _ := OpenContents(ctx, repo, b, unlockKey)
	return o
}

// OpenContents is Open, and tells what the backup holds, as Contents does.
func OpenContents(ctx context.Context, repo *repository.Repository, b state.Backup, unlockKey []byte) (*state.Opening, []state.Spec) {
	if _, err := repository.SweepPrivate(); err != nil {
		return notOpened(err), nil
	}
	unlockKey, err := keyOf(ctx, repo, b, unlockKey)
	if err == nil {
		err = keyOfItsTime(b, unlockKey)
	}
	if err != nil {
		return notOpened(err), nil
	}
	if err := repo.VerifyObjects(ctx, b.ID); err != nil {
		return notOpened(err), nil
	}
	var store state.Store
	var specs []state.Spec
	report, err := openRaft(ctx, repo, b, unlockKey, func(dir string) (err error) {
		if store, err = raftdir.Content(ctx, dir, unlockKey); err == nil {
			specs, err = raftdir.PlainSpecs(ctx, dir, unlockKey)
		}
		return err
	})
	if err == nil {
		err = sameAsManifest(report, b)
	}
	if err != nil {
		return notOpened(err), nil
	}
	return &state.Opening{Store: &store}, specs
}

// untried are the reasons for which a backup could not be tried at all: they say
// nothing of it. What was stored and does not open is damaged.
var untried = []error{context.Canceled, context.DeadlineExceeded, repository.ErrURL, repository.ErrUnavailable, repository.ErrNoIdentity,
	repository.ErrEncryptedIdentity, repository.ErrNoPrivate, repository.ErrNoRoom, raftdir.ErrUnreadable}

func notOpened(err error) *state.Opening {
	o := &state.Opening{Problem: &state.Problem{Text: err.Error()}}
	var told diag.Diagnostic
	switch {
	case errors.Is(err, repository.ErrWrongIdentity):
		o.Problem.Code = diag.BackupUnfit
	case errors.Is(err, raftdir.ErrWrongUnlockKey), errors.Is(err, raftdir.ErrLocked):
		o.Problem.Code = diag.NoUnlockKey
	case isAny(err, untried):
	default:
		o.Damaged = true
	}
	if errors.As(err, &told) {
		o.Problem.Text, o.Problem.Remedy = told.Summary+": "+told.Detail, told.Remedy
	}
	return o
}

func isAny(err error, kinds []error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
