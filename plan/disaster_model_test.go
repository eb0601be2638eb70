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

// disaster is a small world in which recoveries run: what is on every disk, which
// engines run, and every swarm that was ever made, one for each epoch. A swarm
// answers where a majority of its members runs.
type disaster struct {
	cfg    *schema.Config
	st     state.State
	disks  map[string]*disk
	swarms map[string]*lineage // by epoch
	now    time.Time
	ask    string   // -restore of the next plan
	noLock bool     // -lock=false of every plan
	broken []string // what a step did that a real host would refuse, or that destroys
	news   int
}

// disk is what a host's hardware and swarm directory are, looked at or not.
type disk struct {
	off    bool   // it can't be reached, and nothing runs there
	epoch  string // of its log, "" of the first
	up     bool   // the engine runs
	sealed bool   // it waits for the key
}

// lineage is one swarm: who votes in it, and whom it lists.
type lineage struct {
	members []string // node IDs
	nodes   map[string]state.SwarmNode
	term    uint64
}

// The states of a manager before the recovery.
var managerStates = []string{"active", "stopped", "locked", "empty", "unreachable", "orphaned", "forgot"}

// newDisaster makes a world of managers in those states. A manager that forgot its
// swarm lacks docker-state.json, an orphaned one has it.
func newDisaster(cfg *schema.Config, states []string, autolock bool) *disaster {
	st := observed(len(states))
	d := &disaster{cfg: cfg, st: *st, disks: map[string]*disk{}, swarms: map[string]*lineage{"": {nodes: map[string]state.SwarmNode{}, term: 7}}, now: observedAt}
	for i := range st.Swarm.Nodes {
		n := st.Swarm.Nodes[i]
		d.swarms[""].nodes[n.ID] = n
		if n.Role == "manager" {
			d.swarms[""].members = append(d.swarms[""].members, n.ID)
		}
	}
	d.st.Swarm = nil
	for i, what := range states {
		name := fmt.Sprintf("m%d", i+1)
		h, k := d.st.Host(name), &disk{}
		d.disks[name] = k
		h.SwarmDir.Locked = autolock
		switch what {
		case "active":
			k.up = true
		case "locked":
			k.up, k.sealed = true, true
		case "empty":
			k.up = true
			h.SwarmDir = state.SwarmDir{Presence: state.Absent, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
		case "unreachable":
			k.off = true
		case "orphaned":
			k.up = true
		case "forgot":
			k.up = true
			h.SwarmDir.HasStateFile = false
		}
		if what == "orphaned" {
			h.Engine.SwarmError = "forgot" // until it is restarted
		}
	}
	return d
}

// copy is the same world, to be cut elsewhere.
func (d *disaster) copy() *disaster {
	c := &disaster{cfg: d.cfg, st: copied(&d.st), disks: map[string]*disk{}, swarms: map[string]*lineage{}, now: d.now, broken: slices.Clone(d.broken), news: d.news}
	for name, k := range d.disks {
		one := *k
		c.disks[name] = &one
	}
	for e, l := range d.swarms {
		one := &lineage{members: slices.Clone(l.members), nodes: map[string]state.SwarmNode{}, term: l.term}
		for id, n := range l.nodes {
			one.nodes[id] = n
		}
		c.swarms[e] = one
	}
	return c
}

func (d *disaster) complain(format string, args ...any) {
	d.broken = append(d.broken, fmt.Sprintf(format, args...))
}

// takesPart tells whether a host runs as a member of the swarm of its log.
func (d *disaster) takesPart(name string) bool {
	h, k := d.st.Host(name), d.disks[name]
	return k != nil && !k.off && k.up && !k.sealed && h.SwarmDir.Complete() && h.SwarmDir.HasStateFile && h.Engine.SwarmError != "forgot" &&
		slices.Contains(d.swarms[k.epoch].members, h.SwarmDir.NodeID)
}

// running are the members of an epoch's swarm that take part in it.
func (d *disaster) running(epoch string) []string {
	var list []string
	for _, h := range d.st.Hosts {
		if k := d.disks[h.Name]; k != nil && k.epoch == epoch && d.takesPart(h.Name) {
			list = append(list, h.Name)
		}
	}
	return list
}

// live are the epochs whose swarm has a quorum.
func (d *disaster) live() []string {
	var list []string
	for e, l := range d.swarms {
		if up := d.running(e); len(up) > 0 && len(up) >= len(l.members)/2+1 {
			list = append(list, e)
		}
	}
	sort.Strings(list)
	return list
}

// observe is what a look at the world gives, long after it began.
func (d *disaster) observe() *state.State {
	st := copied(&d.st)
	st.ObservedAt, st.FirstLookedAt = d.now, d.now.Add(-10*time.Minute)
	live := d.live()
	if len(live) > 1 {
		d.complain("two swarms live: %q", live)
	}
	if len(live) > 0 {
		st.Swarm = d.account(live[0])
	} else {
		st.SwarmProblem = &state.Problem{Text: "no manager answers"}
	}
	for i := range st.Hosts {
		h := &st.Hosts[i]
		if k := d.disks[h.Name]; k != nil {
			d.look(h, k, st.Swarm != nil && len(live) > 0 && k.epoch == live[0])
			if st.Swarm != nil || h.Looked != state.Present {
				h.SwarmDir.Raft = nil
			}
		}
	}
	return &st
}

// look fills what a host tells.
func (d *disaster) look(h *state.Host, k *disk, led bool) {
	part := d.takesPart(h.Name)
	forgot := h.Engine.SwarmError == "forgot" || !h.SwarmDir.HasStateFile
	h.Engine = state.Engine{Answered: state.Absent, Problem: &state.Problem{Code: "RQ305", Text: "the socket refused the connection"}}
	h.Service.ActiveState, h.Service.Holds = "inactive", nil
	for _, r := range h.Recoveries {
		if r.Held {
			h.Service.Holds = append(h.Service.Holds, "/var/lib/requeen/recoveries/"+r.ID+"/hold")
		}
	}
	switch {
	case k.off:
		*h = state.Host{Name: h.Name, Address: h.Address, Target: h.Target, Looked: state.Absent, Problem: &state.Problem{Code: "RQ301", Text: "no route to host"}}
		return
	case k.up:
		h.Service.ActiveState = "active"
		h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	default:
		h.Service.ExitedAt = d.now.Add(-10 * time.Minute)
	}
	switch {
	case !k.up:
	case k.sealed:
		h.Engine.LocalNodeState = "locked"
	case part:
		h.Engine.LocalNodeState, h.Engine.ControlAvailable, h.Engine.NodeID, h.Engine.ClusterID = "active", true, h.SwarmDir.NodeID, swarmID
		if !led {
			h.Engine.SwarmError = "rpc error: code = Unknown desc = The swarm does not have a leader."
		}
	case !forgot:
		h.Engine.LocalNodeState = "pending"
	}
	if h.SwarmDir.HasRaft {
		h.SwarmDir.Raft = d.report(h, k)
	}
}

// report is what a survey of the host's log tells; a sealed one only what is in
// clear where the key is not configured.
func (d *disaster) report(h *state.Host, k *disk) *state.RaftReport {
	l := d.swarms[k.epoch]
	if l == nil { // prepared, and not made yet
		l = &lineage{members: []string{h.SwarmDir.NodeID}, term: 1007}
	}
	r := &state.RaftReport{Term: l.term, Index: 960, Commit: 960, RaftID: "f" + h.SwarmDir.NodeID, NodeID: h.SwarmDir.NodeID, Role: "manager", VotedTerm: l.term, ClusterID: swarmID}
	if h.SwarmDir.Locked && !d.cfg.Cluster.UnlockKey.Set() {
		r.Autolock = true
		return r
	}
	r.Epoch = k.epoch
	for _, id := range l.members {
		r.Members = append(r.Members, state.Member{RaftID: "f" + id, NodeID: id, Addr: "10.0.0.1" + id[5:6] + ":2377"})
		r.EverSeen = append(r.EverSeen, "f"+id)
	}
	for id, n := range l.nodes {
		if n.Role == "manager" {
			r.ManagerNodes = append(r.ManagerNodes, id)
		}
	}
	sort.Strings(r.ManagerNodes)
	return r
}

// account is what a swarm that answers tells of itself.
func (d *disaster) account(epoch string) *state.Swarm {
	l := d.swarms[epoch]
	up := d.running(epoch)
	s := &state.Swarm{ID: swarmID, CreatedAt: observedAt.Add(-1000 * time.Hour), Epoch: epoch, SeenFrom: up[0], VersionIndex: 960}
	byID := map[string]string{}
	for _, h := range d.st.Hosts {
		if d.disks[h.Name] != nil {
			s.Autolock = s.Autolock || h.SwarmDir.Locked && d.disks[h.Name].epoch == epoch
			byID[h.SwarmDir.NodeID] = h.Name
		}
	}
	s.UnlockKeyKnown = s.Autolock
	for id, n := range l.nodes {
		if n.Role == "manager" {
			n.Leader, n.Reachability, n.ManagerAddr, n.Status = false, "", "", "down"
		}
		if slices.Contains(l.members, id) {
			n.Reachability, n.ManagerAddr = "unreachable", n.Addr+":2377"
			if slices.Contains(up, byID[id]) {
				n.Reachability, n.Status = "reachable", "ready"
				n.Leader = byID[id] == up[0]
			}
		}
		s.Nodes = append(s.Nodes, n)
	}
	sort.Slice(s.Nodes, func(i, j int) bool { return s.Nodes[i].ID < s.Nodes[j].ID })
	return s
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
	m := &model{cfg: d.cfg, st: d.st, now: d.now}
	for i, s := range p.Steps {
		if i == n {
			break
		}
		d.now = d.now.Add(5 * time.Second)
		if s.Recovery != "" {
			d.step(p, s)
			continue
		}
		if s.Shapes() {
			d.shape(p, s)
			continue
		}
		m.st, m.now = d.st, d.now
		if live := d.live(); len(live) == 1 {
			m.swarm = *d.account(live[0])
		}
		m.step(p, s)
		d.st = m.st
		d.disks[s.Node].up = d.st.Host(s.Node).Service.ActiveState != "inactive"
		d.disks[s.Node].sealed = d.st.Host(s.Node).Engine.LocalNodeState == "locked"
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
// swarm that answers, and with which node IDs.
func (d *disaster) end() string {
	live := d.live()
	if len(live) == 0 {
		return "no swarm"
	}
	var words []string
	for _, name := range d.running(live[0]) {
		id := d.st.Host(name).SwarmDir.NodeID
		if strings.HasPrefix(id, "new") {
			id = "a new ID"
		}
		words = append(words, name+" as "+id)
	}
	sort.Strings(words)
	text := strings.Join(words, ", ")
	if live[0] != "" {
		text += " in a new epoch"
	}
	for _, h := range d.st.Hosts {
		for _, r := range h.Recoveries {
			if r.Held {
				text += "; " + h.Name + " is held"
			}
		}
	}
	return text
}
