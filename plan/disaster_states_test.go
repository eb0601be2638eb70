package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// The states of a manager before the plan. A manager that forgot its swarm lacks
// docker-state.json, an orphaned one has it; an empty one was wiped.
var managerStates = []string{"active", "stopped", "locked", "empty", "unreachable", "orphaned", "forgot"}

// The states of a worker.
var workerStates = []string{"up", "stopped", "unreachable", "unknown"}

// emergency is one state of a cluster before a plan, with what the configuration
// allows.
type emergency struct {
	managers, workers []string
	leads             int // the place of the manager that leads where it runs
	ahead             int // the place of the only manager whose log is not behind, -1 where none is
	terms
}

// terms are what emergencies have in common between whose worlds plans can lead.
type terms struct {
	autolock, key bool
	backup        string // "", stale, fresh: of m1
	allow         []string
	dead          bool // those that can't be reached are assumed dead
}

func (e emergency) String() string {
	text := strings.Join(append(slices.Clone(e.managers), e.workers...), " ")
	return fmt.Sprintf("%s, leads=%d, ahead=%d, autolock=%v, key=%v, backup=%q, dead=%v, allow=%s", text, e.leads, e.ahead, e.autolock, e.key, e.backup, e.dead, strings.Join(e.allow, "+"))
}

func (e emergency) config() *schema.Config {
	cfg := literal(len(e.managers), "state")
	cfg.Nodes = cfg.Nodes[:len(e.managers)]
	for i, what := range e.workers {
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: fmt.Sprintf("w%d", i+1), Address: fmt.Sprintf("10.0.0.2%d", i+1), Role: schema.RoleWorker,
			Connection: schema.Connection{None: what == "unknown"}})
	}
	cfg.Repositories[0].Identity = "/root/identity.txt"
	rotate := true
	cfg.Recovery = &schema.Recovery{Allow: e.allow, Verify: []string{"true"}, RotateUnlockKey: &rotate, UnlockKeyTo: schema.UnlockKeyTo{Command: "cat >/dev/null"}}
	if e.key {
		cfg.Cluster.UnlockKey = schema.NewSecret("SWMKEY")
	}
	for i, what := range e.managers {
		if what == "unreachable" && e.dead {
			cfg.Recovery.AssumeDead = append(cfg.Recovery.AssumeDead, fmt.Sprintf("m%d", i+1))
		}
	}
	return cfg
}

// wells are swarms that are well, by how many managers and workers they have.
var wells sync.Map

func well(managers, workers int) *disaster {
	size := [2]int{managers, workers}
	if d, made := wells.Load(size); made {
		return d.(*disaster).copy()
	}
	st := observed(managers)
	st.Hosts, st.Swarm.Nodes = st.Hosts[:managers], st.Swarm.Nodes[:managers]
	for i := 1; i <= workers; i++ {
		name, address := fmt.Sprintf("w%d", i), fmt.Sprintf("10.0.0.2%d", i)
		st.Hosts = append(st.Hosts, host(name, address, "worker"))
		st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: idOf(name), Hostname: name, Role: "worker", Availability: "active", Addr: address, EngineVersion: "28.5.2"})
	}
	first := lineage{term: 7, nodes: st.Swarm.Nodes}
	d := &disaster{st: *st, disks: make([]disk, len(st.Hosts)), now: observedAt}
	d.st.Swarm = nil
	for i := range d.disks {
		d.disks[i].up = true
		if i < managers {
			d.disks[i].log.index = logEnds
			first.members = append(first.members, idOf(d.st.Hosts[i].Name))
		}
	}
	d.swarms = []lineage{first}
	wells.Store(size, d)
	return d.copy()
}

func (e emergency) world() *disaster {
	d := well(len(e.managers), len(e.workers))
	d.cfg = e.config()
	d.swarms[0].leads = idOf(fmt.Sprintf("m%d", e.leads+1))
	for i, what := range e.managers {
		h, k := &d.st.Hosts[i], &d.disks[i]
		h.SwarmDir.Locked = e.autolock
		if e.ahead >= 0 && i != e.ahead {
			k.log.index = logBehind
		}
		switch what {
		case "stopped":
			k.up = false
		case "locked":
			k.sealed = true
		case "empty":
			h.SwarmDir = state.SwarmDir{Presence: state.Absent, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
			k.log = content{}
		case "unreachable":
			k.off = true
		case "orphaned":
			k.forgot = true // until it is restarted
		case "forgot":
			h.SwarmDir.HasStateFile = false
		}
	}
	for i, what := range e.workers {
		k := &d.disks[len(e.managers)+i]
		k.up, k.off, k.hidden = what != "stopped", what == "unreachable", what == "unknown"
	}
	if e.backup != "" {
		d.keep(e)
	}
	return d
}

// keep puts a backup of m1 into the repository. A stale one does not know the last
// worker, which joined since.
func (d *disaster) keep(e emergency) {
	age, nodes := time.Hour, d.swarms[0].nodes
	if e.backup == "stale" {
		age = 30 * time.Hour
		if len(e.workers) > 0 {
			nodes = nodes[:len(nodes)-1]
		}
	}
	b := aged(age)
	b.Node, b.NodeID, b.Address, b.Autolocked, b.OpenedAt = "m1", idOf("m1"), "10.0.0.11", e.autolock, observedAt
	b.Raft = state.RaftReport{Term: 7, Index: 900, Commit: 900, RaftID: "f" + idOf("m1"), NodeID: idOf("m1"), Role: "manager", VotedTerm: 7, ClusterID: swarmID}
	for _, id := range d.swarms[0].members {
		b.Raft.Members = append(b.Raft.Members, state.Member{RaftID: "f" + id, NodeID: id, Addr: d.swarms[0].node(id).Addr + ":2377"})
		b.Raft.EverSeen = append(b.Raft.EverSeen, "f"+id)
		b.Raft.ManagerNodes = append(b.Raft.ManagerNodes, id)
	}
	d.store("local", b, nodes)
}

// allowances are all that recovery.allow can have.
func allowances() [][]string {
	words := []string{schema.AllowStart, schema.AllowUnlock, schema.AllowForceNewCluster, schema.AllowRestore}
	var list [][]string
	for set := range 1 << len(words) {
		allow := []string{}
		for i, w := range words {
			if set&(1<<i) != 0 {
				allow = append(allow, w)
			}
		}
		list = append(list, allow)
	}
	return list
}

// usual are those of them that let engines be started and unlocked.
func usual() [][]string {
	return slices.DeleteFunc(allowances(), func(allow []string) bool {
		return !slices.Contains(allow, schema.AllowStart) || !slices.Contains(allow, schema.AllowUnlock)
	})
}

// tuples are all lists of n words.
func tuples(words []string, n int) [][]string {
	if n == 0 {
		return [][]string{{}}
	}
	var list [][]string
	for _, rest := range tuples(words, n-1) {
		for _, w := range words {
			list = append(list, append(rest[:len(rest):len(rest)], w))
		}
	}
	return list
}

// sorted tells whether a list is in the order of words.
func sorted(words, list []string) bool {
	return slices.IsSortedFunc(list, func(a, b string) int { return slices.Index(words, a) - slices.Index(words, b) })
}

// canonical are the tuples of managers of which every other one is a renaming: they
// differ in nothing but their states, except that a backup is of m1.
func canonical(managers int, backup string) [][]string {
	if backup == "" {
		return lots(managerStates, managers)
	}
	var list [][]string
	for _, own := range managerStates {
		for _, rest := range lots(managerStates, managers-1) {
			list = append(list, append([]string{own}, rest...))
		}
	}
	return list
}

// lots are the lists of n words in the order of words.
func lots(words []string, n int) [][]string {
	if n == 0 {
		return [][]string{{}}
	}
	var list [][]string
	for i, w := range words {
		for _, rest := range lots(words[i:], n-1) {
			list = append(list, append([]string{w}, rest...))
		}
	}
	return list
}

// emergencies are all that there are of those managers and workers on those terms.
// Who leads is told apart where a backup is of the leader or of a follower, and whose
// log is furthest where a survivor is to be chosen.
func emergencies(managers, workers []string, on terms) []emergency {
	if strings.Contains(strings.Join(managers, " "), "locked") && !on.autolock || on.dead && !slices.Contains(managers, "unreachable") {
		return nil
	}
	e := emergency{managers: managers, workers: workers, ahead: -1, terms: on}
	list := []emergency{e}
	c := e.count()
	if last := lastOf(managers, "active"); on.backup != "" && c.running >= c.quorum && managers[0] == "active" && last > 0 {
		e.leads = last
		list = append(list, e)
	}
	if e.leads = 0; c.running+c.startable < c.quorum && c.logs > 1 {
		for _, what := range managerStates {
			if e.ahead = lastOf(managers, what); e.ahead >= 0 && what != "empty" && what != "unreachable" {
				list = append(list, e)
			}
		}
	}
	return list
}

func lastOf(list []string, word string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == word {
			return i
		}
	}
	return -1
}

// count is what the ladder goes by.
type count struct{ quorum, running, startable, down, sealed, logs int }

func (e emergency) count() count {
	c := count{quorum: len(e.managers)/2 + 1}
	for _, s := range e.managers {
		if s != "empty" && s != "unreachable" {
			c.logs++
		}
		switch s {
		case "active":
			c.running++
		case "stopped", "orphaned":
			c.startable++
			c.down++
			if e.autolock {
				c.sealed++
			}
		case "locked":
			c.startable++
			c.sealed++
		}
	}
	return c
}
