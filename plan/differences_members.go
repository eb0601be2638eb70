package plan

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// notJoined names a declared node that was looked at and has no entry in the
// swarm's list: it never joined, it left, or its entry was removed. A node that
// may be in the list under an ID that could not be read is not named.
func (w *world) notJoined(n *node) []Unmet {
	h := n.host
	switch {
	case h.Looked != state.Present:
		return nil
	case n.nodeID() != "" && n.clusterID() == w.id.id:
		return []Unmet{w.joinAnew(n, fmt.Sprintf("%s holds the state of node %s, which the swarm no longer lists.", n.cfg.Name, n.nodeID()))}
	case n.nodeID() != "" || h.Engine.Answered == state.Present && h.Engine.LocalNodeState != "inactive":
		return nil
	case h.SwarmDir.Presence == state.Absent || bare(h.SwarmDir):
		return []Unmet{w.joinFirst(n)}
	case h.Engine.Answered == state.Present && h.SwarmDir.Presence == state.Present:
		return []Unmet{w.joinAnew(n, fmt.Sprintf("%s's engine is in no swarm, and %s holds what is left of one.", n.cfg.Name, h.SwarmDir.Path))}
	}
	return nil
}

// bare tells whether a swarm directory that was read holds nothing of a swarm.
// An engine keeps its directory when it leaves, and empties it.
func bare(d state.SwarmDir) bool {
	return d.Presence == state.Present && d.Problem == nil && d.NodeID == "" && d.CertificateSHA256 == "" &&
		!d.HasKey && !d.HasRootCA && !d.HasRaft && !d.HasStateFile
}

func (w *world) joinFirst(n *node) Unmet {
	start := ""
	if n.host.Engine.Answered != state.Present {
		start = fmt.Sprintf("Start the engine of %s. ", n.cfg.Name)
	}
	return w.notIn(n, n.cfg.Name+" is declared, and its engine is in no swarm.", start)
}

// joinAnew is for a node with state on its disk: it is moved, never deleted by
// the leave that an engine offers.
func (w *world) joinAnew(n *node, reason string) Unmet {
	h := n.host
	units := strings.TrimSpace(or(h.Service.Unit, "docker.service") + " " + h.Service.Socket)
	path := or(h.SwarmDir.Path, "its swarm directory")
	return w.notIn(n, reason, fmt.Sprintf("On %s move that state aside: systemctl stop %s; mv -T %s %s; systemctl start %s. ",
		n.cfg.Name, units, quote(path), quote(path+".left"), units))
}

func (w *world) notIn(n *node, reason, before string) Unmet {
	return Unmet{Code: diag.NodeDiffers, Goal: goalJoined(n.cfg.Name), Node: n.cfg.Name,
		Reason: reason + " No step joins it yet.",
		Remedy: fmt.Sprintf("%sOn a manager docker swarm join-token %s prints the command to type on %s; add --advertise-addr %s to it.",
			before, n.cfg.Role, n.cfg.Name, n.cfg.Address)}
}

// undeclared are the entries of the swarm's list that prune_nodes wants out of
// it. While a declared node can't be told apart, any entry could be its own, and
// none is named.
func (w *world) undeclared() []*state.SwarmNode {
	if !w.cfg.Cluster.PruneNodes || !w.usable() {
		return nil
	}
	for _, n := range w.nodes {
		if n.member == nil && (n.unread() || n.doubt != nil) {
			return nil
		}
	}
	var list []*state.SwarmNode
	for i := range w.st.Swarm.Nodes {
		if m := &w.st.Swarm.Nodes[i]; w.declaredAs(m.ID) == nil && !w.mayBeDeclared(m) {
			list = append(list, m)
		}
	}
	return list
}

// toRemove demotes a manager while it is up: one that is stopped first counts
// for the quorum until it is gone.
func (w *world) toRemove(m *state.SwarmNode) Unmet {
	name, entry := or(m.Hostname, m.ID), w.entry(m)
	var steps []string
	if m.Role == schema.RoleManager {
		steps = append(steps, "type docker node demote "+entry+" on a manager", "wait until docker node ls shows no manager status for it")
	}
	if m.Status != "down" {
		steps = append(steps, "type docker swarm leave on it", "wait until docker node ls shows it down")
	}
	steps = append(steps, "type docker node rm "+entry+" on a manager")
	return Unmet{Code: diag.NodeUndeclared, Goal: name + " is removed from the swarm",
		Reason: fmt.Sprintf("The %s %s (node %s, %s) is in the swarm and not declared, and cluster.prune_nodes is set. No step removes it yet.",
			m.Role, name, m.ID, or(m.Status, "unknown")),
		Remedy: "Declare it as a node, or: " + listing(steps) + "."}
}

func goalJoined(name string) string { return name + " is in the swarm" }
