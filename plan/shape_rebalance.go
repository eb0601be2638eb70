package plan

import (
	"maps"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// newcomer is a node over which services are to be spread, with the labels that it has
// once they are.
type newcomer struct {
	node   *node
	joins  bool // in this plan
	labels map[string]string
}

// spreads tells whether a node joined with an earlier plan that was to spread services
// over it, and did not come to that.
func (w *world) spreads(n *node) bool {
	return len(w.cfg.Cluster.Rebalance) > 0 && n.member.Labels[state.RebalanceLabel] != "" && or(n.cfg.Availability, n.member.Availability) == schema.AvailabilityActive
}

// markNew marks a node that joins and takes tasks, so that a plan that is made after a cut
// knows that services are still to be spread over it.
func (s *shaping) markNew(n *node, change *NodeChange) (until string) {
	if len(s.w.cfg.Cluster.Rebalance) == 0 || change.Availability != "" {
		return ""
	}
	s.news = append(s.news, newcomer{n, true, unmarked(change.Labels)})
	change.Labels = pending(change.Labels)
	return ". The mark is taken off once services are spread over " + n.cfg.Name
}

// findNew finds a node that an earlier plan has marked. The mark stays when its labels
// change, and until its engine takes part.
func (s *shaping) findNew(n *node, change *NodeChange) {
	if !s.w.spreads(n) {
		return
	}
	labels := unmarked(n.member.Labels)
	if change.Labels != nil {
		labels, change.Labels = unmarked(change.Labels), pending(change.Labels)
	}
	if n.isReady() {
		s.news = append(s.news, newcomer{n, false, labels})
	}
}

// throughAtEnd is the manager by which services are updated once the roles are changed:
// the one by which the swarm is asked now, where it stays one.
func (s *shaping) throughAtEnd() *node {
	stays := func(n *node) bool {
		id := s.sim.byName[n.cfg.Name]
		return s.sim.votes(id) && s.sim.up[id]
	}
	if n := s.through(); n != nil && stays(n) {
		return n
	}
	for _, n := range s.w.managers() {
		if n.doubt == nil && n.host.Looked == state.Present && stays(n) {
			return n
		}
	}
	return nil
}

// pending are labels with the mark of a node over which services are to be spread.
func pending(labels map[string]string) map[string]string {
	marked := maps.Clone(labels)
	if marked == nil {
		marked = map[string]string{}
	}
	marked[state.RebalanceLabel] = "pending"
	return marked
}

// rebalance spreads the named services anew where nodes have joined that take tasks, by
// this plan or by one that was cut, and takes the marks off.
func (s *shaping) rebalance() {
	if len(s.news) == 0 || !s.wantsNode("") {
		return
	}
	via := s.throughAtEnd()
	var names []string
	for _, n := range s.news {
		names = append(names, n.node.cfg.Name)
	}
	for _, service := range s.w.cfg.Cluster.Rebalance {
		if via == nil {
			break // no declared manager is left to ask
		}
		s.on(via, Step{Kind: Rebalance, Risk: Interrupts, TimeoutSeconds: seconds(rebalanceTimeout), Service: service},
			"A swarm moves no task to a node because that is new. The service %s is updated with force, so that its tasks are spread over %s too, by its own update rules", service, few(names))
	}
	for _, n := range s.news {
		step := Step{Kind: UpdateNode, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout), Change: &NodeChange{Labels: n.labels}}
		const why = "The services are spread over %s: the mark for that (label %s) is taken off its entry"
		if n.joins {
			s.on(n.node, step, why, n.node.cfg.Name, state.RebalanceLabel)
		} else {
			s.at(n.node.member, n.node, step, why, n.node.cfg.Name, state.RebalanceLabel)
		}
	}
}
