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

// rebalance spreads the named services anew where this plan's joins bring nodes that
// take tasks.
func (s *shaping) rebalance() {
	via := s.through()
	if via == nil || len(s.w.cfg.Cluster.Rebalance) == 0 || !s.wantsNode("") {
		return
	}
	var new []string
	for _, step := range s.plan.Steps {
		if step.Kind == Join && step.Shapes() && step.Join.Availability == "" {
			new = append(new, step.Node)
		}
	}
	if len(new) == 0 {
		return
	}
	for _, service := range s.w.cfg.Cluster.Rebalance {
		s.on(via, Step{Kind: Rebalance, Risk: Interrupts, TimeoutSeconds: seconds(rebalanceTimeout), Service: service},
			"A swarm moves no task to a node because that is new. The service %s is updated with force, so that its tasks are spread over %s too, by its own update rules", service, few(new))
	}
}
