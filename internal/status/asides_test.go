package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
)

const recoveryID = "20250309T000000Z-5f0c9a"

// A set-aside may be the last copy of a state: it may go only for a backup that
// makes up for it.
func TestAsides(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*status.Input, *state.Host, *state.Backup)
		superfluous bool
		says        string
	}{
		"a newer backup that was opened": {nil, true, "is newer, and was opened"},
		"a newer backup in clear":        {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.OpenedAt, b.PlainStored = time.Time{}, true }, true, "is newer"},
		"never opened":                   {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.OpenedAt = time.Time{} }, false, "requeen backup verify"},
		"set aside after the backup": {func(_ *status.Input, h *state.Host, b *state.Backup) {
			h.SetAsides[0].ChangedAt = b.TakenAt.Add(time.Minute)
		}, false, "is newer than it"},
		"planned after the backup": {func(_ *status.Input, h *state.Host, _ *state.Backup) {
			h.SetAsides[0].Path = h.SwarmDir.Path + ".requeen-20250310T023000Z-5f0c9a"
			h.Recoveries[0].ID, h.Recoveries[0].Aside, h.SetAsides[0].ChangedAt = "20250310T023000Z-5f0c9a", h.SetAsides[0].Path, time.Time{}
		}, false, "is newer than it"},
		"no safety copy": {func(in *status.Input, _ *state.Host, _ *state.Backup) { in.State.Repositories[0].Backups[1].Kind = "" }, false, "-without-copy"},
		"another's safety copy": {func(in *status.Input, _ *state.Host, _ *state.Backup) {
			in.State.Repositories[0].Backups[1].ID = "20250309T000100Z-aaaaaa"
		}, false, "nowhere else"},
		"certificates only": {func(in *status.Input, h *state.Host, _ *state.Backup) {
			in.State.Repositories[0].Backups[1].Kind, h.SetAsides[0].HasRaft = "", false
		}, true, "is newer"},
		"another epoch":     {func(in *status.Input, _ *state.Host, _ *state.Backup) { in.State.Swarm.Epoch = recoveryID }, false, "epoch " + recoveryID},
		"a safety copy":     {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.Kind = state.KindSafety }, false, "no verified backup"},
		"not verified":      {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.Verified = "" }, false, "no verified backup"},
		"suspect":           {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.Suspect = []string{"fewer"} }, false, "no verified backup"},
		"damaged":           {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.Problem = &state.Problem{Text: "missing"} }, false, "no verified backup"},
		"from the future":   {func(in *status.Input, _ *state.Host, b *state.Backup) { b.TakenAt = in.State.ObservedAt.Add(time.Hour) }, false, "no verified backup"},
		"of another swarm":  {func(_ *status.Input, _ *state.Host, b *state.Backup) { b.SwarmID = "x" }, false, "no verified backup"},
		"no leader":         {func(in *status.Input, _ *state.Host, _ *state.Backup) { in.State.Swarm = nil }, false, "no leader answers"},
		"still held":        {func(_ *status.Input, h *state.Host, _ *state.Backup) { h.Recoveries[0].Held = true }, false, "not over"},
		"not lifted":        {func(_ *status.Input, h *state.Host, _ *state.Backup) { h.Recoveries[0].Phase = state.RecoverySwapped }, false, "not over"},
		"another cluster's": {func(_ *status.Input, h *state.Host, _ *state.Backup) { h.Recoveries[0].Cluster = "other" }, false, "cluster other"},
		"put there by hand": {func(_ *status.Input, h *state.Host, _ *state.Backup) {
			h.SetAsides[0].Path = "/var/lib/docker/swarm.old"
		}, false, "no recovery of requeen's"},
		"of no known recovery, by its name": {func(_ *status.Input, h *state.Host, _ *state.Backup) { h.Recoveries = nil }, true, "is newer"},
	} {
		t.Run(name, func(t *testing.T) {
			var in status.Input
			judged(t, "fresh", func(i *status.Input) {
				h, b := host(i, "m2"), &i.State.Repositories[0].Backups[0]
				path := h.SwarmDir.Path + ".requeen-" + recoveryID
				h.SetAsides = []state.SetAside{{Path: path, HasRaft: true, ChangedAt: b.TakenAt.Add(-time.Hour)}}
				h.Recoveries = []state.HostRecovery{{ID: recoveryID, Cluster: "prod", Phase: state.RecoveryLifted, Aside: path}}
				safety := *b
				safety.ID, safety.Kind, safety.TakenAt = "20250309T000100Z-5f0c9a", state.KindSafety, b.TakenAt.Add(-time.Hour)
				i.State.Repositories[0].Backups = append(i.State.Repositories[0].Backups, safety)
				b = &i.State.Repositories[0].Backups[0]
				if c.change != nil {
					c.change(i, h, b)
				}
				in = *i
			})
			list := status.Asides(in.Config, in.State)
			if len(list) != 1 {
				t.Fatalf("%d set-asides: %+v", len(list), list)
			}
			a := list[0]
			if a.Superfluous != c.superfluous || !strings.Contains(a.Why+" "+a.Remedy, c.says) {
				t.Errorf("superfluous %v, want %v; want %q in %q and %q", a.Superfluous, c.superfluous, c.says, a.Why, a.Remedy)
			}
			if !a.Superfluous && a.Remedy == "" {
				t.Error("kept without saying what to do")
			}
		})
	}
}
