package plan

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// NodeStateName is the state of one node, apart from the cluster's condition.
type NodeStateName string

// The states of a node.
const (
	NodeActive   NodeStateName = "active"   // its engine takes part in the swarm, or tries to
	NodeLocked   NodeStateName = "locked"   // its engine waits for the unlock key
	NodeInactive NodeStateName = "inactive" // its engine knows no swarm, and the disk could not be read
	NodeStopped  NodeStateName = "stopped"  // its engine is down, its state is on the disk
	NodeOrphaned NodeStateName = "orphaned" // its engine runs in no swarm, but the state is on the disk
	NodeDamaged  NodeStateName = "damaged"  // its swarm directory lacks a part
	NodeForeign  NodeStateName = "foreign"  // it belongs to another swarm
	NodeEmpty    NodeStateName = "empty"    // its disk was read and holds no state
	NodeUnknown  NodeStateName = "unknown"  // it could not be looked at
)

// NodeState is what a declared node is found to be, for people to read.
type NodeState struct {
	Name         string        `json:"name"` // in the configuration
	Role         string        `json:"role"` // declared
	Address      string        `json:"address"`
	State        NodeStateName `json:"state"`
	Reason       string        `json:"reason"`
	NodeID       string        `json:"node_id,omitempty"`    // the swarm's
	MatchedBy    string        `json:"matched_by,omitempty"` // node ID, address, hostname; empty without an entry
	Leader       bool          `json:"leader,omitempty"`
	Reachability string        `json:"reachability,omitempty"` // as the swarm's list has it; managers only
	Status       string        `json:"status,omitempty"`       // as the swarm's list has it
	RunningTasks int           `json:"running_tasks"`
}

// NodeStates gives the state of each declared node, sorted by name.
func NodeStates(cfg *schema.Config, st *state.State) []NodeState {
	w := join(cfg, st)
	list := make([]NodeState, 0, len(w.nodes))
	for _, n := range w.nodes {
		list = append(list, n.state)
	}
	return list
}

func (w *world) nodeState(n *node) NodeState {
	s := NodeState{Name: n.cfg.Name, Role: n.cfg.Role, Address: n.cfg.Address, NodeID: n.nodeID(), MatchedBy: n.matched}
	if m := n.member; m != nil {
		s.NodeID, s.Leader, s.Reachability, s.Status, s.RunningTasks = m.ID, m.Leader, m.Reachability, m.Status, m.RunningTasks
	}
	s.State, s.Reason = w.stateOf(n)
	return s
}

func (w *world) stateOf(n *node) (NodeStateName, string) {
	h := n.host
	if h.Looked != state.Present {
		return NodeUnknown, w.unlooked(n)
	}
	if other := foreignID(n, w.id.id); w.id.id != "" && other != "" {
		return NodeForeign, "it belongs to the swarm " + other
	}
	if h.Engine.Answered == state.Present {
		return w.answered(n)
	}
	if r := n.elsewhere; r != nil { // what it holds may be the furthest, so it is not passed over as down
		return NodeUnknown, fmt.Sprintf("the recovery %s of the cluster %q holds its engine", r.ID, r.Cluster)
	}
	switch h.Service.ActiveState {
	case "inactive", "failed":
		name, reason := byDisk(n, NodeStopped, NodeUnknown)
		return name, "the engine is down; " + reason
	case "":
		return NodeUnknown, or(problemText(h.Engine.Problem), "its engine could not be asked")
	case "active":
		if h.SwarmDir.Raft != nil && missing(n) == "" {
			return NodeActive, "the engine runs and answers nobody, as one that has just lost its quorum; its log was read"
		}
		return NodeUnknown, "the engine runs but gives no answer"
	}
	return NodeUnknown, "the engine is " + h.Service.ActiveState
}

// unlooked says why a host was not looked at, and what the swarm's list says
// all the same.
func (w *world) unlooked(n *node) string {
	reason := "it was not looked at"
	if n.host.Looked == state.Absent {
		reason = or(problemText(n.host.Problem), "its host can't be reached")
	} else if n.cfg.Connection.None {
		reason = "it has no connection"
	}
	if n.member != nil {
		reason += "; the swarm says " + or(n.member.Status, "nothing of it")
		if n.member.Reachability != "" {
			reason += " and " + n.member.Reachability
		}
	}
	return reason
}

func (w *world) answered(n *node) (NodeStateName, string) {
	e := n.host.Engine
	switch e.LocalNodeState {
	case "locked":
		return NodeLocked, "the engine waits for the unlock key"
	case "inactive":
		name, reason := byDisk(n, NodeOrphaned, NodeInactive)
		return name, "the engine knows no swarm; " + reason
	case "active", "pending":
		if part := missing(n); part != "" {
			return NodeDamaged, "the engine runs, but its swarm directory lacks " + part
		}
		if e.LocalNodeState == "pending" {
			return NodeActive, or(e.SwarmError, "the engine has not found the swarm yet")
		}
		return NodeActive, or(e.SwarmError, "the engine takes part in the swarm")
	case "error":
		if w.expired(n, 0) && n.manager() && (n.member == nil || n.member.Reachability != "reachable") {
			name, reason := byDisk(n, NodeOrphaned, NodeUnknown)
			return name, fmt.Sprintf("the engine says error: its node certificate expired at %s; %s", stamp(n.host.SwarmDir.CertificateExpiry), reason)
		}
		// An engine can be stuck at this word while its manager works.
		if m := n.member; m != nil && (m.Reachability == "reachable" || m.Reachability == "" && m.Status == "ready") {
			return NodeActive, "the swarm says that it works, though the engine says error"
		}
		reason := "the engine says error: " + or(e.SwarmError, "no reason given")
		if skew := n.host.ClockSkew; skew > maxSkew {
			reason += "; its clock runs " + span(skew) + " ahead, by which a good certificate can seem to have expired: set it right first"
		}
		return NodeUnknown, reason
	}
	return NodeUnknown, fmt.Sprintf("the engine says %q of the swarm", e.LocalNodeState)
}

// expired tells whether a host's node certificate is no good any more in a while. An
// engine that starts on one that has expired takes part in no swarm, and a join with
// it fails and erases the swarm directory (safety rule 2). It is expired by the
// host's clock and by the operator's: a clock that runs ahead is to be set right,
// and costs no certificate.
func (w *world) expired(n *node, while time.Duration) bool {
	e := n.host.SwarmDir.CertificateExpiry
	return !e.IsZero() && e.Before(w.st.ObservedAt.Add(min(n.host.ClockSkew, 0)+while))
}

// byDisk tells by the swarm directory what a node is whose engine says nothing
// of a swarm: whole if all is there, unread if it could not be looked at.
func byDisk(n *node, whole, unread NodeStateName) (NodeStateName, string) {
	switch n.host.SwarmDir.Presence {
	case state.Absent:
		return NodeEmpty, "no swarm directory is on its disk"
	case state.Present:
		if bare(n.host.SwarmDir) {
			return NodeEmpty, "its swarm directory holds nothing of a swarm"
		}
		if part := missing(n); part != "" {
			return NodeDamaged, "its swarm directory lacks " + part
		}
		return whole, "its state is on the disk"
	}
	return unread, or(problemText(n.host.SwarmDir.Problem), "its disk could not be read")
}

// missing names what a swarm directory that was read lacks to start from; it is
// empty where the directory is whole or was not read. Workers have no raft log.
func missing(n *node) string {
	d := n.host.SwarmDir
	if d.Presence != state.Present {
		return ""
	}
	var parts []string
	if d.NodeID == "" {
		parts = append(parts, "the node certificate")
	}
	if !d.HasKey {
		parts = append(parts, "the node key")
	}
	if !d.HasRootCA {
		parts = append(parts, "the root CA")
	}
	if !d.HasRaft && (d.Role == schema.RoleManager || d.Role == "" && n.manager()) {
		parts = append(parts, "the raft log")
	}
	return listing(parts)
}

func problemText(p *state.Problem) string {
	if p == nil {
		return ""
	}
	return p.Text
}
