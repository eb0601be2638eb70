package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/plan/planfile"
)

// TestPlanOfFileIsThatOfTheLook: of every golden observation, the plan made from its
// file has the bytes of the one that is made from the look at the same moment. The
// file is found by its path, though the commands run in the configuration's
// directory.
func TestPlanOfFileIsThatOfTheLook(t *testing.T) {
	for _, c := range goldenCases(t) {
		if c.state.Cluster != "prod" {
			continue // that is refused: see observe.txtar
		}
		for i := range c.state.Repositories {
			if r := &c.state.Repositories[i]; r.URL == "" {
				r.URL = "file:///srv/backups" // which a real look always notes
			}
		}
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "observed.json")
			if err := statefile.Write(file, c.state, version); err != nil {
				t.Fatal(err)
			}
			t.Chdir(c.dir)
			a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now}
			cfg, err := a.load(&configFlags{})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range []wish{{}, {backup: true}, {restore: "latest"}} {
				live := &session{app: a, cfg: cfg}
				looked, err := live.planned(c.state, c.state.ObservedAt, w)
				if err != nil {
					t.Fatal(err)
				}
				s, err := a.openAt(&configFlags{}, file)
				if err != nil {
					t.Fatal(err)
				}
				if s.pool != nil {
					t.Error("there is a pool of hosts")
				}
				recorded, err := s.decided(t.Context(), w, true)
				if err != nil {
					t.Fatal(err)
				}
				want, _, err := planfile.Encode(looked)
				have, _, err2 := planfile.Encode(recorded)
				if err != nil || err2 != nil || !bytes.Equal(want, have) {
					t.Errorf("%+v: the plans differ (%v, %v)\n%s\n%s", w, err, err2, want, have)
				}
			}
		})
	}
}
