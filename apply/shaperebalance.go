package apply

import (
	"context"
	"errors"
)

// rebalanceKind updates a service with force, once for the step: the swarm keeps by
// which step it was.
var rebalanceKind = kind{
	probe: func(ctx context.Context, t *task) (bool, string, error) { return t.ask(ctx, converged) },
	guard: func(ctx context.Context, t *task) error { return t.stillHolds(ctx) },
	act: func(ctx context.Context, t *task) error {
		return t.tell(ctx, "Updating the service "+t.s.Service+" with force", Shaper.ForceService)
	},
	wait: func(ctx context.Context, t *task) (seen string, err error) {
		err = t.poll(ctx, "the update of "+t.s.Service+" is over", func(ctx context.Context) (done bool, err error) {
			done, seen, err = t.ask(ctx, converged)
			return done, t.gaveUp(err)
		})
		return seen, err
	},
}

// converged passes over a service that is not there: it has nothing to spread, and
// the rest of the plan rests on nothing of it.
func converged(p Shaper, ctx context.Context, s Shape) (bool, string, error) {
	done, seen, err := p.Converged(ctx, s)
	var none *NoServiceError
	if errors.As(err, &none) {
		return true, "the swarm has no service " + s.Service + ", which cluster.rebalance names: there is nothing to spread", nil
	}
	return done, seen, err
}
