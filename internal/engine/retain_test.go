package engine

import (
	"net/http"
	"strings"
	"testing"
)

// TestRetain: the volumes are mounted by their names and where they were; one that
// is held already is held, and a container that is gone has none to hold.
func TestRetain(t *testing.T) {
	found := answer{status: http.StatusOK, body: `{"Id":"c1","Image":"sha256:1","Mounts":[{"Type":"bind","Source":"/srv","Destination":"/srv"},` +
		`{"Type":"volume","Name":"v1","Destination":"/scratch"},{"Type":"volume","Name":"named","Destination":"/data"}]}`}
	for name, c := range map[string]struct {
		inspect, create answer
		held, fails     bool
	}{
		"new":           {inspect: found, create: answer{status: http.StatusCreated, body: `{"Id":"x"}`}, held: true},
		"done already":  {inspect: found, create: answer{status: http.StatusConflict, body: `{"message":"the name is in use"}`}, held: true},
		"gone":          {inspect: answer{status: http.StatusNotFound, body: `{"message":"No such container: c1"}`}},
		"no image left": {inspect: found, create: answer{status: http.StatusInternalServerError, body: `{"message":"no space left"}`}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, "1.41", map[string]answer{"GET /containers/c1/json": c.inspect, "POST /containers/create": c.create})
			held, err := r.client().Retain(t.Context(), "requeen-r1-c1", "r1", "c1", []string{"v1"})
			if held != c.held || (err != nil) != c.fails {
				t.Fatalf("held %v, %v", held, err)
			}
			if !held {
				return
			}
			body := r.bodies[len(r.bodies)-1]
			for _, want := range []string{`"Source":"v1"`, `"Target":"/scratch"`, `"NoCopy":true`, `"io.requeen.recovery":"r1"`, `"NetworkMode":"none"`} {
				if !strings.Contains(body, want) {
					t.Errorf("%s is not in %s", want, body)
				}
			}
			if strings.Contains(body, `"named"`) {
				t.Errorf("a volume that stays by itself is mounted: %s", body)
			}
		})
	}
}

// TestVolumeHolders: only what bears the recoveries' label is asked for, in one call.
func TestVolumeHolders(t *testing.T) {
	r := newReplay(t, "1.41", map[string]answer{"GET /containers/json": {status: http.StatusOK, body: `[
		{"Id":"b","Names":["/requeen-r1-c2"],"State":"created","Created":1700000000,"Labels":{"io.requeen.recovery":"r1"},
		 "Mounts":[{"Type":"volume","Name":"v2"},{"Type":"volume","Name":"v1"},{"Type":"bind","Source":"/srv"}]},
		{"Id":"a","Names":["/requeen-r1-c1"],"State":"running","Labels":{"io.requeen.recovery":"r1"}}]`}})
	list, err := r.client().VolumeHolders(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if h := list[1]; h.ID != "b" || h.Name != "requeen-r1-c2" || h.Recovery != "r1" || h.State != "created" || strings.Join(h.Volumes, " ") != "v1 v2" || h.CreatedAt.Unix() != 1700000000 {
		t.Errorf("%+v", h)
	}
	if h := list[0]; h.State != "running" || h.Volumes == nil || !h.CreatedAt.IsZero() {
		t.Errorf("%+v", h)
	}
	asked := 0
	for _, line := range r.asked {
		if strings.Contains(line, "/containers/json") {
			asked++
			if !strings.Contains(line, "all=1") || !strings.Contains(line, "io.requeen.recovery") {
				t.Errorf("asked for more than that: %s", line)
			}
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// TestReleaseVolumes: the container goes without its volumes, and nothing goes where
// it is used, is not one of a recovery's, or would leave a volume to be removed with
// another container.
func TestReleaseVolumes(t *testing.T) {
	holder := func(state, label string) answer {
		return answer{status: http.StatusOK, body: `{"Id":"h1","State":{"Status":"` + state + `"},"Config":{"Labels":{"` + label + `":"r1"}},"Mounts":[{"Type":"volume","Name":"v1"}]}`}
	}
	made := holder("created", "io.requeen.recovery")
	alone := `{"Id":"h1","Labels":{"io.requeen.recovery":"r1"}}`
	for name, c := range map[string]struct {
		inspect, list, remove answer
		kept                  string
		removed, fails        bool
	}{
		"alone":               {inspect: made, list: answer{status: http.StatusOK, body: "[" + alone + "]"}, remove: answer{status: http.StatusNoContent}, removed: true},
		"with another holder": {inspect: made, list: answer{status: http.StatusOK, body: "[" + alone + `,{"Id":"h2","Labels":{"io.requeen.recovery":"r0"}}]`}, remove: answer{status: http.StatusNoContent}, removed: true},
		"mounted by a task":   {inspect: made, list: answer{status: http.StatusOK, body: "[" + alone + `,{"Id":"c1","Names":["/late.1"]}]`}, kept: "late.1 mounts a volume of it too"},
		"started":             {inspect: holder("exited", "io.requeen.recovery"), kept: "somebody started it"},
		"another's":           {inspect: holder("created", "com.example"), kept: "not a container of a recovery"},
		"gone":                {inspect: answer{status: http.StatusNotFound, body: `{"message":"No such container"}`}},
		"gone meanwhile":      {inspect: made, list: answer{status: http.StatusOK, body: "[]"}, remove: answer{status: http.StatusNotFound, body: `{"message":"No such container"}`}, removed: true},
		"the list fails":      {inspect: made, list: answer{status: http.StatusInternalServerError, body: `{"message":"x"}`}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, "1.41", map[string]answer{"GET /containers/h1/json": c.inspect, "GET /containers/json": c.list, "DELETE /containers/h1": c.remove})
			kept, err := r.client().ReleaseVolumes(t.Context(), "h1")
			if (err != nil) != c.fails || !strings.Contains(kept, c.kept) || (kept == "") != (c.kept == "") {
				t.Fatalf("%q, %v", kept, err)
			}
			removed := false
			for _, line := range r.asked {
				if strings.HasPrefix(line, "DELETE ") {
					removed = true
					if strings.Contains(line, "v=1") || strings.Contains(line, "force=1") {
						t.Errorf("removed with volumes, or by force: %s", line)
					}
				}
			}
			if removed != c.removed {
				t.Errorf("removed: %v", removed)
			}
		})
	}
}
