package main

import (
	"encoding/json"
	"os"
	"path/filepath"
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
	if s.journal == "" || p.Recovery == nil || p.Recovery.Rung != plan.RungRestore || p.Recovery.Expires.IsZero() {
		return nil
	}
	data, err := json.Marshal(restoring{p.Recovery.Backup, p.Recovery.Expires.UTC()})
	if err == nil {
		err = os.MkdirAll(s.restoresDir(), 0o700)
	}
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(s.restoresDir(), p.Recovery.Backup+".json"), append(data, '\n'))
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
		if p, _, err := planfile.Decode(j.PlanBytes); err == nil && p.Recovery != nil && p.Recovery.Backup != "" {
			ids = append(ids, p.Recovery.Backup)
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
