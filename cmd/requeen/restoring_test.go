package main

import (
	"slices"
	"testing"
	"time"

	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// What a saved plan restores, a swarm or data, is known to the next plan on this machine until the saved
// one expires.
func TestRestoresAreNoted(t *testing.T) {
	s := &session{journal: t.TempDir(), cfg: &schema.Config{Cluster: schema.Cluster{Name: "prod"}}}
	now := time.Date(2025, 3, 10, 3, 0, 0, 0, time.UTC)
	p := &plan.Plan{Recovery: &plan.Recovery{Rung: plan.RungRestore, Backup: "20250309T220000Z-0a1b2c", Expires: now.Add(time.Hour)}}
	if err := s.noteRestore(p); err != nil {
		t.Fatal(err)
	}
	if have := s.restores(now.Add(59 * time.Minute)); !slices.Equal(have, []string{"20250309T220000Z-0a1b2c"}) {
		t.Errorf("it restores %v", have)
	}
	if have := s.restores(now.Add(time.Hour)); len(have) > 0 {
		t.Errorf("it restores %v, and has expired", have)
	}
	data := &plan.Plan{Expires: now.Add(time.Hour), Steps: []plan.Step{{Kind: plan.RestoreVolume, DataRestore: &plan.DataRestore{Backup: "20250308T220000Z-0a1b2c"}}}}
	if err := s.noteRestore(data); err != nil {
		t.Fatal(err)
	}
	if have := s.restores(now); !slices.Equal(have, []string{"20250308T220000Z-0a1b2c", "20250309T220000Z-0a1b2c"}) {
		t.Errorf("it restores %v", have)
	}
	p.Recovery.Rung = plan.RungForce
	p.Recovery.Backup = "20250309T230000Z-0a1b2c"
	if err := s.noteRestore(p); err != nil || len(s.restores(now)) != 2 {
		t.Errorf("%v, %v", err, s.restores(now))
	}
}
