package plan

import (
	"github.com/requeen/requeen/schema"
)

// demoteUp demotes a manager that is up, and takes the tasks off it where it goes.
func (s *shaping) demoteUp(d *drop) {
	s.demote(d)
	if d.done {
		s.drain(d)
	}
}

// drain takes the tasks off a node that is up and goes.
func (s *shaping) drain(d *drop) {
	if !d.remove || d.entry.Status != "ready" || d.entry.Availability == schema.AvailabilityDrain {
		return
	}
	s.at(d.entry, d.node, Step{Kind: UpdateNode, Risk: Interrupts, TimeoutSeconds: seconds(drainTimeout), Change: &NodeChange{Availability: schema.AvailabilityDrain}},
		"%s is to be removed: its tasks go to other nodes before", s.w.called(d.entry, d.node))
}

// removeEntries takes entries out of the swarm's list that are no managers any more.
func (s *shaping) removeEntries() {
	for _, d := range s.drops {
		if !d.remove || !d.done {
			continue
		}
		s.reached[d.goal] = true
		risk := Interrupts
		if d.node != nil && (d.node.member == nil || d.node.member.ID != d.entry.ID) {
			risk = Safe // the host is back under another ID
		}
		s.at(d.entry, d.node, Step{Kind: RemoveNode, Risk: risk, TimeoutSeconds: seconds(nodeTimeout)}, "%s It is removed with force", d.why)
	}
}
