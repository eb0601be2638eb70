package plan

import (
	"net"

	"github.com/requeen/requeen/internal/state"
)

// index finds nodes and entries without going through all of them: a swarm may have
// ten thousand. It is made once declared nodes and entries are matched.
type index struct {
	names     map[string]*node              // declared nodes by their name
	owners    map[string]*node              // declared nodes by the ID of their entry
	entries   map[string]*state.SwarmNode   // by their ID
	hostnames map[string]int                // how many entries have a hostname
	unmatched map[string][]*state.SwarmNode // entries of no declared node, by hostname
	moving    map[string][]*state.SwarmNode // the same by the node that MovesLabel names
	byPlace   map[string][]*state.SwarmNode // the same by address
	places    map[string]bool               // addresses of declared nodes that may have one of these
	rivals    map[string]bool               // IDs of entries that may be a node's that can't be told apart
}

// indexed fills the world's index.
func (w *world) indexed() {
	x := index{names: map[string]*node{}, owners: map[string]*node{}, entries: map[string]*state.SwarmNode{}, hostnames: map[string]int{},
		unmatched: map[string][]*state.SwarmNode{}, moving: map[string][]*state.SwarmNode{}, byPlace: map[string][]*state.SwarmNode{}, places: map[string]bool{}, rivals: map[string]bool{}}
	for _, n := range w.nodes {
		if x.names[n.cfg.Name] == nil {
			x.names[n.cfg.Name] = n
		}
		if n.member != nil && x.owners[n.member.ID] == nil {
			x.owners[n.member.ID] = n
		}
		if n.member == nil || n.doubt != nil {
			x.places[canonical(n.cfg.Address)] = true
		}
		for _, r := range n.rivals {
			x.rivals[r.ID] = true
		}
	}
	if w.st.Swarm != nil {
		for i := range w.st.Swarm.Nodes {
			m := &w.st.Swarm.Nodes[i]
			x.entries[m.ID] = m
			x.hostnames[m.Hostname]++
			if x.owners[m.ID] != nil {
				continue
			}
			x.unmatched[m.Hostname] = append(x.unmatched[m.Hostname], m)
			place := canonical(placeOf(m))
			x.byPlace[place] = append(x.byPlace[place], m)
			if name := m.Labels[state.MovesLabel]; name != "" {
				x.moving[name] = append(x.moving[name], m)
			}
		}
	}
	w.at = x
}

// canonical is an address in the one form in which it is compared.
func canonical(address string) string {
	if ip := net.ParseIP(address); ip != nil {
		return ip.String()
	}
	return address
}

// placeOf is the address of an entry: the one that a manager advertises, else the one
// that the dispatcher sees, which for the leader itself says nothing.
func placeOf(m *state.SwarmNode) string {
	if m.ManagerAddr == "" {
		return m.Addr
	}
	return hostOf(m.ManagerAddr)
}
