package main

import (
	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/plan"
)

// applyNothing is apply of a plan file without steps: nothing is contacted, what the plan
// does not reach is named, and the exit status is that of plan.
func (s *session) applyNothing(f applyFlags, p *plan.Plan, digest string) error {
	if err := apply.Check(p, digest, apply.Approval{Digest: f.digest, Codes: f.approve}); err != nil {
		return err
	}
	if !f.json {
		s.app.screen(s.app.out).Nothing(p)
		return planStatus(p, false)
	}
	sink, now := s.sink(true, p), s.app.now().UTC()
	sink.Event(apply.Event{Type: apply.RunStarted, At: now, Digest: digest, Text: p.Summary})
	for _, u := range p.Unmet {
		sink.Event(apply.Event{Type: apply.Note, At: now, Node: u.Node, Text: "not reached by this plan: " + u.Code + " " + u.Goal + ". " + u.Reason, Remedy: u.Remedy})
	}
	end := apply.Event{Type: apply.RunDone, At: now, Digest: digest, Text: "the plan has no steps: nothing was to be done"}
	if len(p.Unmet) > 0 {
		end.Type, end.Text, end.Error, end.Remedy = apply.RunFailed, "", "the plan has no steps, and there is something that it does not reach", "Mend that, then run requeen plan again."
	}
	sink.Event(end)
	return planStatus(p, false)
}
