package apply

import (
	"context"

	"github.com/requeen/requeen/internal/state"
)

// updateSwarmKind gives the swarm its settings. Where auto-lock is turned on, the
// new unlock key is delivered at once, for until then nobody but the live managers
// knows it; and every manager is waited for until it has sealed its key: one that is
// stopped before would come back as if there were no auto-lock.
var updateSwarmKind = kind{
	probe: func(ctx context.Context, t *task) (bool, string, error) { return t.ask(ctx, t.swarmHas) },
	guard: func(ctx context.Context, t *task) error { return t.stillHolds(ctx) },
	act:   changeSwarm,
	wait: func(ctx context.Context, t *task) (seen string, err error) {
		err = t.poll(ctx, "the swarm is as declared", func(ctx context.Context) (done bool, err error) {
			done, seen, err = t.ask(ctx, t.swarmHas)
			return done, err
		})
		return seen, err
	},
}

func changeSwarm(ctx context.Context, t *task) error {
	if err := t.tell(ctx, "Updating the swarm", Shaper.ChangeSwarm); err != nil || !t.autolocks() {
		return err
	}
	if t.s.KeyTo == nil {
		t.note(t.s, "auto-lock is on, and the unlock key is in no place yet but the managers' memory: docker swarm unlock-key on one of them tells it; keep it")
		return nil
	}
	call, cancel := t.within(ctx)
	defer cancel()
	seen, err := t.Shaper.DeliverKey(call, t.shape())
	if err == nil {
		t.note(t.s, "%s", seen)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	return notDelivered(t.s, err)
}

// autolocks tells whether the step turns auto-lock on.
func (t *task) autolocks() bool { return t.s.Settings.Autolock != nil && *t.s.Settings.Autolock }

func (t *task) swarmHas(p Shaper, ctx context.Context, s Shape) (bool, string, error) {
	has, err := p.SwarmHas(ctx, s)
	if err != nil || !has || !t.autolocks() {
		return has, "the swarm is as declared", err
	}
	var hosts []state.Host
	for _, h := range t.seen.Hosts {
		if h.Looked == state.Present {
			hosts = append(hosts, h)
		}
	}
	return p.Sealed(ctx, s, hosts)
}

// readyShape lets the ports find out before the first effect whether an unlock key
// that will be made can be delivered.
func (r *runner) readyShape(ctx context.Context) error {
	for _, s := range r.p.Steps {
		if !s.Shapes() || s.KeyTo == nil || r.j.progress.done(s.ID) {
			continue
		}
		if err := r.Shaper.ReadyShape(ctx, r.task(s).shape()); err != nil {
			return shapeNotReady(s, err)
		}
	}
	return nil
}
