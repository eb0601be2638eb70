package observe

import (
	"context"
	"slices"
	"sync"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// look is one observation under way.
type look struct {
	cfg   *schema.Config
	ports ports
	o     Options
	slots chan struct{} // for workers
}

// read is Read with its ports in place.
func read(ctx context.Context, cfg *schema.Config, p ports, o Options) (*state.State, error) {
	o = o.withDefaults()
	l := &look{cfg: cfg, ports: p, o: o, slots: make(chan struct{}, o.Parallel)}
	s := &state.State{
		ObservedAt:   o.Now().UTC().Round(0), // as a file gives it back: without the machine's own clock
		Cluster:      cfg.Cluster.Name,
		Hosts:        make([]state.Host, len(cfg.Nodes)),
		Repositories: make([]state.Repository, len(cfg.Repositories)),
	}
	rows := make([]row, len(cfg.Nodes))
	var wg sync.WaitGroup
	for i, n := range cfg.Nodes {
		wg.Go(func() { rows[i] = l.row(ctx, n) })
	}
	for i, r := range cfg.Repositories {
		wg.Go(func() { s.Repositories[i] = l.repository(ctx, r) })
	}
	wg.Wait()
	defer closeEngines(rows)
	l.patiently(ctx, rows)
	slices.SortFunc(rows, byName)
	s.Swarm, s.SwarmProblem = l.swarm(ctx, rows)
	l.containers(ctx, rows, s.Swarm == nil || o.Containers)
	l.volumes(ctx, rows)
	for i := range rows {
		s.Hosts[i] = rows[i].host
	}
	l.survey(ctx, s)
	settle(s)
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	return s, nil
}

func closeEngines(rows []row) {
	for _, r := range rows {
		if r.engine != nil {
			_ = r.engine.Close()
		}
	}
}
