package plan

import (
	"fmt"
	"net"
	"sort"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// How a declared node was matched to its entry in the swarm's list.
const (
	byNodeID   = "node ID"
	byAddress  = "address"
	byHostname = "hostname"
)

// match joins declared nodes and entries of the swarm's list: by the node ID
// that was read on the host, and where the host could not be read by address,
// then by a hostname that is unique. An entry belongs to one node at most.
func (w *world) match() {
	if w.st.Swarm == nil || w.id.problem != nil {
		return
	}
	taken, ids := map[string]bool{}, map[string]*state.SwarmNode{}
	at := map[string]map[string][]*state.SwarmNode{byAddress: {}, byHostname: {}}
	for i := range w.st.Swarm.Nodes {
		m := &w.st.Swarm.Nodes[i]
		place := canonical(placeOf(m))
		ids[m.ID], at[byAddress][place], at[byHostname][m.Hostname] = m, append(at[byAddress][place], m), append(at[byHostname][m.Hostname], m)
	}
	for _, n := range w.nodes {
		if m := ids[n.nodeID()]; m != nil && n.nodeID() != "" {
			n.member, n.matched = m, byNodeID
			taken[m.ID] = true
		}
	}
	for _, how := range []string{byAddress, byHostname} {
		for _, n := range w.nodes {
			key := canonical(n.cfg.Address)
			if how == byHostname {
				key = or(n.host.Hostname, n.cfg.Name)
			}
			if key != "" && n.member == nil && n.rivals == nil && n.unread() {
				n.matchBy(how, at[how][key], taken)
			}
		}
	}
}

// unread tells whether the host could not tell its node ID, nor that it has
// none.
func (n *node) unread() bool {
	if n.host.Looked != state.Present {
		return true
	}
	return n.nodeID() == "" && n.host.SwarmDir.Presence == state.Unknown
}

// matchBy takes the only entry that nobody has of those that fit.
func (n *node) matchBy(how string, list []*state.SwarmNode, taken map[string]bool) {
	var fit []*state.SwarmNode
	for _, m := range list {
		if !taken[m.ID] {
			fit = append(fit, m)
		}
	}
	switch len(fit) {
	case 0:
	case 1:
		n.member, n.matched = fit[0], how
		taken[fit[0].ID] = true
	default:
		sort.Slice(fit, func(i, j int) bool { return fit[i].ID < fit[j].ID })
		n.rivals = fit
	}
}

// sameAddress compares with the address of an entry.
func sameAddress(address string, m *state.SwarmNode) bool {
	other := placeOf(m)
	a, b := net.ParseIP(address), net.ParseIP(other)
	if a != nil && b != nil {
		return a.Equal(b)
	}
	return address != "" && address == other
}

// findDoubts marks the nodes on which nothing may be planned.
func (w *world) findDoubts() {
	machines, ids := w.twins((*node).machineID), w.twins((*node).nodeID)
	for _, n := range w.nodes {
		machine, clone := machines.of(n, n.machineID()), ids.of(n, n.nodeID())
		switch {
		case n.host.Looked != state.Present && len(n.rivals) == 0:
		case machine != nil:
			n.doubt = twinDoubt(n, machine)
		case clone != nil:
			n.doubt = cloneDoubt(n, clone)
		case w.id.id != "" && foreignID(n, w.id.id) != "":
			n.doubt = &Unmet{Code: diag.WrongCluster, Goal: "reach the node " + n.cfg.Name, Node: n.cfg.Name,
				Reason: fmt.Sprintf("%s (%s) belongs to the swarm %s, not to %s. Nothing is planned on it.", n.cfg.Name, n.cfg.Address, foreignID(n, w.id.id), w.id.id),
				Remedy: remedy(diag.WrongCluster)}
		case n.elsewhere != nil:
			n.doubt = elsewhereDoubt(n)
		case w.ambiguous(n):
			n.doubt = &Unmet{Code: diag.AmbiguousNode, Goal: "know which entry of the swarm " + n.cfg.Name + " is", Node: n.cfg.Name,
				Reason: fmt.Sprintf("Its host can't be asked, and several entries fit %s: %s.", n.cfg.Name, candidates(n.rivals)),
				Remedy: remedy(diag.AmbiguousNode)}
		}
	}
}

// twins are the declared nodes whose hosts were read, by what only one may have.
type twins map[string][]*node

func (w *world) twins(key func(*node) string) twins {
	by := twins{}
	for _, n := range w.nodes {
		if k := key(n); n.host.Looked == state.Present && k != "" {
			by[k] = append(by[k], n)
		}
	}
	return by
}

// of finds another node that has the same, nil where there is none.
func (t twins) of(n *node, key string) *node {
	if n.host.Looked != state.Present || key == "" {
		return nil
	}
	for _, o := range t[key] {
		if o != n {
			return o
		}
	}
	return nil
}

func (n *node) machineID() string { return n.host.MachineID }

func twinDoubt(n, o *node) *Unmet {
	return &Unmet{Code: diag.OneMachineTwice, Goal: "reach the node " + n.cfg.Name, Node: n.cfg.Name,
		Reason: fmt.Sprintf("%s (%s) and %s (%s) lead to one machine, %s. Nothing is planned on either.",
			n.cfg.Name, n.host.Target, o.cfg.Name, o.host.Target, n.host.MachineID),
		Remedy: remedy(diag.OneMachineTwice)}
}

func cloneDoubt(n, o *node) *Unmet {
	return &Unmet{Code: diag.NodeIDTwice, Goal: "reach the node " + n.cfg.Name, Node: n.cfg.Name,
		Reason: fmt.Sprintf("%s and %s are two machines that hold one node ID, %s. Nothing is planned on either.", n.cfg.Name, o.cfg.Name, n.nodeID()),
		Remedy: remedy(diag.NodeIDTwice)}
}

// foreignID is the ID of the other swarm that a host belongs to, "" if none.
func foreignID(n *node, id string) string {
	if n.host.Looked != state.Present {
		return ""
	}
	for _, seen := range []string{n.host.Engine.ClusterID, n.host.SwarmDir.ClusterID} {
		if seen != "" && seen != id {
			return seen
		}
	}
	return ""
}

// ambiguous tells whether it matters that a node can't be told apart: stale
// entries of workers are common and nothing rests on them.
func (w *world) ambiguous(n *node) bool {
	if n.manager() && len(n.rivals) > 0 {
		return true
	}
	for _, r := range n.rivals {
		if isVoter(r) {
			return true
		}
	}
	return false
}

func candidates(list []*state.SwarmNode) string {
	var words []string
	for _, m := range list {
		words = append(words, fmt.Sprintf("%s (%s %s, %s, %s)", m.ID, m.Role, m.Hostname, or(m.ManagerAddr, m.Addr), m.Status))
	}
	return listing(words)
}
