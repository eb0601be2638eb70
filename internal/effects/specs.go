package effects

import (
	"context"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// Specs opens the swarm's archive of a backup on a private copy, and tells what the swarm
// was asked for at its time. Of the other archives it reads and proves nothing.
func Specs(ctx context.Context, repo *repository.Repository, b state.Backup, unlockKey []byte) (list []state.Spec, err error) {
	unlockKey, err = keyOf(ctx, repo, b, unlockKey)
	if err == nil {
		err = keyOfItsTime(b, unlockKey)
	}
	if err != nil {
		return nil, err
	}
	report, err := openSwarm(ctx, repo, b, unlockKey, func(dir string) (err error) {
		list, err = raftdir.Specs(ctx, dir, unlockKey)
		return err
	})
	if err == nil {
		err = sameAsManifest(report, b)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}
