package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
)

func TestInventory(t *testing.T) {
	for _, version := range []string{"1.41", "1.51"} {
		answers := healthy()
		answers["GET /networks"] = answer{file: "28.5-networks-all.json"}
		r := newReplay(t, version, answers)
		got, err := r.client().Inventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := state.Inventory{
			Services: []string{"s1", "s2"}, Secrets: []string{"x1"}, Configs: []string{}, Networks: []string{"nea", "neb", "nec"},
			Nodes: map[string]state.InventoryNode{
				"n1aaaaaaaaaaaaaaaaaaaaaaa": {Role: "manager", Availability: "drain", Labels: map[string]string{"zone": "a"}},
				"n2bbbbbbbbbbbbbbbbbbbbbbb": {Role: "manager", Availability: "active", Labels: map[string]string{}},
				"n3ccccccccccccccccccccccc": {Role: "worker", Availability: "active", Labels: map[string]string{}},
			},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		for _, asked := range r.log() {
			if strings.Contains(asked, "/tasks") || !strings.HasPrefix(asked, "GET ") && asked != "HEAD /_ping" {
				t.Errorf("asked %s", asked)
			}
		}
	}
}

// A part of an inventory would show as loss what was not looked at.
func TestInventoryIsWholeOrNone(t *testing.T) {
	for _, path := range []string{"/nodes", "/services", "/secrets", "/configs", "/networks"} {
		answers := healthy()
		answers["GET "+path] = answer{status: 500, file: "error-no-leader.json"}
		got, err := newReplay(t, "1.51", answers).client().Inventory(t.Context())
		expect(t, err, ErrNoLeader)
		if d := cmp.Diff(state.Inventory{}, got); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

func TestContainers(t *testing.T) {
	answers := map[string]answer{"GET /containers/json": {file: "20.10-containers.json"}}
	r := newReplay(t, "1.41", answers)
	got, err := r.client().Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []state.Container{
		{ID: "c1", Name: "db.1.t1", State: "running", TaskID: "t1", ServiceID: "s1", ServiceName: "db", NodeID: "n2",
			AnonymousVolumes: []string{strings.Repeat("0a", 32), strings.Repeat("f1", 32)},
			Writable: []state.Mount{
				{Type: "bind", Source: "/srv/shared", Target: "/data"},
				{Type: "volume", Source: "pgdata", Driver: "local", Target: "/var/lib/postgresql/data"},
			}},
		{ID: "c2", Name: "web.2.t9", State: "exited", TaskID: "t9", ServiceID: "s2", ServiceName: "web", NodeID: "n2"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	log := r.log()
	if last := log[len(log)-1]; !strings.Contains(last, "all=1") || !strings.Contains(last, "com.docker.swarm.task.id") {
		t.Errorf("stopped ones, or those of no swarm: %s", last)
	}
}
