package apply

import (
	"context"
	"time"
)

// awaitWorkers waits until every worker of the step is ready in the new cluster, and
// names those that are not when the step's time is over. That is no failure: a
// worker that is down does not keep a swarm from being recovered.
func awaitWorkers(ctx context.Context, t *task) error {
	end := t.Clock.Now().Add(t.s.Timeout())
	for {
		absent := t.absent(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(absent) == 0 {
			return nil
		}
		if !t.Clock.Now().Add(t.req.PollEvery).Before(end) {
			for _, name := range absent {
				t.note(t.s, "%s is not ready in the new cluster yet: look at its engine, and plan again once it answers", name)
			}
			return nil
		}
		t.heedInterrupt()
		if err := t.sleep(ctx, t.req.PollEvery); err != nil {
			return err
		}
	}
}

// absent are the workers that no manager sees as ready.
func (t *task) absent(ctx context.Context) []string {
	var list []string
	source := t.joinOperation()
	for _, op := range t.operations() {
		op.Source, op.Address, op.Role = source.Source, source.Address, "worker"
		call, cancel := context.WithTimeout(ctx, min(callTimeout, time.Duration(t.s.TimeoutSeconds)*time.Second))
		joined, _, err := t.Recoverer.Joined(call, op)
		cancel()
		if err != nil || !joined {
			list = append(list, op.Node)
		}
	}
	return list
}
