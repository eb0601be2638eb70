package main

import (
	"context"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
)

// showDrift shows what differs, of what is there or of what a file says was there.
func (s *session) showDrift(ctx context.Context, f planFlags) error {
	var d *plan.Drift
	if s.recorded != nil {
		st := s.recorded.state
		d = plan.FindDrift(s.cfg, st, st.ObservedAt)
	} else {
		st, err := s.Observe(ctx)
		if err != nil {
			return err
		}
		d = plan.FindDrift(s.cfg, st, s.app.now().UTC())
	}
	if f.json {
		if err := writeLines(s.app.out, view.DriftLines(d, version, s.recordedLines()...)...); err != nil {
			return err
		}
	} else {
		s.showRecorded()
		screenOf(s.app.out).Drift(d)
	}
	switch {
	case f.detailed && d.Drifted():
		return exitStatus(diag.ExitChanges)
	case f.detailed && !d.Sure():
		return exitStatus(diag.ExitError)
	}
	return nil
}
