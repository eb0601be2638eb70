package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/atomicfile"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

// restoring is a backup that a saved plan restores, noted beside the journals so that
// no prune from this machine removes it while that plan may be begun.
type restoring struct {
	Backup string    `json:"backup"` // its ID
	Until  time.Time `json:"until"`  // when the plan expires, UTC
}

func (s *session) restoresDir() string {
	return filepath.Join(s.journal, s.cfg.Cluster.Name, "restores")
}

// noteRestore notes what a plan restores that is written to a file.
func (s *session) noteRestore(p *plan.Plan) error {
	until := p.BegunUntil()
	if s.journal == "" || until.IsZero() {
		return nil
	}
	for _, id := range restoredBy(p) {
		data, err := json.Marshal(restoring{id, until.UTC()})
		if err == nil {
			err = os.MkdirAll(s.restoresDir(), 0o700)
		}
		if err == nil {
			err = atomicfile.Write(filepath.Join(s.restoresDir(), id+".json"), append(data, '\n'))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// restoredBy are the backups that a plan restores a swarm or data from.
func restoredBy(p *plan.Plan) (ids []string) {
	if p.Recovery != nil && p.Recovery.Rung == plan.RungRestore && p.Recovery.Backup != "" {
		ids = append(ids, p.Recovery.Backup)
	}
	for _, step := range p.Steps {
		if r := step.DataRestore; r != nil && !slices.Contains(ids, r.Backup) {
			ids = append(ids, r.Backup)
		}
	}
	return ids
}

// restores are the backups that saved plans of this machine, and runs that were cut,
// restore. What can't be read tells nothing, and stops no plan.
func (s *session) restores(now time.Time) (ids []string) {
	entries, _ := os.ReadDir(s.restoresDir())
	for _, e := range entries {
		var r restoring
		data, err := os.ReadFile(filepath.Join(s.restoresDir(), e.Name()))
		if err != nil || json.Unmarshal(data, &r) != nil {
			continue
		}
		if now.Before(r.Until) {
			ids = append(ids, r.Backup)
		}
	}
	journals, _ := apply.Unfinished(s.journal, s.cfg.Cluster.Name)
	for _, j := range journals {
		if p, _, err := planfile.Decode(j.PlanBytes); err == nil {
			ids = append(ids, restoredBy(p)...)
		}
	}
	return ids
}

// hereAnd is what is at hand, and what this machine is about to restore.
func (s *session) hereAnd(st *state.State, now time.Time) plan.Here {
	h := s.here(st)
	if s.pool != nil && s.journal != "" { // a plan from a file is the same anywhere
		h.Restoring = s.restores(now)
	}
	return h
}
