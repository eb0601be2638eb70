package plan_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// disaster is a small world in which plans run: what is on every disk, which
// engines run, and every swarm that was ever made, one for each epoch. A swarm
// answers where a majority of its members runs.
type disaster struct {
	cfg    *schema.Config
	st     state.State // hosts and repositories as they are, looked at or not
	disks  []disk      // as st.Hosts are ordered
	swarms []lineage   // oldest first; the first is of the epoch ""
	listed map[string][]state.SwarmNode
	now    time.Time
	ask    string   // -restore of the next plan
	noLock bool     // -lock=false of every plan
	broken []string // what a step did that a real host would refuse, or that destroys
	news   int
}

// disk is what a host's hardware and swarm directory are, looked at or not.
type disk struct {
	off    bool // it can't be reached, and nothing runs there
	hidden bool // it runs, and nobody looks at it
	up     bool // the engine runs
	sealed bool // it waits for the key
	forgot bool // the engine, as it runs now, has forgotten its swarm
	log    content
	aside  []content // what lies beside the swarm directory
}

// content is how far a copy of the state reaches, wherever it lies.
type content struct {
	epoch string
	index uint64
}

// lineage is one swarm: who votes in it, and whom it lists.
type lineage struct {
	epoch   string
	parent  string            // the epoch that it was opened after
	members []string          // node IDs
	nodes   []state.SwarmNode // sorted by ID
	term    uint64
	leads   string // the node ID that leads where it runs, else the first
}

// where the logs of the first epoch end: of most, and of one that is behind.
const (
	logEnds   = 960
	logBehind = 955
)

// copy is the same world, to be gone on with elsewhere.
func (d *disaster) copy() *disaster {
	c := *d
	c.st.Hosts = slices.Clone(d.st.Hosts)
	for i := range c.st.Hosts {
		h := &c.st.Hosts[i]
		h.Recoveries, h.Runs = slices.Clone(h.Recoveries), slices.Clone(h.Runs)
	}
	c.st.Repositories = slices.Clone(d.st.Repositories) // lists of backups are only ever replaced
	c.disks = slices.Clone(d.disks)
	c.swarms = slices.Clone(d.swarms)
	for i := range c.swarms {
		l := &c.swarms[i]
		l.members, l.nodes = slices.Clone(l.members), slices.Clone(l.nodes)
	}
	c.broken = nil
	return &c
}

func (d *disaster) complain(format string, args ...any) {
	d.broken = append(d.broken, fmt.Sprintf(format, args...))
}

func (d *disaster) at(name string) int {
	for i := range d.st.Hosts {
		if d.st.Hosts[i].Name == name {
			return i
		}
	}
	return -1
}

func (d *disaster) disk(name string) *disk { return &d.disks[d.at(name)] }

func (d *disaster) swarm(epoch string) *lineage {
	for i := range d.swarms {
		if d.swarms[i].epoch == epoch {
			return &d.swarms[i]
		}
	}
	return nil
}

func (l *lineage) node(id string) *state.SwarmNode {
	for i := range l.nodes {
		if l.nodes[i].ID == id {
			return &l.nodes[i]
		}
	}
	return nil
}

func (l *lineage) list(n state.SwarmNode) {
	l.nodes = slices.DeleteFunc(l.nodes, func(o state.SwarmNode) bool { return o.ID == n.ID })
	l.nodes = append(l.nodes, n)
	sort.Slice(l.nodes, func(i, j int) bool { return l.nodes[i].ID < l.nodes[j].ID })
}

// takesPart tells whether a host runs as a member of the swarm of its log.
func (d *disaster) takesPart(i int) bool {
	h, k := &d.st.Hosts[i], &d.disks[i]
	if k.off || !k.up || k.sealed || k.forgot || !h.SwarmDir.Complete() || !h.SwarmDir.HasStateFile {
		return false
	}
	return slices.Contains(d.swarm(k.log.epoch).members, h.SwarmDir.NodeID)
}

// running are the members of an epoch's swarm that take part in it, by place.
func (d *disaster) running(epoch string) []int {
	var list []int
	for i := range d.disks {
		if d.disks[i].log.epoch == epoch && d.takesPart(i) {
			list = append(list, i)
		}
	}
	return list
}

// live are the epochs whose swarm has a quorum.
func (d *disaster) live() []string {
	var list []string
	for i := range d.swarms {
		l := &d.swarms[i]
		if up := len(d.running(l.epoch)); up > 0 && up >= len(l.members)/2+1 {
			list = append(list, l.epoch)
		}
	}
	return list
}

// works tells whether a worker is a node of the swarm that answers: it knows the
// addresses of the managers that there were, and one of them answers.
func (d *disaster) works(i int, l *lineage) bool {
	h, k := &d.st.Hosts[i], &d.disks[i]
	n := l.node(h.SwarmDir.NodeID)
	return !k.off && k.up && h.SwarmDir.HasStateFile && n != nil && n.Role == schema.RoleWorker
}

// observe is what a look at the world gives, long after it began.
func (d *disaster) observe() *state.State {
	st := d.st
	st.Hosts = slices.Clone(d.st.Hosts)
	st.ObservedAt, st.FirstLookedAt = d.now, d.now.Add(-10*time.Minute)
	var led *lineage
	if live := d.live(); len(live) > 0 {
		led = d.swarm(live[0])
		st.Swarm = d.account(led)
	} else {
		st.SwarmProblem = &state.Problem{Text: "no manager answers"}
	}
	for i := range st.Hosts {
		d.look(&st.Hosts[i], i, led)
	}
	return &st
}

// look fills what a host tells; led is the swarm that answers, nil where none does.
func (d *disaster) look(h *state.Host, i int, led *lineage) {
	k := &d.disks[i]
	switch {
	case k.off:
		*h = state.Host{Name: h.Name, Address: h.Address, Target: h.Target, Looked: state.Absent, Problem: &state.Problem{Code: "RQ301", Text: "no route to host"}}
		return
	case k.hidden:
		*h = state.Host{Name: h.Name, Address: h.Address, Target: "none"}
		return
	}
	h.Engine = state.Engine{Answered: state.Absent, Problem: &state.Problem{Code: "RQ305", Text: "the socket refused the connection"}}
	h.Service.ActiveState, h.Service.Holds = "inactive", nil
	for _, r := range h.Recoveries {
		if r.Held {
			h.Service.Holds = append(h.Service.Holds, "/var/lib/requeen/recoveries/"+r.ID+"/hold")
		}
	}
	if !k.up {
		h.Service.ExitedAt = d.now.Add(-10 * time.Minute)
	} else {
		h.Service.ActiveState = "active"
		h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
		if h.SwarmDir.Role == schema.RoleWorker {
			d.lookWorker(h, i, led)
		} else {
			d.lookManager(h, i, led)
		}
	}
	if h.SwarmDir.HasRaft && led == nil {
		if h.SwarmDir.Raft = d.report(i); len(h.SwarmDir.Raft.Members) == 1 {
			h.SwarmDir.Store = d.content(i)
		}
	}
}

func (d *disaster) lookManager(h *state.Host, i int, led *lineage) {
	k := &d.disks[i]
	switch {
	case k.sealed:
		h.Engine.LocalNodeState = "locked"
	case d.takesPart(i):
		h.Engine.LocalNodeState, h.Engine.ControlAvailable, h.Engine.NodeID, h.Engine.ClusterID = "active", true, h.SwarmDir.NodeID, swarmID
		if led == nil || led.epoch != k.log.epoch {
			h.Engine.SwarmError = "rpc error: code = Unknown desc = The swarm does not have a leader."
		}
	case !k.forgot && h.SwarmDir.HasStateFile:
		h.Engine.LocalNodeState = "pending"
	}
}

// lookWorker fills what a worker's engine says: one that the swarm does not know is
// refused, and says that it is active all the same.
func (d *disaster) lookWorker(h *state.Host, i int, led *lineage) {
	if !h.SwarmDir.HasStateFile {
		return
	}
	h.Engine.LocalNodeState, h.Engine.NodeID, h.Engine.NodeAddr = "active", h.SwarmDir.NodeID, h.Address
	if led == nil || !d.works(i, led) {
		h.Engine.SwarmError = "rpc error: code = Unavailable desc = no manager answers"
	}
}

// report is what a survey of the host's log tells; a sealed one only what is in
// clear where the key is not configured.
func (d *disaster) report(i int) *state.RaftReport {
	h, k := &d.st.Hosts[i], &d.disks[i]
	l := d.swarm(k.log.epoch)
	r := &state.RaftReport{Term: l.term, Index: k.log.index, Commit: k.log.index, RaftID: "f" + h.SwarmDir.NodeID, NodeID: h.SwarmDir.NodeID,
		Role: "manager", VotedTerm: l.term, ClusterID: swarmID}
	if h.SwarmDir.Locked && !d.cfg.Cluster.UnlockKey.Set() {
		r.Autolock = true
		return r
	}
	r.Epoch, r.ParentEpoch = l.epoch, l.parent
	for _, id := range l.members {
		m := state.Member{RaftID: "f" + id, NodeID: id}
		if n := l.node(id); n != nil {
			m.Addr = n.Addr + ":2377"
		}
		r.Members, r.EverSeen = append(r.Members, m), append(r.EverSeen, "f"+id)
	}
	for _, n := range l.nodes {
		if n.Role == schema.RoleManager {
			r.ManagerNodes = append(r.ManagerNodes, n.ID)
		}
	}
	return r
}

// content is what a log that is open says of the nodes.
func (d *disaster) content(i int) *state.Store {
	s := &state.Store{Nodes: map[string]state.StoreNode{}}
	for _, n := range d.swarm(d.disks[i].log.epoch).nodes {
		s.Nodes[n.ID] = state.StoreNode{Hostname: n.Hostname, Addr: n.Addr}
	}
	return s
}

// account is what a swarm that answers tells of itself.
func (d *disaster) account(l *lineage) *state.Swarm {
	up := d.running(l.epoch)
	leads := l.leader(d, up)
	s := &state.Swarm{ID: swarmID, CreatedAt: observedAt.Add(-1000 * time.Hour), Epoch: l.epoch,
		ParentEpoch: l.parent, SeenFrom: d.st.Hosts[up[0]].Name, VersionIndex: logEnds,
		Nodes: slices.Clone(l.nodes)}
	for _, i := range up {
		s.Autolock = s.Autolock || d.st.Hosts[i].SwarmDir.Locked
	}
	s.UnlockKeyKnown = s.Autolock
	for j := range s.Nodes {
		n := &s.Nodes[j]
		n.Leader, n.Reachability, n.ManagerAddr, n.Status = false, "", "", "down"
		if slices.Contains(l.members, n.ID) {
			n.Reachability, n.ManagerAddr = "unreachable", n.Addr+":2377"
		}
		for i := range d.disks {
			switch {
			case d.st.Hosts[i].SwarmDir.NodeID != n.ID:
			case slices.Contains(up, i):
				n.Reachability, n.Status, n.Leader = "reachable", "ready", n.ID == leads
			case n.Role == schema.RoleWorker && d.works(i, l):
				n.Status = "ready"
			}
		}
	}
	return s
}

// leader is the node ID that leads a swarm whose members run at those places.
func (l *lineage) leader(d *disaster, up []int) string {
	for _, i := range up {
		if d.st.Hosts[i].SwarmDir.NodeID == l.leads {
			return l.leads
		}
	}
	return d.st.Hosts[up[0]].SwarmDir.NodeID
}

// plan builds from a look.
func (d *disaster) plan(t fataler) *plan.Plan {
	t.Helper()
	st := d.observe()
	p, err := plan.Build(plan.Input{Config: d.cfg, State: st, Now: d.now, ToolVersion: "test", Restore: d.ask, NoLock: d.noLock})
	if err != nil {
		t.Fatalf("%v\n%s", err, must(json.MarshalIndent(st, "", " ")))
	}
	return p
}

// run does the first n steps of a plan, all where n is negative.
func (d *disaster) run(p *plan.Plan, n int) {
	facts := d.facts()
	for i, s := range p.Steps {
		if i == n {
			break
		}
		facts = d.do(p, s, facts)
	}
}

// settle plans and runs until nothing is left to do, and gives the last plan.
func (d *disaster) settle(t fataler) *plan.Plan {
	t.Helper()
	var log []string
	for range 6 {
		p := d.plan(t)
		if len(p.Steps) == 0 {
			return p
		}
		log = append(log, p.Summary)
		d.run(p, -1)
		d.now = d.now.Add(time.Minute)
	}
	d.complain("there is always more to do: %s", strings.Join(log, " | "))
	return d.plan(t)
}

// end tells how the world is once nothing is left to do: which managers are in the
// swarm that answers, and with which node IDs, which workers, and who is held.
func (d *disaster) end() string {
	live := d.live()
	if len(live) == 0 {
		return "no swarm"
	}
	l, text := d.swarm(live[0]), ""
	for i, h := range d.st.Hosts {
		id := h.SwarmDir.NodeID
		if strings.HasPrefix(id, "new") {
			id = "a new ID"
		}
		if d.disks[i].log.epoch == l.epoch && d.takesPart(i) || d.works(i, l) {
			text += h.Name + " as " + id + ", "
		}
	}
	text = strings.TrimSuffix(text, ", ")
	if l.epoch != "" {
		text += "; in a new epoch"
	}
	text += fmt.Sprintf("; %d nodes are listed, %d vote", len(l.nodes), len(l.members))
	for _, h := range d.st.Hosts {
		for _, r := range h.Recoveries {
			if r.Held {
				text += "; " + h.Name + " is held"
			}
		}
	}
	return text
}
