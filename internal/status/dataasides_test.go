package status_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
)

// TestDataAsides: what a restore of data set aside goes only when somebody says that
// nothing of it is missed, and never while the restore is under way.
func TestDataAsides(t *testing.T) {
	const id = "20250310T020000Z-c0ffee"
	for name, c := range map[string]struct {
		change     func(*status.Input, *state.SetAside)
		superseded bool
		says       string
	}{
		"restored":          {nil, true, "-without-copy"},
		"unfinished":        {func(_ *status.Input, a *state.SetAside) { a.Unfinished = true }, false, "not over"},
		"another cluster's": {func(_ *status.Input, a *state.SetAside) { a.Cluster = "other" }, false, "cluster other"},
		"services wait": {func(in *status.Input, _ *state.SetAside) {
			in.State.Swarm.Services = []state.ServiceScale{{Name: "db", Waits: id + " b local replace volume.pgdata"}}
		}, false, "still wait"},
	} {
		t.Run(name, func(t *testing.T) {
			var in status.Input
			judged(t, "fresh", func(i *status.Input) {
				place := "/var/lib/docker/volumes/pgdata/_data"
				a := state.SetAside{Path: place + ".requeen-" + id + ".volume.pgdata", DataOf: place, Restore: id + ".volume.pgdata", Cluster: "prod"}
				if c.change != nil {
					c.change(i, &a)
				}
				host(i, "m2").SetAsides = []state.SetAside{a}
				in = *i
			})
			list := status.Asides(in.Config, in.State)
			if len(list) != 1 || list[0].Superfluous || list[0].Superseded != c.superseded || !strings.Contains(list[0].Why+" "+list[0].Remedy, c.says) {
				t.Errorf("got %+v", list)
			}
		})
	}
}
