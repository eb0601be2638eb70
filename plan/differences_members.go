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

// fresh tells whether a host can join as it is: its engine runs in no swarm, and
// nothing of one is on its disk. Over state nobody joins (safety rule 2).
func (n *node) fresh() bool {
	h := n.host
	return h.Looked == state.Present && n.nodeID() == "" && h.Engine.Answered == state.Present && h.Engine.LocalNodeState == "inactive" &&
		(h.SwarmDir.Presence == state.Absent || bare(h.SwarmDir))
}

func (w *world) joinFirst(n *node) Unmet {
	reason := n.cfg.Name + " is declared, and its engine is in no swarm."
	if n.host.Engine.Answered != state.Present {
		return w.notIn(n, reason, fmt.Sprintf("Start the engine of %s, then plan again: it is joined then.", n.cfg.Name))
	}
	return w.notIn(n, reason, fmt.Sprintf("On a manager docker swarm join-token %s prints the command to type on %s; add --advertise-addr %s to it.",
		n.cfg.Role, n.cfg.Name, n.cfg.Address))
}

// joinAnew is for a node with state on its disk: it is moved, never deleted by
// the leave that an engine offers.
func (w *world) joinAnew(n *node, reason string) Unmet {
	return w.notIn(n, reason+" It joins nothing over that.", w.moveAside(n))
}

// moveAside is what to type so that a host holds nothing of a swarm and can join.
func (w *world) moveAside(n *node) string {
	units := strings.TrimSpace(n.unit() + " " + n.host.Service.Socket)
	path := or(n.host.SwarmDir.Path, "its swarm directory")
	return fmt.Sprintf("On %s move that state aside: systemctl stop %s; mv -T %s %s; systemctl start %s. Then plan again: it is joined then.",
		n.cfg.Name, units, quote(path), quote(path+".left"), units)
}

func (w *world) notIn(n *node, reason, remedy string) Unmet {
	return Unmet{Code: diag.NodeDiffers, Goal: goalJoined(n.cfg.Name), Node: n.cfg.Name, Reason: reason, Remedy: remedy}
}

// undeclared are the entries of the swarm's list that prune_nodes wants out of
// it. While a declared node can't be told apart, any entry could be its own, and
// none is named.
func (w *world) undeclared() []*state.SwarmNode {
	if !w.cfg.Cluster.PruneNodes {
		return nil
	}
	return w.strangers()
}

// strangers are the entries that surely no node block declares.
func (w *world) strangers() []*state.SwarmNode {
	if !w.usable() || len(w.untold()) > 0 {
		return nil
	}
	return w.unclaimed()
}

// unclaimed are the entries that no declared node was matched to, and that are none of
// one's from before.
func (w *world) unclaimed() []*state.SwarmNode {
	old := map[string]bool{}
	for _, n := range w.nodes {
		for _, m := range w.oldEntries(n) {
			old[m.ID] = true
		}
	}
	var list []*state.SwarmNode
	for i := range w.st.Swarm.Nodes {
		if m := &w.st.Swarm.Nodes[i]; !old[m.ID] && w.declaredAs(m.ID) == nil && !w.mayBeDeclared(m) {
			list = append(list, m)
		}
	}
	return list
}

// untold names the declared nodes of which it is not known which entry they have, or
// that they have none.
func (w *world) untold() []string {
	var names []string
	for _, n := range w.nodes {
		if n.member == nil && (n.unread() || n.doubt != nil) {
			names = append(names, n.cfg.Name)
		}
	}
	return names
}

// pruneInDoubt says why nothing is removed that is not declared, where something is.
func (w *world) pruneInDoubt() []Unmet {
	names, list := w.untold(), w.unclaimed()
	if !w.cfg.Cluster.PruneNodes || len(names) == 0 || len(list) == 0 {
		return nil
	}
	var entries []string
	for _, m := range list {
		entries = append(entries, or(m.Hostname, m.ID))
	}
	return []Unmet{{Code: diag.NodeUndeclared, Goal: "nodes that are not declared are removed from the swarm",
		Reason: fmt.Sprintf("cluster.prune_nodes is set, and no declared node is known to be %s. Which entry %s has can't be told, so that any could be its own, and none is removed.", few(entries), few(names)),
		Remedy: fmt.Sprintf("Make the host of %s reachable and readable, or take its node block out if it is gone for good; then plan again.", few(names))}}
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
	return Unmet{Code: diag.NodeUndeclared, Goal: goalRemoved(w, m),
		Reason: fmt.Sprintf("The %s %s (node %s, %s) is in the swarm and not declared, and cluster.prune_nodes is set.",
			m.Role, name, m.ID, or(m.Status, "unknown")),
		Remedy: "Declare it as a node, or: " + listing(steps) + "."}
}

func goalJoined(name string) string { return name + " is in the swarm" }

func goalRemoved(w *world, m *state.SwarmNode) string {
	return w.entry(m) + " is removed from the swarm"
}
