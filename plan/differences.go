package plan

import (
	"fmt"
	"net"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// defaultListen is where an engine listens that was told nothing.
const defaultListen = "0.0.0.0:2377"

// Differences are what the swarm has otherwise than the configuration declares
// it: roles, availability, labels, addresses, settings, nodes in no swarm. Each
// is a goal that no step reaches yet, with what to type. What is not declared,
// and what could not be looked at, is no difference. The order is that of the
// node names, then the cluster's.
func Differences(cfg *schema.Config, st *state.State) []Unmet {
	return join(cfg, st).differences()
}

func (w *world) differences() []Unmet {
	if other := w.st.Cluster; !w.usable() || other != "" && other != w.cfg.Cluster.Name {
		return nil
	}
	var list []Unmet
	for _, n := range w.nodes {
		if n.doubt == nil && len(n.rivals) == 0 {
			list = append(list, w.nodeDifferences(n)...)
		}
	}
	list = append(list, w.clusterDifferences()...)
	for _, m := range w.undeclared() {
		list = append(list, w.toRemove(m))
	}
	return list
}

// nodeDifferences compares a declared node with its entry in the swarm's list.
func (w *world) nodeDifferences(n *node) []Unmet {
	m := n.member
	if m == nil {
		return w.notJoined(n)
	}
	var list []Unmet
	add := func(goal, reason, command string) {
		list = append(list, Unmet{Code: diag.NodeDiffers, Goal: n.cfg.Name + " " + goal, Node: n.cfg.Name,
			Reason: reason + " No step changes it yet.", Remedy: onManager(command)})
	}
	if m.Role != n.cfg.Role {
		command := "docker node promote " + w.entry(m)
		if n.cfg.Role == schema.RoleWorker {
			command = "docker node demote " + w.entry(m)
		}
		add("is a "+n.cfg.Role, fmt.Sprintf("%s is a %s in the swarm and declared a %s.", n.cfg.Name, m.Role, n.cfg.Role), command)
	}
	if want := n.cfg.Availability; want != "" && m.Availability != want {
		add("has the availability "+want, fmt.Sprintf("%s has the availability %s in the swarm and is declared %s.", n.cfg.Name, m.Availability, want),
			"docker node update --availability "+want+" "+w.entry(m))
	}
	if n.cfg.Labels != nil {
		if text, flags := labelDifferences(n.cfg.Labels, m.Labels); text != "" {
			add("has the declared labels", fmt.Sprintf("%s: %s.", n.cfg.Name, text), "docker node update "+flags+" "+w.entry(m))
		}
	}
	return append(list, w.addressDifferences(n)...)
}

// labelDifferences says how labels differ, and the flags of docker node update
// that make them the wanted ones.
func labelDifferences(want, have map[string]string) (text, flags string) {
	var parts, args []string
	for _, k := range sortedKeys(want) {
		v, there := have[k]
		switch {
		case !there:
			parts = append(parts, fmt.Sprintf("the label %q is missing", k))
		case v != want[k]:
			parts = append(parts, fmt.Sprintf("the label %q is %q, declared %q", k, v, want[k]))
		default:
			continue
		}
		args = append(args, "--label-add "+quote(k+"="+want[k]))
	}
	for _, k := range sortedKeys(have) {
		if _, wanted := want[k]; !wanted {
			parts = append(parts, fmt.Sprintf("the label %q is not declared", k))
			args = append(args, "--label-rm "+quote(k))
		}
	}
	return listing(parts), strings.Join(args, " ")
}

// addressDifferences compares the address that a node advertises. The one that
// the dispatcher sees is no proof: it is the connection's, whatever is between.
func (w *world) addressDifferences(n *node) []Unmet {
	advertised := n.member.ManagerAddr
	d := n.host.SwarmDir
	if n.host.Looked == state.Present {
		if n.host.Engine.Answered == state.Present {
			advertised = or(advertised, n.host.Engine.NodeAddr)
		}
		advertised = or(advertised, d.AdvertiseAddr)
	}
	have, want := net.ParseIP(hostOf(advertised)), net.ParseIP(n.cfg.Address)
	var list []Unmet
	if have != nil && want != nil && !have.IsUnspecified() && !have.Equal(want) {
		list = append(list, Unmet{Code: diag.NodeDiffers, Goal: n.cfg.Name + " advertises " + n.cfg.Address, Node: n.cfg.Name,
			Reason: fmt.Sprintf("%s advertises %s in the swarm and is declared with %s. An engine keeps its address for as long as it is in the swarm.", n.cfg.Name, have, want),
			Remedy: "Correct address if it is the configuration that is wrong. Else have the node leave and join again with --advertise-addr; a manager is demoted before and promoted after, one at a time."})
	}
	if want := w.cfg.Cluster.ListenAddr; want != "" && (d.ListenAddr != "" || d.AdvertiseAddr != "") {
		if have := or(d.ListenAddr, defaultListen); !sameEndpoint(want, have) {
			list = append(list, w.fixed(n, "listen_addr", have, want))
		}
	}
	if want := w.cfg.Cluster.DataPathAddr; net.ParseIP(want) != nil && d.AdvertiseAddr != "" {
		if have := or(d.DataPathAddr, hostOf(d.AdvertiseAddr)); net.ParseIP(have) != nil && !net.ParseIP(have).Equal(net.ParseIP(want)) {
			list = append(list, w.fixed(n, "data_path_addr", have, want))
		}
	}
	return list
}

func (w *world) fixed(n *node, attribute, have, want string) Unmet {
	return Unmet{Code: diag.NodeDiffers, Goal: fmt.Sprintf("%s has the %s %s", n.cfg.Name, attribute, want), Node: n.cfg.Name,
		Reason: fmt.Sprintf("cluster.%s is declared as %s; %s joined with %s, and keeps it for as long as it is in the swarm.", attribute, want, n.cfg.Name, have),
		Remedy: "Correct cluster." + attribute + ", or have the node leave and join again with it."}
}

// sameEndpoint compares ADDRESS:PORT; an interface's name says nothing of the
// address that the engine found for it, so that the port alone is compared.
func sameEndpoint(declared, have string) bool {
	host, port, err := net.SplitHostPort(declared)
	haveHost, havePort, err2 := net.SplitHostPort(have)
	if err != nil || err2 != nil {
		return declared == have
	}
	a, b := net.ParseIP(host), net.ParseIP(haveHost)
	return port == havePort && (a == nil || b == nil || a.Equal(b))
}

// entry is how docker's command names a node: its hostname where that is
// unique, else its ID.
func (w *world) entry(m *state.SwarmNode) string {
	same := 0
	for _, o := range w.st.Swarm.Nodes {
		if o.Hostname == m.Hostname {
			same++
		}
	}
	if m.Hostname == "" || same != 1 {
		return m.ID
	}
	return quote(m.Hostname)
}

func onManager(command string) string { return "Type on a manager: " + command }

// hostOf is an address without its port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// quote makes one word of a shell's command line of a text.
func quote(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./=:,@+", r))
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
