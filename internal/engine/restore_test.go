package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
)

// TestWithholdAndReleaseService: what a service waits for is written before its tasks are
// taken away, and is gone with the record of its scale.
func TestWithholdAndReleaseService(t *testing.T) {
	const waits = "r1 b1 local fill volume.pgdata"
	update := func(t *testing.T, labels, mode string, act func(*Client) error) []map[string]any {
		t.Helper()
		r := newReplay(t, "1.51", map[string]answer{"GET /services": servicesAt(33, labels, mode, ""), "POST /services/s1/update": {body: `{}`}})
		if err := act(r.client()); err != nil {
			t.Fatal(err)
		}
		var sent []map[string]any
		for _, body := range r.sent("POST /services/s1/update") {
			sent = append(sent, fields(t, body))
		}
		return sent
	}
	sent := update(t, "", replicated, func(c *Client) error { return c.WithholdService(t.Context(), "web", waits) })
	if len(sent) != 2 || at(sent[0], "Labels").(map[string]any)[state.ScaleWaitsLabel] != waits || at(sent[0], "Mode.Replicated.Replicas") != 3.0 ||
		at(sent[1], "Labels").(map[string]any)[state.ScaleLabel] != "3" || at(sent[1], "Mode.Replicated.Replicas") != 0.0 {
		t.Errorf("withholding sent %v", sent)
	}
	sent = update(t, `, "io.requeen.scale": "3", "io.requeen.scale-waits": "`+waits+`"`, `"Replicated": {"Replicas": 0}`,
		func(c *Client) error { return c.WithholdService(t.Context(), "web", waits) })
	if len(sent) != 0 {
		t.Errorf("one that is withheld is sent %v", sent)
	}
	sent = update(t, `, "io.requeen.scale": "3", "io.requeen.scale-waits": "`+waits+`"`, `"Replicated": {"Replicas": 0}`,
		func(c *Client) error { return c.ReleaseService(t.Context(), "web") })
	labels := at(sent[0], "Labels").(map[string]any)
	if diff := cmp.Diff(map[string]any{"com.docker.stack.namespace": "shop"}, labels); diff != "" || at(sent[0], "Mode.Replicated.Replicas") != 3.0 {
		t.Errorf("released as %v", sent[0])
	}
	sent = update(t, `, "io.requeen.scale-waits": "`+waits+`"`, replicated, func(c *Client) error { return c.ReleaseService(t.Context(), "web") })
	if len(sent) != 1 || len(at(sent[0], "Labels").(map[string]any)) != 1 {
		t.Errorf("one with its tasks is released as %v", sent)
	}
}

func TestUsers(t *testing.T) {
	r := newReplay(t, "1.51", map[string]answer{"GET /containers/json": {body: `[
		{"Id": "c1", "Names": ["/db.1.x"], "Labels": {"com.docker.swarm.service.name": "db"}, "Mounts": [{"Type": "volume", "Name": "pgdata", "Source": "/var/lib/docker/volumes/pgdata/_data", "Destination": "/data"}]},
		{"Id": "c2", "Names": ["/psql"], "Mounts": [{"Type": "bind", "Source": "/var/lib/docker/volumes/pgdata", "Destination": "/in"}]},
		{"Id": "c3", "Names": ["/inside"], "Mounts": [{"Type": "bind", "Source": "/var/lib/docker/volumes/pgdata/_data/base", "Destination": "/in"}]},
		{"Id": "c4", "Names": ["/other"], "Mounts": [{"Type": "volume", "Name": "pgdata2", "Source": "/var/lib/docker/volumes/pgdata2/_data", "Destination": "/data"}]},
		{"Id": "c5", "Names": ["/agent"], "Mounts": [{"Type": "bind", "Source": "/var/lib/docker/volumes", "Destination": "/volumes", "RW": true}]},
		{"Id": "c6", "Names": ["/watch"], "Mounts": [{"Type": "bind", "Source": "/", "Destination": "/rootfs"}]},
		{"Id": "c7", "Names": ["/files"], "Mounts": [{"Type": "bind", "Source": "/srv", "Destination": "/srv", "RW": true}]},
		{"Id": "c8", "Names": ["/reads"], "Mounts": [{"Type": "bind", "Source": "/srv/app", "Destination": "/srv"}]}]`}})
	got, err := r.client().Users(t.Context(), "pgdata", "/var/lib/docker/volumes/pgdata/_data")
	want := []User{{Name: "db.1.x", Service: "db"}, {Name: "inside"}, {Name: "psql"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = r.client().Users(t.Context(), "", "/srv/app")
	if diff := cmp.Diff([]User{{Name: "files"}, {Name: "reads"}}, got); diff != "" || err != nil {
		t.Errorf("of a directory: %v (-want +got):\n%s", err, diff)
	}
}
