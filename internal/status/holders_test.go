package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
)

// What holds volumes may go only when what it holds them against is over.
func TestHolders(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*status.Input, *state.Host)
		superfluous bool
		says        string
	}{
		"over":                    {nil, true, "its recovery is over"},
		"over, and forgotten":     {func(_ *status.Input, h *state.Host) { h.Recoveries = nil }, true, "over"},
		"no backup is needed":     {func(in *status.Input, _ *state.Host) { in.State.Repositories[0].Backups = nil }, true, "over"},
		"still held":              {func(_ *status.Input, h *state.Host) { h.Recoveries[0].Held = true }, false, "not over"},
		"not lifted":              {func(_ *status.Input, h *state.Host) { h.Recoveries[0].Phase = state.RecoverySwapped }, false, "not over"},
		"another's":               {func(_ *status.Input, h *state.Host) { h.Recoveries[0].Cluster = "other" }, false, "cluster other"},
		"held by another":         {func(_ *status.Input, h *state.Host) { h.Recoveries[0].ID, h.Recoveries[0].Held = "r2", true }, false, "r2 holds"},
		"no leader":               {func(in *status.Input, _ *state.Host) { in.State.Swarm = nil }, false, "no leader answers"},
		"its engine is not in it": {func(_ *status.Input, h *state.Host) { h.Engine.LocalNodeState = "inactive" }, false, "no part in the swarm"},
		"somebody started it":     {func(_ *status.Input, h *state.Host) { h.VolumeHolders[0].State = "exited" }, false, "somebody started it"},
	} {
		t.Run(name, func(t *testing.T) {
			r := judged(t, "fresh", func(in *status.Input) {
				h := host(in, "w1")
				h.VolumeHolders = []state.VolumeHolder{{ID: "h1", Name: "requeen-" + recoveryID + "-c1", State: "created", Recovery: recoveryID,
					Volumes: []string{"v1", "v2"}, CreatedAt: in.Now.Add(-3 * time.Hour)}}
				h.Recoveries = []state.HostRecovery{{ID: recoveryID, Cluster: "prod", Phase: state.RecoveryLifted}}
				if c.change != nil {
					c.change(in, h)
				}
			})
			if len(r.VolumeHolders) != 1 {
				t.Fatalf("%+v", r.VolumeHolders)
			}
			l := r.VolumeHolders[0]
			if l.Node != "w1" || l.Superfluous != c.superfluous || !strings.Contains(l.Why, c.says) || l.Superfluous == (l.Remedy != "") {
				t.Errorf("want %v and %q, have %+v", c.superfluous, c.says, l)
			}
			told := false
			for _, f := range r.Findings {
				told = told || f.Severity == status.Note && f.Node == "w1" && strings.Contains(f.Text, l.Name) && strings.Contains(f.Text, recoveryID) &&
					strings.Contains(f.Text, "v1, v2") && strings.Contains(f.Text, "made 3 h ago") && f.Remedy != ""
			}
			if !told {
				t.Errorf("no note tells of it: %+v", r.Findings)
			}
		})
	}
}
