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

// TestVolumeHoldersAreAskedForOnDemand: a look of plan or apply costs no call more,
// and an engine that does not say leaves them unknown.
func TestVolumeHoldersAreAskedForOnDemand(t *testing.T) {
	for _, asked := range []bool{false, true} {
		cfg := declare("m1", "m2", "w1")
		w := healthyWorld(cfg)
		for _, m := range w.machines {
			m.engine.holds = []state.VolumeHolder{{Name: "requeen-r1-" + m.name}}
		}
		w.machines["m2"].engine.madeErr = errors.New("it hangs")
		s, err := read(t.Context(), cfg, w.ports(), Options{Now: func() time.Time { return observedAt }, VolumeHolders: asked})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range s.Hosts {
			e := w.machines[h.Name].engine
			if e.holdAsked > 0 != asked || e.madeAsked > 0 {
				t.Errorf("%s was asked %d times for holders, %d times for the containers of tasks", h.Name, e.holdAsked, e.madeAsked)
			}
			known := asked && h.Name != "m2"
			if (h.VolumeHoldersLooked == state.Present) != known || len(h.VolumeHolders) == 1 != known {
				t.Errorf("%s: %q %+v", h.Name, h.VolumeHoldersLooked, h.VolumeHolders)
			}
		}
	}
}
