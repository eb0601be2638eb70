package apply

import (
	"context"
	"fmt"
)

// waitWorkers waits until every worker of the step is ready in the new cluster, and
// names those that are not when the step's time is over. That is no failure: a
// worker that is down does not keep a swarm from being recovered.
func waitWorkers(ctx context.Context, t *task) (string, error) {
	source, ops := t.joinOperation(), t.operations()
	var absent []string
	for i := range ops {
		ops[i].Source, ops[i].Address = source.Source, source.Address
		absent = append(absent, ops[i].Node)
	}
	err := t.poll(ctx, "the workers are ready", func(ctx context.Context) (bool, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		names, err := t.Recoverer.NotReady(call, ops)
		if err == nil {
			absent = names
		}
		if over := !t.Clock.Now().Add(t.req.PollEvery).Before(t.deadline); over {
			return true, nil
		}
		return err == nil && len(absent) == 0, err
	})
	if err != nil {
		return "", err
	}
	for _, name := range absent {
		t.note(t.s, "%s is not ready in the new cluster yet, so its tasks may be started elsewhere: look at its engine, and run requeen plan again once it answers", name)
	}
	return fmt.Sprintf("ready workers: %d of %d", len(ops)-len(absent), len(ops)), nil
}
