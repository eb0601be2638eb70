package apply

import (
	"context"
	"errors"
	"sync/atomic"
)

func holdEngine(ctx context.Context, t *task) error {
	return t.acts(ctx, "Holding the engine", func(ctx context.Context) error { return t.Recoverer.Hold(ctx, t.operation(t.s.Node)) })
}

func fenceManager(ctx context.Context, t *task) error {
	return t.acts(ctx, "Fencing the manager", func(ctx context.Context) error {
		aside, err := t.Recoverer.Fence(ctx, t.operation(t.s.Node))
		if err == nil && aside != "" {
			t.note(t.s, "what %s held of the old swarm is in %s", t.s.Node, aside)
		}
		return err
	})
}

func saveSurvivor(ctx context.Context, t *task) error {
	return t.acts(ctx, "Storing the safety copy", func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		b, err := t.Recoverer.Save(ctx, t.operation(t.s.Node), t.storeProgress(cancel))
		if err == nil {
			t.result.Backups = append(t.result.Backups, b)
			t.note(t.s, "the safety copy is backup %s in repository %s", b.ID, t.s.Repository)
		}
		return err
	})
}

func prepareDirectory(ctx context.Context, t *task) error {
	var reached atomic.Bool
	err := t.acts(ctx, "Preparing the swarm directory", func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		tell := t.storeProgress(cancel)
		seen, err := t.Recoverer.Prepare(ctx, t.operation(t.s.Node), func(p StoreProgress) {
			if p.Stage == StageStore {
				reached.Store(true)
			}
			tell(p)
		})
		if err == nil {
			t.note(t.s, "%s", seen)
		}
		return err
	})
	var run *RunError
	if errors.As(err, &run) && !reached.Load() && !t.heldAny(t.s.ID) {
		run.untouched = true
	}
	return err
}

func swapDirectory(ctx context.Context, t *task) error {
	return t.acts(ctx, "Putting the prepared directory in place", func(ctx context.Context) error {
		aside, err := t.Recoverer.Swap(ctx, t.operation(t.s.Node))
		if err == nil && aside != "" {
			t.note(t.s, "what was in use on %s is in %s", t.s.Node, aside)
		}
		return err
	})
}
