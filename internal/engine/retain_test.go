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
