package observe

import (
	"context"
	"sync"

	"github.com/requeen/requeen/internal/state"
)

// containers asks every engine that runs for the containers of its tasks, where
// they are wanted, and for those that hold volumes, where the options say so; all of
// it side by side: also an engine that says nothing of itself, as after a lost
// quorum. Where one does not run, or does not say in time, they stay unknown.
func (l *look) containers(ctx context.Context, rows []row, tasks bool) {
	var wg sync.WaitGroup
	for i := range rows {
		r := &rows[i]
		if r.engine == nil {
			continue
		}
		if tasks {
			wg.Go(func() {
				r.host.Containers, r.host.ContainersLooked = listed(ctx, l, r.engine.Containers)
			})
		}
		if l.o.VolumeHolders {
			wg.Go(func() {
				r.host.VolumeHolders, r.host.VolumeHoldersLooked = listed(ctx, l, r.engine.VolumeHolders)
			})
		}
	}
	wg.Wait()
}

// listed asks one engine for a list of containers.
func listed[T any](parent context.Context, l *look, ask func(context.Context) ([]T, error)) ([]T, state.Presence) {
	ctx, cancel := bounded(parent, min(l.o.SwarmTimeout, l.o.HostTimeout))
	defer cancel()
	list, err := within(ctx, ask)
	if err != nil {
		return nil, state.Unknown
	}
	return list, state.Present
}
