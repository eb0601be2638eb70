package apply

import (
	"context"
	"fmt"
)

// updateNodeKind gives an entry its labels and availability. One that is drained is
// waited for until its tasks have ended: what is removed next would run on unseen.
var updateNodeKind = kind{
	probe: func(ctx context.Context, t *task) (bool, string, error) { return t.ask(ctx, nodeHas) },
	guard: func(ctx context.Context, t *task) error { return t.stillHolds(ctx) },
	act: func(ctx context.Context, t *task) error {
		return t.tell(ctx, "Updating the node", Shaper.ChangeNode)
	},
	wait: waitNode,
}

func nodeHas(p Shaper, ctx context.Context, s Shape) (bool, string, error) {
	has, tasks, err := p.NodeHas(ctx, s)
	switch {
	case err != nil || !has:
		return false, "", err
	case tasks > 0:
		return false, fmt.Sprintf("tasks that have not ended there: %d", tasks), nil
	}
	return true, "it is as declared", nil
}

func waitNode(ctx context.Context, t *task) (seen string, err error) {
	err = t.poll(ctx, t.name()+" is as declared", func(ctx context.Context) (done bool, err error) {
		done, seen, err = t.ask(ctx, nodeHas)
		if over := !t.Clock.Now().Add(t.req.PollEvery).Before(t.deadline); over && err == nil && seen != "" && !done {
			t.note(t.s, "%s is drained, and not empty yet: %s", t.name(), seen)
			return true, nil
		}
		return done, err
	})
	return seen, err
}
