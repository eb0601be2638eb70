package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.Archive = (*World)(nil)

func (w *World) repository(ctx context.Context, name string) (*repository.Repository, error) {
	return w.repositoryWith(ctx, name, func(*repository.Options) {})
}

func (w *World) repositoryWith(ctx context.Context, name string, set func(*repository.Options)) (*repository.Repository, error) {
	o, ok := w.o.Repositories[name]
	if !ok {
		return nil, fmt.Errorf("repository %s is not declared", name)
	}
	set(&o)
	return repository.Open(ctx, o)
}

// Lock takes the repository's lock.
func (w *World) Lock(ctx context.Context, name, runDigest string, minNumber uint64) (apply.Lock, error) {
	repo, err := w.repository(ctx, name)
	if err != nil {
		return nil, err
	}
	// The lock keeps its repository open; Find and Store open their own.
	held, err := repo.Acquire(ctx, repository.LockOptions{Run: runDigest, MinNumber: minNumber, FindDead: true})
	if err == nil {
		return held, nil
	}
	err = errors.Join(err, repo.Close())
	var locked *repository.LockedError
	if errors.As(err, &locked) {
		return nil, &apply.HeldError{Repository: name, Lock: locked.Lock, Age: locked.Age}
	}
	return nil, err
}

// Find looks for a manifest.
func (w *World) Find(ctx context.Context, name, id string) (state.Backup, bool, error) {
	repo, err := w.repository(ctx, name)
	if err != nil {
		return state.Backup{}, false, err
	}
	defer repo.Close()
	b, err := repo.Get(ctx, id)
	switch {
	case errors.Is(err, repository.ErrNotFound), errors.Is(err, repository.ErrManifest):
		return state.Backup{}, false, nil
	case err != nil:
		return state.Backup{}, false, err
	}
	return b, b.Problem == nil, nil
}
