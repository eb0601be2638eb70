package plan_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// reshaped is a swarm of so many managers with a fresh backup, and a declaration that
// wants it otherwise.
func reshaped(managers int, name, about string, edit func(*state.State)) golden {
	st := observed(managers)
	told(st)
	keep(st, aged(5*time.Hour))
	if edit != nil {
		edit(st)
	}
	return golden{name: "reshape-" + name, about: about, config: config(managers), state: st}
}

// clustered adds to the cluster block.
func (g golden) clustered(more string) golden {
	g.config = strings.Replace(g.config, "cluster \"prod\" {\n", "cluster \"prod\" {\n"+more, 1)
	return g
}

// noded adds to a node block.
func (g golden) noded(name, more string) golden {
	head := "node \"" + name + "\" {\n"
	g.config = strings.Replace(g.config, head, head+more, 1)
	return g
}

// as declares a node in another role.
func (g golden) as(name, role string) golden {
	before, rest, _ := strings.Cut(g.config, "node \""+name+"\" {\n")
	for _, old := range []string{"manager", "worker"} {
		if i := strings.Index(rest, "role    = \""+old+"\""); i >= 0 && i < strings.Index(rest, "}") {
			rest = strings.Replace(rest, "role    = \""+old+"\"", "role    = \""+role+"\"", 1)
			break
		}
	}
	g.config = before + "node \"" + name + "\" {\n" + rest
	return g
}

// undeclare takes node blocks out.
func (g golden) undeclare(names ...string) golden {
	for _, name := range names {
		before, rest, _ := strings.Cut(g.config, "node \""+name+"\" {\n")
		_, after, _ := strings.Cut(rest, "}\n\n")
		g.config = before + after
	}
	return g
}

// declare adds a node block, of a host that is in no swarm.
func (g golden) declare(name, address, role, more string) golden {
	g.config += fmt.Sprintf("\nnode %q {\n  address = %q\n  role    = %q\n%s}\n", name, address, role, more)
	h := host(name, address, "worker")
	h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	h.SwarmDir = state.SwarmDir{Presence: state.Absent, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
	g.state.Hosts = append(g.state.Hosts, h)
	return g
}

// blocks adds blocks at the end.
func (g golden) blocks(text string) golden {
	g.config += "\n" + text
	return g
}

// downFor makes a node down in the swarm for so long, and its host unreachable.
func downFor(st *state.State, name string, d time.Duration) {
	lose(st, name)
	member(st, name).ChangedAt = observedAt.Add(-d)
}

// wipedHost is a host that was installed anew: its entry is still there, and down.
func wipedHost(st *state.State, name string) {
	h := st.Host(name)
	h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	h.SwarmDir = state.SwarmDir{Presence: state.Absent, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
	drop(st, name)
}

// elsewhere makes a manager advertise another address than is declared.
func elsewhere(st *state.State, name, address string) {
	member(st, name).ManagerAddr = address + ":2377"
	st.Host(name).SwarmDir.AdvertiseAddr, st.Host(name).Engine.NodeAddr = address+":2377", address
}

// reshapeCases converge a swarm that is well to another shape.
func reshapeCases() []golden {
	list := append(growthCases(), removalCases()...)
	list = append(list, moveCases()...)
	return append(list, specCases()...)
}

func growthCases() []golden {
	return []golden{
		reshaped(1, "grow", "One manager is grown to three, and a worker is added.", nil).
			declare("m2", "10.0.0.12", "manager", "  labels = { zone = \"b\" }\n").declare("m3", "10.0.0.13", "manager", "  availability = \"drain\"\n").
			declare("w2", "10.0.0.22", "worker", "").
			clustered("  rebalance = [\"web\", \"db_postgres\"]\n").
			want("join m2, update-node m2, join m3, update-node m3, join w2, update-node w2, rebalance m1, rebalance m1, update-node m2, update-node w2", "RQ140", "RQ103"),
		reshaped(1, "grow-and-due", "The same, and a backup is due: it comes first, of the manager that there is.", func(st *state.State) { keep(st) }).
			declare("m2", "10.0.0.12", "manager", "").declare("m3", "10.0.0.13", "manager", "").
			want("stop m1, archive m1, start m1, verify m1, join m2, join m3", "RQ101", "RQ103"),
		reshaped(3, "shrink", "Of three managers two are declared workers: one after the other is demoted.", nil).as("m2", "worker").as("m3", "worker").
			want("demote m2, demote m3", "RQ103", "RQ101"),
		reshaped(3, "shrink-leader", "The leader is declared a worker: it is demoted last.", nil).as("m1", "worker").as("m2", "worker").
			want("demote m2, demote m1", "RQ103", "RQ101"),
		reshaped(3, "swap", "A worker and a manager change roles: the new manager comes first.", nil).as("m3", "worker").as("w1", "manager").
			want("promote w1, demote m3"),
		reshaped(3, "clock", "A host that is to join has a clock that is wrong.", func(st *state.State) {}).
			declare("w2", "10.0.0.22", "worker", "").edited(func(st *state.State) { st.Host("w2").ClockSkew = 20 * time.Minute }).
			want("", "RQ204"),
		reshaped(3, "promotion-cut", "m3's promotion has not come to its end.", func(st *state.State) {
			m := member(st, "m3")
			m.ManagerAddr, m.Reachability = "", ""
		}).want("promote m3"),
		reshaped(3, "demotion-cut", "m3 is declared a worker, and its demotion has not come to its end.", func(st *state.State) { member(st, "m3").Role = "worker" }).
			as("m3", "worker").want("demote m3", "RQ103"),
	}
}

func removalCases() []golden {
	moved := reshaped(3, "moved-host", "m3 is declared on another host, whose manager is there before the old one goes.", nil).undeclare("m3")
	moved.state.Hosts = append(moved.state.Hosts[:2], moved.state.Hosts[3:]...)
	return []golden{
		moved.declare("m3", "10.0.0.33", "manager", "").clustered("  prune_nodes = true\n").want("join m3, demote m3, update-node m3, remove-node m3", "RQ141"),
		reshaped(5, "managers-first", "m6 can't be reached, and takes m5's place only once it is there.", nil).undeclare("m5").
			declare("m6", "10.0.0.16", "manager", "").clustered("  prune_nodes = true\n").edited(func(st *state.State) {
			h := st.Host("m6")
			h.Engine = state.Engine{Answered: state.Absent, Problem: &state.Problem{Code: "RQ305", Text: "the socket refused the connection"}}
			st.Hosts = append(st.Hosts[:4], st.Hosts[5:]...)
		}).want("", "RQ218", "RQ227", "RQ305"),
		reshaped(5, "quorum-lost", "Of five managers two are down, and a third one is declared a worker: that would lose the quorum.", func(st *state.State) {
			lose(st, "m4")
			lose(st, "m5")
		}).as("m3", "worker").want("", "RQ201", "RQ301", "RQ301"),
		reshaped(3, "only-one-up", "All but a manager that is down are declared workers.", func(st *state.State) { lose(st, "m3") }).as("m1", "worker").as("m2", "worker").
			want("", "RQ201", "RQ201", "RQ301"),
		reshaped(3, "dead-worker", "w1 has been down for three days, and its host can't be reached.", func(st *state.State) { downFor(st, "w1", 72*time.Hour) }).
			clustered("  remove_down_after = \"24h\"\n").want("remove-node w1", "RQ141"),
		reshaped(3, "not-dead-yet", "w1 has been down for an hour.", func(st *state.State) { downFor(st, "w1", time.Hour) }).
			clustered("  remove_down_after = \"24h\"\n").want(""),
		reshaped(3, "dead-manager", "m3 has been down for three days, and its host can't be reached.", func(st *state.State) { downFor(st, "m3", 72*time.Hour) }).
			clustered("  remove_down_after = \"24h\"\n").want("demote m3, remove-node m3", "RQ301", "RQ141"),
		reshaped(3, "assumed-dead", "The same, but m3 is only said to be dead: its entry stays.", func(st *state.State) { downFor(st, "m3", 72*time.Hour) }).
			clustered("  remove_down_after = \"24h\"\n").blocks("recovery {\n  assume_dead = [\"m3\"]\n}\n").want("", "RQ301"),
		reshaped(3, "wiped-manager", "m3 was installed anew: its old entry counts for the quorum, and goes; it gets what that had.", func(st *state.State) {
			wipedHost(st, "m3")
			member(st, "m3").Availability = "drain"
		}).want("demote m3, join m3, update-node m3, remove-node m3"),
		reshaped(3, "joined-and-cut", "w1 is back under a new node ID, and a cut run has left its old entry.", func(st *state.State) {
			old := *member(st, "w1")
			old.ID, old.Status, old.Labels, old.RunningTasks = "oldw10000000000000000000", "down", map[string]string{"disk": "ssd"}, 0
			st.Swarm.Nodes = append(st.Swarm.Nodes, old)
		}).want("update-node w1, remove-node w1"),
		reshaped(3, "same-name-up", "Another node has w1's hostname and address, and is up: it is no entry from before.", func(st *state.State) {
			other := *member(st, "w1")
			other.ID = "otherw100000000000000000"
			st.Swarm.Nodes = append(st.Swarm.Nodes, other)
		}).want("", "RQ113"),
	}
}

func moveCases() []golden {
	return []golden{
		reshaped(5, "address-leader", "The leader and a follower of five advertise other addresses: one at a time, the leader last.", func(st *state.State) {
			elsewhere(st, "m1", "172.16.0.11")
			elsewhere(st, "m4", "172.16.0.14")
			member(st, "m1").RunningTasks = 2
		}).noded("m4", "  labels = { zone = \"b\" }\n").
			want("update-node m4, demote m4, leave m4, join m4, update-node m4, remove-node m4, update-node m1, demote m1, leave m1, join m1, remove-node m1", "RQ140", "RQ102"),
		reshaped(1, "address-only", "The only manager advertises another address: it can't leave.", func(st *state.State) { elsewhere(st, "m1", "172.16.0.11") }).
			want("", "RQ201"),
		reshaped(1, "address-after-growth", "The only manager advertises another address, and two more are declared: it moves once they are there.", func(st *state.State) { elsewhere(st, "m1", "172.16.0.11") }).
			declare("m2", "10.0.0.12", "manager", "").declare("m3", "10.0.0.13", "manager", "").
			want("join m2, join m3, update-node m1, demote m1, leave m1, join m1, remove-node m1", "RQ103", "RQ103"),
		reshaped(3, "address-unreachable", "A manager that advertises another address is cut off from the others.", func(st *state.State) {
			elsewhere(st, "m2", "172.16.0.12")
			drop(st, "m2")
		}).want("", "RQ218"),
		reshaped(3, "address-cut", "A plan that moves m2 was cut once m2 was demoted: its mark says that it goes on.", func(st *state.State) {
			elsewhere(st, "m2", "172.16.0.12")
			m := member(st, "m2")
			m.Role, m.ManagerAddr, m.Reachability, m.Addr = "worker", "", "", "172.16.0.12"
			m.Labels = map[string]string{"disk": "ssd", state.MovesLabel: "m2"}
			st.Host("m2").Engine.ControlAvailable, st.Host("m2").SwarmDir.HasRaft, st.Host("m2").SwarmDir.Role = false, false, "worker"
		}).want("leave m2, join m2, update-node m2, remove-node m2"),
		reshaped(3, "address-left", "The same, and m2 has left: it joins, and its old entry goes.", func(st *state.State) {
			elsewhere(st, "m2", "172.16.0.12")
			m := member(st, "m2")
			m.Role, m.ManagerAddr, m.Reachability, m.Addr, m.Status = "worker", "", "", "172.16.0.12", "down"
			m.Labels = map[string]string{"disk": "ssd", state.MovesLabel: "m2"}
			h := st.Host("m2")
			h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", LocalNodeState: "inactive"}
			h.SwarmDir = state.SwarmDir{Presence: state.Absent, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
		}).want("join m2, update-node m2, remove-node m2"),
		reshaped(3, "address-given-up", "A plan that moves m2 was cut, and the address is declared as it is now: the mark goes.", func(st *state.State) {
			member(st, "m2").Labels = map[string]string{"disk": "ssd", state.MovesLabel: "m2"}
		}).want("update-node m2"),
	}
}

func specCases() []golden {
	zoned := func(name, about string, zones ...string) golden {
		g := reshaped(len(zones), name, about, nil)
		for i, zone := range zones {
			g = g.noded(fmt.Sprintf("m%d", i+1), "  labels = { zone = \""+zone+"\" }\n").edited(func(st *state.State) {
				member(st, fmt.Sprintf("m%d", i+1)).Labels = map[string]string{"zone": zone}
			})
		}
		return g
	}
	locked := func(name, about string) golden {
		return reshaped(3, name, about, nil).clustered("  autolock = true\n")
	}
	return []golden{
		reshaped(3, "settings", "Settings differ.", nil).clustered("  settings {\n    task_history_limit = 2\n    dispatcher_heartbeat = \"10s\"\n  }\n").want("update-swarm m1"),
		locked("autolock-on", "Auto-lock is turned on, and the unlock key goes to a command.").blocks("recovery {\n" + keyToPipe + "}\n").want("update-swarm m1"),
		locked("autolock-on-file", "Auto-lock is turned on, and the unlock key goes to an encrypted file.").blocks("recovery {\n" + keyToFile + "}\n").want("update-swarm m1"),
		locked("autolock-on-nowhere", "Auto-lock is turned on, and nothing takes the unlock key.").want("update-swarm m1", "RQ128"),
		reshaped(3, "autolock-off", "Auto-lock is turned off.", autolock).clustered("  autolock = false\n").want("update-swarm m1", "RQ129"),
		zoned("zones", "Three managers over three zones.", "a", "b", "c").want(""),
		zoned("zones-lost", "Two of three managers are in one zone, and none in the third.", "a", "a", "b").noded("w1", "  labels = { zone = \"c\" }\n").
			edited(func(st *state.State) { member(st, "w1").Labels = map[string]string{"zone": "c"} }).want("", "RQ140"),
		zoned("zones-two", "Five managers over two zones.", "a", "a", "a", "b", "b").want("", "RQ140"),
		reshaped(3, "no-lock", "Without the lock the shape stays.", func(st *state.State) { member(st, "w1").Availability = "drain" }).noded("w1", "  availability = \"active\"\n").
			unlocked().want("", "RQ218"),
		reshaped(3, "run-in-progress", "A run is in progress: the shape stays until it is over.", func(st *state.State) {
			member(st, "w1").Availability = "drain"
			r := cutRun(time.Minute)
			r.UnitActive = true
			st.Host("m2").Runs = []state.HostRun{r}
		}).noded("w1", "  availability = \"active\"\n").want("", "RQ216", "RQ218"),
	}
}

func (g golden) edited(edit func(*state.State)) golden {
	edit(g.state)
	return g
}

func (g golden) unlocked() golden {
	g.noLock = true
	return g
}
