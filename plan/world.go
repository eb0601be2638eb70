package plan

import (
	"sort"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// world is the configuration and the observation joined: what the rest of the
// package decides from. It is made once and then only read, but for the voters and
// nodes that the planner marks as brought back by its own steps.
type world struct {
	cfg    *schema.Config
	st     *state.State
	id     identity
	nodes  []*node  // declared, sorted by name
	voters []*voter // sorted by ID; of Swarm where there is one, else of the declared managers
	cond   Condition
	at     index
}

// node is a declared node with what was found of it.
type node struct {
	cfg     schema.Node
	host    state.Host
	member  *state.SwarmNode   // its entry in the swarm's list
	matched string             // how member was found
	rivals  []*state.SwarmNode // several entries fit, so member is nil
	doubt   *Unmet             // why nothing may be planned on it
	// elsewhere is the recovery of another cluster that holds the host.
	elsewhere *state.HostRecovery
	state     NodeState
	// back is set once the plan's own steps let it take part in the swarm again.
	back bool
}

// join makes a world. cfg and st stay untouched.
func join(cfg *schema.Config, st *state.State) *world {
	w := &world{cfg: cfg, st: st}
	hosts := map[string]*state.Host{}
	for i := range st.Hosts {
		if h := &st.Hosts[i]; hosts[h.Name] == nil {
			hosts[h.Name] = h
		}
	}
	for _, n := range cfg.Nodes {
		host := state.Host{Name: n.Name, Address: n.Address}
		if h := hosts[n.Name]; h != nil {
			host = *h
		}
		own := &node{cfg: n, host: host}
		own.ownRecoveries(cfg.Cluster.Name)
		w.nodes = append(w.nodes, own)
	}
	sort.SliceStable(w.nodes, func(i, j int) bool { return w.nodes[i].cfg.Name < w.nodes[j].cfg.Name })
	w.id = identify(cfg, st)
	w.match()
	w.findDoubts()
	w.indexed()
	for _, n := range w.nodes {
		n.state = w.nodeState(n)
	}
	w.voters = w.findVoters()
	w.cond = w.condition()
	return w
}

// nodeID is the swarm's ID of the node as its host tells it: its engine, else
// its disk. It is empty where neither was read.
func (n *node) nodeID() string {
	if n.host.Looked != state.Present {
		return ""
	}
	return or(n.host.Engine.NodeID, n.host.SwarmDir.NodeID)
}

// clusterID is the swarm ID as the node's host tells it.
func (n *node) clusterID() string {
	if n.host.Looked != state.Present {
		return ""
	}
	return or(n.host.Engine.ClusterID, n.host.SwarmDir.ClusterID)
}

func (n *node) manager() bool { return n.cfg.Role == schema.RoleManager }

func (w *world) node(name string) *node {
	if w.at.names != nil {
		return w.at.names[name]
	}
	for _, n := range w.nodes {
		if n.cfg.Name == name {
			return n
		}
	}
	return nil
}

// managers are the declared ones.
func (w *world) managers() []*node {
	var list []*node
	for _, n := range w.nodes {
		if n.manager() {
			list = append(list, n)
		}
	}
	return list
}

// autolocked tells whether a node needs the unlock key after a start.
func (w *world) autolocked(n *node) bool {
	return w.st.Swarm != nil && w.st.Swarm.Autolock || n.host.SwarmDir.Locked
}

// keyKnown tells whether the unlock key can be had.
func (w *world) keyKnown() bool {
	return w.st.Swarm != nil && w.st.Swarm.UnlockKeyKnown || w.cfg.Cluster.UnlockKey.Known()
}

// usable tells whether a manager of this cluster answers with a leader and a
// history that is not in doubt: only then is a manager stopped.
func (w *world) usable() bool {
	if w.st.Swarm == nil || w.id.problem != nil || w.id.id == "" || w.st.Swarm.ID != w.id.id {
		return false
	}
	switch w.cond.Name {
	case Healthy, Degraded:
		return true
	case Foreign: // a host is; the swarm that answers is the right one
		forked, _ := w.forked()
		return leaders(w.voters) == 1 && forked == ""
	}
	return false
}
