package apply

import (
	"context"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// cleanUpKind removes what an earlier run left on a host.
var cleanUpKind = kind{
	probe: func(ctx context.Context, t *task) (bool, string, error) {
		_, found, err := t.knownRun(ctx)
		return err == nil && !found, "nothing of the run is on the host any more", err
	},
	guard: guardCleanUp,
	wait: func(ctx context.Context, t *task) (string, error) {
		return "what the run left is removed from " + t.s.Node, t.removeRun(ctx)
	},
}

// guardCleanUp refuses while the run is what brings the engine back.
func guardCleanUp(ctx context.Context, t *task) error {
	var why string
	err := t.poll(ctx, t.s.Node+" can be looked at", func(ctx context.Context) (bool, error) {
		st, found, err := t.lookRun(ctx)
		if err != nil {
			return false, err
		}
		if err := t.bound(ctx); err != nil {
			return false, err
		}
		why = ""
		if found && st.UnitActive {
			why = "the run " + t.q.id + " on " + t.s.Node + " is still at work"
		} else if t.seen.Host(t.s.Node).Service.ActiveState != "active" && st.Phase != state.PhasePrepared {
			why = t.s.Node + "'s engine is down, and the run " + t.q.id + " is what starts it again"
		}
		return true, nil
	})
	if err != nil || why == "" {
		return err
	}
	return t.stale([]plan.Change{change(plan.HostChanged, t.s.Node, "%s", why)})
}
