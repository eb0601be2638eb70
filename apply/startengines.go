package apply

import (
	"context"

	"github.com/requeen/requeen/plan"
)

// letStart starts the engines of the first rung, or lets go the one whose
// directory was replaced.
func letStart(ctx context.Context, t *task) error {
	return t.acts(ctx, "Starting the engine", func(ctx context.Context) error {
		if t.p.Recovery.Rung == plan.RungStart {
			return t.Recoverer.StartEngines(ctx, t.operations())
		}
		return t.Recoverer.Lift(ctx, t.operation(t.s.Node))
	})
}

func unlockTogether(ctx context.Context, t *task) error {
	return t.acts(ctx, "Unlocking", func(ctx context.Context) error { return t.Recoverer.UnlockEngines(ctx, t.operations()) })
}

// lastUp is the last step that starts or unlocks engines for the recovery.
func lastUp(p *plan.Plan) (last int) {
	for _, s := range p.Steps {
		if s.Recovery != "" && (s.Kind == plan.Start || s.Kind == plan.Unlock) {
			last = s.ID
		}
	}
	return last
}

// waitLeader waits for a leader where the step is the last of the first rung that
// brings engines up.
func waitLeader(ctx context.Context, t *task) (string, error) {
	if t.p.Recovery.Rung != plan.RungStart || t.s.ID != lastUp(t.p) {
		return t.s.Node + "'s engine is up", nil
	}
	seen := ""
	err := t.poll(ctx, "a leader answers", func(ctx context.Context) (bool, error) {
		for _, op := range t.operations() {
			call, cancel := context.WithTimeout(ctx, callTimeout)
			_, text, err := t.Recoverer.Leads(call, op)
			cancel()
			if err == nil && text != "" {
				seen = text
				return true, nil
			}
		}
		return false, nil
	})
	return seen, err
}
