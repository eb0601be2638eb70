package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// How long steps on the cluster's shape may take, their waits included. Tasks that are
// drained end by their own grace, and a service that is updated with force goes by its
// own pace.
const (
	roleTimeout      = 120 * time.Second
	leaveTimeout     = 120 * time.Second
	drainTimeout     = 300 * time.Second
	rebalanceTimeout = 1800 * time.Second
)

// shaping turns what the swarm has otherwise than it is declared into steps, in an
// order that keeps a quorum at each of them.
type shaping struct {
	*planner
	reached map[string]bool  // the goals of the differences that steps reach
	refused map[string]Unmet // by goal: why no step reaches it, in place of the difference
	drops   []*drop
	moves   []*node // managers that leave and join again at their declared address
	left    map[string]bool
	news    []newcomer // nodes over which services are to be spread
}

// shape plans the steps that bring the swarm to its declared shape, and names what
// none of them reaches. Backups that are due come before: what was is then kept
// somewhere, should a change turn out to be a mistake; and a backup's manager is
// chosen among those that were looked at, which no host that joins has been.
func (p *planner) shape() {
	s := &shaping{planner: p, reached: map[string]bool{}, refused: map[string]Unmet{}, left: map[string]bool{}}
	wait := p.shapeWaits()
	if wait.Reason == "" && p.w.usable() {
		s.steps()
	}
	for _, u := range p.w.differences() {
		if !p.wantsNode(u.Node) {
			continue
		}
		switch r, refused := s.refused[u.Goal]; {
		case s.reached[u.Goal] || p.byRecovery(u):
			continue
		case refused:
			u = r
		case wait.Reason != "":
			u.Reason, u.Remedy = u.Reason+" "+wait.Reason, wait.Remedy
		}
		p.differs = append(p.differs, u)
		p.unmet(u)
	}
}

// steps are the steps in their order. What is dead goes first, since that only helps
// the quorum; new managers come before old ones go; a move is made with the most
// managers that there are; the leader is the last to be demoted, and nothing is spread
// over nodes that are yet to come.
func (s *shaping) steps() {
	s.findDrops()
	s.findMoves()
	s.updateSwarm()
	s.demoteDead()
	s.joinHosts()
	s.promote()
	s.updateNodes()
	s.replaceManagers()
	s.removeEntries()
	s.rebalance()
}

// shapeWaits says why the shape is not changed by this plan, with what comes before it.
func (p *planner) shapeWaits() Unmet {
	switch {
	case p.plan.Recovery != nil || p.in.Restore != "":
		return Unmet{Reason: "The shape is changed once the recovery is over.", Remedy: "requeen apply, then plan again."}
	case len(p.busy) > 0:
		return Unmet{Reason: "The shape is not changed while a run is in progress on " + listing(p.busy) + ".", Remedy: remedy(diag.RunInProgress)}
	case p.sim.margin().Spare < 0:
		return Unmet{Reason: "The shape is changed only where a quorum of managers is reachable.", Remedy: "Bring the missing managers back first, then plan again."}
	case p.in.NoLock && len(p.w.cfg.Repositories) > 0:
		return Unmet{Reason: "The shape is changed only under the repositories' lock, without which two runs could demote two managers.", Remedy: remedy(diag.LockNeeded)}
	}
	return Unmet{}
}

// byRecovery tells whether steps of the recovery reach a difference.
func (p *planner) byRecovery(u Unmet) bool {
	if p.plan.Recovery == nil {
		return false
	}
	if u.Node != "" && u.Goal == goalJoined(u.Node) && p.joins(u.Node) {
		return true
	}
	for _, s := range p.plan.Steps {
		if m := p.w.entryOf(s.Entry); m != nil && s.Kind == RemoveNode && u.Goal == goalRemoved(p.w, m) {
			return true
		}
	}
	return false
}

// entryOf finds an entry of the swarm's list.
func (w *world) entryOf(id string) *state.SwarmNode { return w.at.entries[id] }

// shapes tells whether the plan changes the cluster's shape.
func (p *planner) shapes() bool { return slices.ContainsFunc(p.plan.Steps, Step.Shapes) }

// on appends a step on a declared node.
func (s *shaping) on(n *node, step Step, format string, args ...any) {
	step.Node, step.Reason = n.cfg.Name, sentence(fmt.Sprintf(format, args...))
	if step.Kind != Join && !s.left[n.cfg.Name] {
		step.NodeID = or(n.nodeID(), n.state.NodeID)
	}
	s.append(step)
}

// at appends a step on an entry, whose node is nil where no node block declares it.
func (s *shaping) at(m *state.SwarmNode, n *node, step Step, format string, args ...any) {
	step.Entry = m.ID
	if n != nil {
		s.on(n, step, format, args...)
		return
	}
	step.NodeID, step.Host, step.Reason = m.ID, m.Hostname, sentence(fmt.Sprintf(format, args...))
	s.append(step)
}

// refuse keeps a difference unmet, with the reason.
func (s *shaping) refuse(goal, node string, u Unmet) {
	u.Goal, u.Node = goal, node
	s.refused[goal] = u
}

// through is the manager by which the swarm's own spec and services are changed: the
// leader where it can be reached, else another.
func (p *planner) through() *node {
	var other *node
	for _, v := range p.byLabel() {
		if v.node == nil || v.node.doubt != nil || !v.up || v.node.host.Looked != state.Present {
			continue
		}
		if v.leader {
			return v.node
		}
		if other == nil {
			other = v.node
		}
	}
	return other
}

// called names an entry in a sentence.
func (w *world) called(m *state.SwarmNode, n *node) string {
	switch {
	case n == nil && m.Hostname != "" && w.node(m.Hostname) == nil && w.at.hostnames[m.Hostname] == 1:
		return m.Hostname
	case n == nil:
		return strings.TrimSpace(m.Hostname + " (node " + m.ID[:min(8, len(m.ID))] + ")")
	case n.member == nil || n.member.ID != m.ID:
		return fmt.Sprintf("%s's entry from before (node %s)", n.cfg.Name, m.ID)
	}
	return n.cfg.Name
}
