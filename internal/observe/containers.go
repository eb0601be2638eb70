package observe

import (
	"context"
	"sync"

	"github.com/requeen/requeen/internal/state"
)

// containers asks every engine that runs for the containers of its tasks, side by
// side: also one that says nothing of itself, as after a lost quorum. Where an
// engine does not run, or does not say in time, they stay unknown.
func (l *look) containers(ctx context.Context, rows []row) {
	var wg sync.WaitGroup
	for i := range rows {
		if r := &rows[i]; r.engine != nil {
			wg.Go(func() { l.containersOf(ctx, r) })
		}
	}
	wg.Wait()
}

func (l *look) containersOf(parent context.Context, r *row) {
	ctx, cancel := bounded(parent, min(l.o.SwarmTimeout, l.o.HostTimeout))
	defer cancel()
	list, err := within(ctx, r.engine.Containers)
	if err == nil {
		r.host.Containers, r.host.ContainersLooked = list, state.Present
	}
}
