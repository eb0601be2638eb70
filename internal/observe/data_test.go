package observe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// TestDataIsLookedAt: of volumes and services those that backups name, and services whose
// scale was changed, whoever names them; a swarm's others are left out.
func TestDataIsLookedAt(t *testing.T) {
	cfg := declare("m1", "w1")
	cfg.Backups = []schema.Backup{{Name: "state", Data: []schema.Data{
		{Kind: schema.DataVolume, Name: "pgdata", Node: "w1", Volume: "db_pgdata", Quiesce: []string{"db"}},
		{Kind: schema.DataVolume, Name: "gone", Node: "w1", Volume: "gone"},
		{Kind: schema.DataDirectory, Name: "etc", Node: "m1", Path: "/etc/app", Before: &schema.Command{Service: "app"}},
	}}}
	w := healthyWorld(cfg)
	for _, m := range w.machines {
		m.engine.swarm.Services = []state.ServiceScale{{Name: "other"}, {Name: "db", Replicas: 3}, {Name: "cut", Scale: "2"}, {Name: "app"}}
	}
	w.machines["w1"].engine.volumes = []state.Volume{{Name: "db_pgdata", Looked: state.Present, Driver: "local"}, {Name: "other", Looked: state.Present}}
	s, err := read(t.Context(), cfg, w.ports(), Options{Now: func() time.Time { return observedAt }})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]state.ServiceScale{{Name: "app"}, {Name: "cut", Scale: "2"}, {Name: "db", Replicas: 3}}, s.Swarm.Services); d != "" {
		t.Error(d)
	}
	want := []state.Volume{{Name: "db_pgdata", Looked: state.Present, Driver: "local"}, {Name: "gone", Looked: state.Absent}}
	if d := cmp.Diff(want, s.Host("w1").Volumes); d != "" {
		t.Error(d)
	}
	if len(s.Host("m1").Volumes) != 0 {
		t.Errorf("m1 was asked for %+v", s.Host("m1").Volumes)
	}
}
