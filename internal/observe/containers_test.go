package observe

import (
	"errors"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// TestContainersAreLookedAtForRecoveriesOnly: where no manager answers, or where
// they are asked for; a healthy swarm is not made to list them.
func TestContainersAreLookedAtForRecoveriesOnly(t *testing.T) {
	for name, c := range map[string]struct {
		leader, asked, want bool
	}{
		"healthy":          {leader: true},
		"healthy, asked":   {leader: true, asked: true, want: true},
		"without a leader": {want: true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := declare("m1", "m2", "w1")
			w := healthyWorld(cfg)
			if !c.leader {
				leaderless(w)
			}
			for _, m := range w.machines {
				m.engine.made = []state.Container{{ID: "of " + m.name}}
			}
			w.machines["m2"].engine.madeErr = errors.New("it hangs")
			s, err := read(t.Context(), cfg, w.ports(), Options{Now: func() time.Time { return observedAt }, Containers: c.asked})
			if err != nil {
				t.Fatal(err)
			}
			if asked := w.machines["w1"].engine.madeAsked; (asked > 0) != c.want {
				t.Errorf("w1 was asked %d times", asked)
			}
			for _, h := range s.Hosts {
				known := c.want && h.Name != "m2"
				if (h.ContainersLooked == state.Present) != known || len(h.Containers) == 1 != known {
					t.Errorf("%s: %q %+v", h.Name, h.ContainersLooked, h.Containers)
				}
			}
		})
	}
}
