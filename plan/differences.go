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
// it: roles, availability, labels, addresses, settings, nodes in no swarm, entries
// that are to go. Each is a goal, with what it takes by hand; a plan has steps for
// those that a step can reach. What is not declared, and what could not be looked
// at, is no difference. The order is that of the node names, then the cluster's.
func Differences(cfg *schema.Config, st *state.State) []Unmet {
	return join(cfg, st).differences()
}

func (w *world) differences() []Unmet {
	if other := w.st.Cluster; !w.usable() || other != "" && other != w.cfg.Cluster.Name {
		return nil
	}
	var list []Unmet
	for _, n := range w.nodes {
		switch {
		case n.doubt != nil || len(n.rivals) > 0:
		case w.dead(n):
			list = append(list, w.deadDifference(n))
		default:
			list = append(list, w.nodeDifferences(n)...)
		}
	}
	list = append(list, w.clusterDifferences()...)
	for _, m := range w.undeclared() {
		list = append(list, w.toRemove(m))
	}
	return append(list, w.pruneInDoubt()...)
}

// nodeDifferences compares a declared node with its entry in the swarm's list.
func (w *world) nodeDifferences(n *node) []Unmet {
	m := n.member
	if m == nil {
		return w.notJoined(n)
	}
	var list []Unmet
	add := func(goal, reason, command string) {
		list = append(list, Unmet{Code: diag.NodeDiffers, Goal: goal, Node: n.cfg.Name, Reason: reason, Remedy: onManager(command)})
	}
	if reason := roleDifference(n); reason != "" {
		command := "docker node promote " + w.entry(m)
		if n.cfg.Role == schema.RoleWorker {
			command = "docker node demote " + w.entry(m)
		}
		add(goalRole(n), reason, command)
	}
	if want := n.cfg.Availability; want != "" && m.Availability != want {
		add(goalAvailability(n), fmt.Sprintf("%s has the availability %s in the swarm and is declared %s.", n.cfg.Name, m.Availability, want),
			"docker node update --availability "+want+" "+w.entry(m))
	}
	if want, have := w.labels(n); want != nil {
		if text, flags := labelDifferences(want, have); text != "" {
			add(goalLabels(n), fmt.Sprintf("%s: %s.", n.cfg.Name, text), "docker node update "+flags+" "+w.entry(m))
		}
	}
	list = append(list, w.addressDifferences(n)...)
	for _, old := range w.oldEntries(n) {
		add(goalRemoved(w, old), fmt.Sprintf("%s is in the swarm as node %s, and its entry from before, %s, is still listed.", n.cfg.Name, m.ID, old.ID),
			"docker node rm --force "+old.ID)
	}
	return list
}

// The goals of a node's differences, by which the plan knows them again.
func goalRole(n *node) string { return n.cfg.Name + " is a " + n.cfg.Role }
func goalAvailability(n *node) string {
	return n.cfg.Name + " has the availability " + n.cfg.Availability
}
func goalLabels(n *node) string  { return n.cfg.Name + " has the declared labels" }
func goalAddress(n *node) string { return n.cfg.Name + " advertises " + n.cfg.Address }

// labels are those that a node's entry is to have, nil where any will do, and those
// that it has. The mark of a node that is moving, or over which services are still to
// be spread, is no label of anybody's; where neither is to come it is in the way.
func (w *world) labels(n *node) (want, have map[string]string) {
	want, have = n.cfg.Labels, n.member.Labels
	moves, spreads := have[state.MovesLabel] != "", have[state.RebalanceLabel] != ""
	switch {
	case !moves && !spreads:
		return want, have
	case (!moves || n.manager() && n.otherAddress() != "") && (!spreads || w.spreads(n)):
		return want, unmarked(have)
	case want == nil:
		want = unmarked(have)
	}
	return want, have
}

func unmarked(labels map[string]string) map[string]string {
	rest := map[string]string{}
	for k, v := range labels {
		if k != state.MovesLabel && k != state.RebalanceLabel {
			rest[k] = v
		}
	}
	return rest
}

// roleDifference says how a node's role differs, "" if it does not. A promotion or a
// demotion that is under way, or was cut, has the declared role and not its effect
// yet.
func roleDifference(n *node) string {
	m, name := n.member, n.cfg.Name
	votes := m.Leader || m.Reachability != "" || m.ManagerAddr != ""
	switch {
	case m.Role != n.cfg.Role:
		return fmt.Sprintf("%s is a %s in the swarm and declared a %s.", name, m.Role, n.cfg.Role)
	case m.Role == schema.RoleWorker && votes:
		return name + " is to be a worker, and counts for the quorum still: its demotion has not come to its end."
	case m.Role == schema.RoleManager && !votes && m.Status == "ready":
		return name + " is to be a manager, and is none yet: its promotion has not come to its end."
	}
	return ""
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

// otherAddress is the address that a node advertises in the swarm where that is not
// the declared one, "" else. The one that the dispatcher sees is no proof: it is the
// connection's, whatever is between.
func (n *node) otherAddress() string {
	advertised := n.member.ManagerAddr
	if n.host.Looked == state.Present {
		if n.host.Engine.Answered == state.Present {
			advertised = or(advertised, n.host.Engine.NodeAddr)
		}
		advertised = or(advertised, n.host.SwarmDir.AdvertiseAddr)
	}
	have, want := net.ParseIP(hostOf(advertised)), net.ParseIP(n.cfg.Address)
	if have == nil || want == nil || have.IsUnspecified() || have.Equal(want) {
		return ""
	}
	return have.String()
}

// addressDifferences compares what an engine keeps for as long as it is in a swarm.
func (w *world) addressDifferences(n *node) []Unmet {
	d := n.host.SwarmDir
	var list []Unmet
	if have := n.otherAddress(); have != "" {
		list = append(list, Unmet{Code: diag.NodeDiffers, Goal: goalAddress(n), Node: n.cfg.Name,
			Reason: fmt.Sprintf("%s advertises %s in the swarm and is declared with %s. An engine keeps its address for as long as it is in the swarm.", n.cfg.Name, have, n.cfg.Address),
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
	return Unmet{Code: diag.NodeDiffers, Goal: goalFixed(n, attribute, want), Node: n.cfg.Name,
		Reason: fmt.Sprintf("cluster.%s is declared as %s; %s joined with %s, and keeps it for as long as it is in the swarm.", attribute, want, n.cfg.Name, have),
		Remedy: "Correct cluster." + attribute + ", or have the node leave and join again with it."}
}

func goalFixed(n *node, attribute, want string) string {
	return fmt.Sprintf("%s has the %s %s", n.cfg.Name, attribute, want)
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
	if m.Hostname == "" || w.at.hostnames[m.Hostname] != 1 {
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
