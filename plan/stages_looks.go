package plan

import (
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// voter is a manager that counts.
func (s *stages) voter(v *voter) PictureNode {
	n := PictureNode{Name: v.label(), Part: PartManager, Look: LookUp, Leader: s.sim.leader[v.id]}
	if v.node != nil {
		n.Zone = v.node.zone()
	} else if v.member != nil {
		n.Zone = zoneOf(v.member.Labels)
	}
	switch {
	case s.sim.up[v.id]:
	case v.node != nil:
		n.Look = s.lookAt(v.node)
	default:
		n.Look = LookDown
	}
	return n
}

// declared is a declared node that is no manager of the swarm now.
func (s *stages) declared(n *node) PictureNode {
	d := PictureNode{Name: n.cfg.Name, Part: PartWorker, Look: s.lookAt(n), Zone: n.zone()}
	switch {
	case n.member != nil && n.state.State == NodeActive:
		d.Look = lookOf(n.member)
	case n.member == nil && (s.w.st.Swarm != nil || d.Look == LookOut):
		d.Part = PartOutside
	}
	return d
}

// lookAt is how a declared node that is not up as a manager stands.
func (s *stages) lookAt(n *node) Look {
	name := n.cfg.Name
	switch {
	case s.sim.held[name] && s.sim.fenced[name]:
		return LookFenced
	case s.sim.held[name]:
		return LookHeld
	}
	switch n.state.State {
	case NodeActive:
		return LookWaits
	case NodeInactive, NodeEmpty:
		return LookOut
	case NodeUnknown:
		if n.member != nil {
			return lookOf(n.member)
		}
		return LookUnknown
	}
	return Look(n.state.State) // locked, stopped, orphaned, damaged, foreign
}

// lookOf is how the swarm's list has a node.
func lookOf(m *state.SwarmNode) Look {
	switch {
	case m.Status == "ready" && m.Reachability != "unreachable":
		return LookUp
	case m.Status == "" || m.Status == "unknown":
		return LookUnknown
	}
	return LookDown
}

// now is how a node stands after a step.
func (s *stages) now(n *staged, step Step, votes, named bool) PictureNode {
	now := n.PictureNode
	if votes {
		now.Part, now.Look = PartManager, s.managerLook(n, step, named)
		now.Leader = now.Look == LookUp && s.sim.leader[n.id] && s.sim.margin().Spare >= 0
		return now
	}
	now.Leader = false
	if now.Part == PartManager { // it was a manager before the step
		now.Part = PartOutside
		if step.Kind == Demote {
			now.Part = PartWorker
		}
	}
	if !named {
		return now
	}
	switch step.Kind {
	case Hold:
		now.Look = LookHeld
	case Fence:
		now.Look = LookFenced
	case Join, Await:
		now.Part, now.Look = PartWorker, LookUp
	case Leave:
		now.Part, now.Look = PartOutside, LookOut
	case RemoveNode:
		if step.Recovery == "" && now.Part != PartOutside { // else the entry is one from before
			now.Part, now.Look = PartOutside, LookRemoved
		}
	case Start:
		if step.Shapes() {
			now.Look = LookUp
		} else if now.Look == LookHeld || now.Look == LookFenced || now.Look == LookStopped {
			now.Look = LookOut
		}
	}
	return now
}

// managerLook is how one that counts for the quorum stands.
func (s *stages) managerLook(n *staged, step Step, named bool) Look {
	name := n.Name
	switch {
	case s.sim.up[n.id]:
		return LookUp
	case s.sim.held[name] && s.sim.fenced[name]:
		return LookFenced
	case s.sim.held[name]:
		return LookHeld
	case !named:
		if n.Look == LookUp {
			return LookDown
		}
		return n.Look
	}
	switch step.Kind {
	case Stop:
		return LookStopped
	case Start:
		switch {
		case s.sim.swapped[name]:
			return LookOut
		case s.sim.locks[n.id]:
			return LookLocked
		}
		return LookWaits
	}
	if n.Look == LookUp {
		return LookDown
	}
	return n.Look
}

// entryName is how an entry that is not declared is called.
func entryName(m *state.SwarmNode) string {
	short := m.ID[:min(8, len(m.ID))]
	if m.Hostname == "" {
		return "node " + short
	}
	return m.Hostname + " (node " + short + ")"
}

// zone is a node's label "zone": as declared, else as the swarm has it.
func (n *node) zone() string {
	if n.cfg.Labels != nil {
		return zoneOf(n.cfg.Labels)
	}
	if n.member != nil {
		return zoneOf(n.member.Labels)
	}
	return ""
}

// longestZone bounds what a picture keeps of a label.
const longestZone = 64

func zoneOf(labels map[string]string) string {
	zone := []rune(strings.TrimSpace(labels["zone"]))
	return string(zone[:min(longestZone, len(zone))])
}
