package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// community is a small world in which steps on the shape run: machines, the swarm's
// list of nodes, and who votes in it. It keeps its own account of the quorum.
type community struct {
	cfg      *schema.Config
	machines map[string]*machine // by the node's name
	nodes    map[string]*state.SwarmNode
	voters   []string // node IDs
	leader   string
	settings state.SwarmSettings
	autolock bool
	now      time.Time
	news     int
	forced   map[string]int // how often a service was updated with force
	keys     int            // unlock keys that were delivered
	broken   []string       // what a step did that an engine refuses, or that may never happen
}

// machine is one host: what its engine has of a swarm.
type machine struct {
	off     bool   // nothing answers there, and its engine takes part in nothing
	stopped bool   // its engine is down, and its host answers
	id      string // node ID, "" where it is in no swarm
	address string // that it advertises
}

func newCommunity(cfg *schema.Config) *community {
	return &community{cfg: cfg, machines: map[string]*machine{}, nodes: map[string]*state.SwarmNode{}, now: observedAt, forced: map[string]int{},
		settings: state.SwarmSettings{TaskHistoryLimit: 5, CertExpiry: 2160 * time.Hour, SnapshotInterval: 10000, LogEntriesForSlowFollowers: 500,
			HeartbeatTick: 1, ElectionTick: 10, DispatcherHeartbeat: 5 * time.Second}}
}

func (c *community) copy() *community {
	d := *c
	d.machines, d.nodes, d.forced = map[string]*machine{}, map[string]*state.SwarmNode{}, maps.Clone(c.forced)
	for name, m := range c.machines {
		one := *m
		d.machines[name] = &one
	}
	for id, n := range c.nodes {
		one := *n
		one.Labels = maps.Clone(n.Labels)
		d.nodes[id] = &one
	}
	d.voters, d.broken = slices.Clone(c.voters), slices.Clone(c.broken)
	return &d
}

func (c *community) complain(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

// add puts a machine into the swarm; the first manager leads.
func (c *community) add(name, address, role string) {
	id := idOf(name)
	c.machines[name] = &machine{id: id, address: address}
	c.enter(id, name, address, role)
}

// empty puts a machine beside the swarm.
func (c *community) empty(name string) { c.machines[name] = &machine{} }

func (c *community) enter(id, name, address, role string) {
	c.nodes[id] = &state.SwarmNode{ID: id, Hostname: name, Role: role, Availability: "active", Addr: address, EngineVersion: "28.5.2", ChangedAt: c.now}
	if role == schema.RoleManager {
		c.voters = append(c.voters, id)
		if c.leader == "" {
			c.leader = id
		}
	}
}

// runs tells whether a node's machine takes part in the swarm.
func (c *community) runs(id string) bool {
	n := c.nodes[id]
	if n == nil {
		return false
	}
	m := c.machines[n.Hostname]
	return m != nil && !m.off && !m.stopped && m.id == id
}

func (c *community) up() int {
	count := 0
	for _, id := range c.voters {
		if c.runs(id) {
			count++
		}
	}
	return count
}

func (c *community) votes(id string) bool { return slices.Contains(c.voters, id) }

// observe is what a look at the world gives.
func (c *community) observe() *state.State {
	st := &state.State{ObservedAt: c.now, Cluster: "prod", Repositories: []state.Repository{}}
	for _, n := range c.cfg.Nodes {
		st.Hosts = append(st.Hosts, c.host(n))
	}
	s := &state.Swarm{ID: swarmID, CreatedAt: observedAt.Add(-1000 * time.Hour), SeenFrom: "m1", Autolock: c.autolock, UnlockKeyKnown: c.autolock, VersionIndex: 960}
	settings := c.settings
	s.Settings = &settings
	for _, id := range slices.Sorted(maps.Keys(c.nodes)) {
		n := *c.nodes[id]
		n.Labels = maps.Clone(n.Labels)
		n.Status = "down"
		if c.runs(id) {
			n.Status = "ready"
		}
		if c.votes(id) {
			n.ManagerAddr, n.Reachability, n.Leader = n.Addr+":2377", "unreachable", id == c.leader
			if c.runs(id) {
				n.Reachability = "reachable"
			}
		}
		s.Nodes = append(s.Nodes, n)
	}
	st.Swarm = s
	if c.up() < len(c.voters)/2+1 {
		st.Swarm, st.SwarmProblem = nil, &state.Problem{Text: "no manager answers"}
	}
	return st
}

// host is what one declared node's machine tells.
func (c *community) host(n schema.Node) state.Host {
	m := c.machines[n.Name]
	if m == nil || m.off {
		return state.Host{Name: n.Name, Address: n.Address, Target: "root@" + n.Address, Looked: state.Absent, Problem: &state.Problem{Code: "RQ301", Text: "no route to host"}}
	}
	h := host(n.Name, n.Address, "worker")
	if m.id == "" {
		h.Engine.LocalNodeState, h.Engine.NodeID, h.Engine.NodeAddr = "inactive", "", ""
		h.SwarmDir = state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
		return h
	}
	if c.votes(m.id) {
		h = host(n.Name, n.Address, "manager")
	}
	h.Engine.NodeID, h.Engine.NodeAddr, h.SwarmDir.NodeID = m.id, m.address, m.id
	if m.stopped {
		h.Service.ActiveState, h.Engine = "inactive", state.Engine{Answered: state.Absent, Problem: &state.Problem{Code: "RQ305", Text: "docker.service is inactive"}}
	}
	return h
}

// plan builds from a look.
func (c *community) plan(t fataler) *plan.Plan {
	t.Helper()
	p, err := plan.Build(plan.Input{Config: c.cfg, State: c.observe(), Now: c.now, ToolVersion: "test"})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// step does what a step does on real engines, and complains where they would refuse.
func (c *community) step(s plan.Step) {
	c.now = c.now.Add(5 * time.Second)
	if c.up() < len(c.voters)/2+1 {
		c.complain("step %s asks a swarm that has no quorum", s.Kind)
		return
	}
	entry := c.nodes[s.Entry]
	if s.Entry != "" && entry == nil {
		c.complain("step %s is on an entry that is not there", s.Kind)
		return
	}
	switch s.Kind {
	case plan.Start:
		if m := c.machines[s.Node]; m == nil || !m.stopped || m.id != s.NodeID {
			c.complain("a node is started that is not stopped, or is another one")
		} else {
			m.stopped = false
		}
	case plan.Join:
		c.join(s)
	case plan.Promote:
		c.promote(s, entry)
	case plan.Demote:
		c.demote(s, entry)
	case plan.Leave:
		c.leave(s, entry)
	case plan.RemoveNode:
		if c.votes(s.Entry) || entry.Role == schema.RoleManager {
			c.complain("a manager's entry is removed")
		}
		delete(c.nodes, s.Entry)
	case plan.UpdateNode:
		c.update(s)
	case plan.UpdateSwarm:
		c.spec(s)
	case plan.Rebalance:
		c.forced[s.Service]++
	default:
		c.complain("a step of kind %s", s.Kind)
	}
	if c.up() < len(c.voters)/2+1 {
		c.complain("%s loses the quorum", s.Kind)
	}
}

func (c *community) join(s plan.Step) {
	m := c.machines[s.Node]
	if m == nil || m.off || m.id != "" {
		c.complain("a host joins that can't")
		return
	}
	declared := c.cfg.Node(s.Node)
	if declared.Role != s.Join.Role || s.Join.Keep {
		c.complain("a host joins as a %s", s.Join.Role)
	}
	c.news++
	m.id, m.address = fmt.Sprintf("zew%d%s000000000000", c.news, s.Node), declared.Address
	c.enter(m.id, s.Node, m.address, s.Join.Role)
}

func (c *community) promote(s plan.Step, n *state.SwarmNode) {
	if c.votes(n.ID) || !c.runs(n.ID) {
		c.complain("a node is promoted that is a manager, or down")
		return
	}
	n.Role = schema.RoleManager
	c.voters = append(c.voters, n.ID)
}

func (c *community) demote(s plan.Step, n *state.SwarmNode) {
	if !c.votes(n.ID) {
		c.complain("a worker is demoted")
	}
	n.Role, n.ChangedAt = schema.RoleWorker, c.now
	c.voters = slices.DeleteFunc(c.voters, func(id string) bool { return id == n.ID })
	if c.leader != n.ID {
		return
	}
	c.leader = ""
	for _, id := range c.voters {
		if c.runs(id) {
			c.leader = id
			break
		}
	}
}

func (c *community) leave(s plan.Step, n *state.SwarmNode) {
	m := c.machines[s.Node]
	if c.votes(n.ID) || m == nil || m.off || m.id != n.ID || s.NodeID != n.ID {
		c.complain("a node leaves that is a manager, can't be reached, or is another one")
		return
	}
	m.id, m.address, n.ChangedAt = "", "", c.now
}

func (c *community) update(s plan.Step) {
	id := s.Entry
	if id == "" {
		id = c.machines[s.Node].id
	}
	n := c.nodes[id]
	if n == nil || s.Change == nil {
		c.complain("an update of nothing")
		return
	}
	if s.Change.Availability != "" {
		n.Availability = s.Change.Availability
	}
	if s.Change.Labels != nil {
		n.Labels = maps.Clone(s.Change.Labels)
	}
	n.ChangedAt = c.now
}

func (c *community) spec(s plan.Step) {
	if on := s.Settings.Autolock; on != nil {
		c.autolock = *on
		if s.KeyTo != nil {
			c.keys++
		}
	}
	set(&c.settings.TaskHistoryLimit, s.Settings.TaskHistoryLimit)
	set(&c.settings.CertExpiry, s.Settings.CertExpiry)
	set(&c.settings.ElectionTick, s.Settings.ElectionTick)
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// settle plans and runs until nothing is left to do, and gives the last plan.
func (c *community) settle(t fataler) *plan.Plan {
	t.Helper()
	for range 4 {
		p := c.plan(t)
		if len(p.Steps) == 0 {
			return p
		}
		for _, s := range p.Steps {
			c.step(s)
		}
		c.now = c.now.Add(time.Minute)
	}
	c.complain("there is always more to do")
	return c.plan(t)
}

// end tells how the world is: who is in the swarm, as what, with which labels, and
// which entries are left.
func (c *community) end() string {
	var words []string
	for _, n := range c.nodes {
		word := n.Hostname + " " + n.Role + " " + n.Availability
		if c.votes(n.ID) {
			word += " votes"
		}
		if c.runs(n.ID) {
			word += " at " + c.machines[n.Hostname].address
		} else {
			word += " down"
		}
		for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
			word += " " + k + "=" + n.Labels[k]
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}
