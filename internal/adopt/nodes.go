package adopt

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// nodes declares every entry of the swarm's list, managers first, but for
// ghosts: entries that are down while another of the same hostname is ready.
func (m *maker) nodes() {
	list := slices.Clone(m.in.Swarm.Nodes)
	slices.SortFunc(list, func(a, b state.SwarmNode) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Hostname, b.Hostname), cmp.Compare(a.ID, b.ID))
	})
	list = slices.DeleteFunc(list, func(n state.SwarmNode) bool { return m.ghost(n, list) })
	names := nodeNames(list)
	for i, n := range list {
		m.node(names[i], n)
	}
	m.sameAddress()
	slices.SortFunc(m.out.Config.Nodes, func(a, b schema.Node) int { return cmp.Compare(a.Name, b.Name) })
}

// ghost tells whether an entry is what a node left behind that joined anew.
func (m *maker) ghost(n state.SwarmNode, all []state.SwarmNode) bool {
	if n.Status != "down" || n.Hostname == "" || m.seen(n) {
		return false
	}
	for _, o := range all {
		if o.ID != n.ID && o.Hostname == n.Hostname && o.Status == "ready" {
			m.warn("An entry of the swarm is left out", fmt.Sprintf("The %s is down, and %s is ready under the same hostname: it is what a node left behind that joined anew.", describe(n), o.ID),
				"Remove it if that is so: docker node rm --force "+n.ID)
			return true
		}
	}
	return false
}

func (m *maker) seen(n state.SwarmNode) bool {
	h, ok := m.in.Hosts[n.ID]
	return ok && h.Looked == state.Present
}

// nodeNames makes the nodes' names of their hostnames, in the order of list.
func nodeNames(list []state.SwarmNode) []string {
	count := map[string]int{}
	for _, n := range list {
		count[nameOf(n)]++
	}
	taken := map[string]bool{}
	for name, n := range count {
		taken[name] = n == 1
	}
	names := make([]string, len(list))
	for i, n := range list {
		name := nameOf(n)
		for k := 1; count[nameOf(n)] > 1; k++ {
			if name = fmt.Sprintf("%s-%d", nameOf(n), k); !taken[name] {
				break
			}
		}
		taken[name], names[i] = true, name
	}
	return names
}

// nameOf is a node's hostname as far as it can be a name.
func nameOf(n state.SwarmNode) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, n.Hostname)
	name = strings.TrimLeft(name, "._-")
	if len(name) > 56 { // room for a number
		name = name[:56]
	}
	if name == "" {
		name = "node-" + n.ID[:min(len(n.ID), 8)]
	}
	if name == schema.FromFollower {
		name += "-node"
	}
	return name
}

func (m *maker) node(name string, n state.SwarmNode) {
	h := m.in.Hosts[n.ID]
	out := schema.Node{Name: name, Role: n.Role, Availability: n.Availability, Address: m.address(n, h)}
	out.Labels = map[string]string{} // none is declared too, so that a new one is a difference
	maps.Copy(out.Labels, n.Labels)
	m.out.IDs[name] = n.ID
	if out.Address == "" {
		m.fail(name, "The address of a node is not known", fmt.Sprintf("The swarm does not tell the address of the %s, and its host could not be asked.", describe(n)),
			"Bring the node back, or remove it (docker node rm), and run init again; or write its node block by hand.")
		return
	}
	out.Engine = m.engine(h)
	out.Connection = m.connection(name, n, h, out.Address)
	if n.Status != "ready" && n.Status != "" {
		m.comment("node "+name, "The swarm calls it "+n.Status+".")
	}
	m.out.Config.Nodes = append(m.out.Config.Nodes, out)
}

// address is the one that the node advertises: of a manager what the swarm
// says, else what its own engine says, else what the dispatcher sees.
func (m *maker) address(n state.SwarmNode, h state.Host) string {
	for _, a := range []string{n.ManagerAddr, h.SwarmDir.AdvertiseAddr, h.Engine.NodeAddr, n.Addr} {
		if a = usable(a); a != "" {
			return a
		}
	}
	return ""
}

// Where a host has them unless somebody moved them.
const (
	defaultService  = "docker.service"
	defaultDataRoot = "/var/lib/docker"
)

func (m *maker) engine(h state.Host) schema.Engine {
	e := schema.Engine{DownMax: schema.DefaultDownMax}
	if h.Service.Unit != defaultService {
		e.Service = h.Service.Unit
	}
	if root := h.Engine.DataRoot; root != defaultDataRoot {
		e.DataRoot = root
	}
	return e
}

// connection is how the node is reached. A worker that did not answer gets
// none: no step needs it, and every plan would wait for it.
func (m *maker) connection(name string, n state.SwarmNode, h state.Host, address string) schema.Connection {
	from := m.in.From
	c := schema.Connection{SSH: schema.Target{User: from.SSH.User, Host: address}, Become: from.Become}
	switch {
	case n.ID == m.in.FromID:
		return schema.Connection{SSH: from.SSH, Become: from.Become, Local: from.Local}
	case from.Local:
		c.SSH.User = "root"
	}
	if m.seen(n) || h.Looked == state.Unknown {
		return c
	}
	why := "its host did not answer"
	if h.Problem != nil {
		why = h.Problem.Text
	}
	if n.Role == schema.RoleManager {
		m.comment("node "+name, "Not reached: "+why)
		m.warn("A manager could not be reached", fmt.Sprintf("%s: %s. Its connection is a guess, and a plan calls it unreachable.", name, why),
			"Correct connection in its node block.")
		return c
	}
	m.comment("node "+name, "Not reached: "+why)
	m.warn("A worker could not be reached", fmt.Sprintf("%s: %s. It is declared without a connection; backups need none.", name, why),
		"Write connection { ssh = … } in its node block once it can be reached.")
	return schema.Connection{None: true}
}

// sameAddress refuses two entries with one address, which no configuration can
// hold.
func (m *maker) sameAddress() {
	first := map[string]string{}
	for _, n := range m.out.Config.Nodes {
		if other, taken := first[n.Address]; taken {
			m.fail(n.Name, "Two nodes have one address", fmt.Sprintf("The swarm tells the address %s of %s and of %s.", n.Address, other, n.Name),
				"Remove the entry that is gone (docker node ls shows which is down; docker node rm), and run init again.")
			continue
		}
		first[n.Address] = n.Name
	}
}
