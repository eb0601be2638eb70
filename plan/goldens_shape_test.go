package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// shape is config(3) with more in its cluster block and in some node blocks.
func shape(cluster string, nodes map[string]string) string {
	text := strings.Replace(config(3), "cluster \"prod\" {\n", "cluster \"prod\" {\n"+cluster, 1)
	for name, more := range nodes {
		head := "node \"" + name + "\" {\n"
		text = strings.Replace(text, head, head+more, 1)
	}
	return text
}

// outOfSwarm is a node that left, or never joined: engines keep an empty swarm
// directory.
func outOfSwarm(st *state.State, name string) {
	h := st.Host(name)
	h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	h.SwarmDir = state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", Bytes: 4096, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
	unlisted(st, name)
}

// unlisted removes a node's entry from the swarm's list.
func unlisted(st *state.State, name string) {
	for i, m := range st.Swarm.Nodes {
		if m.ID == idOf(name) {
			st.Swarm.Nodes = append(st.Swarm.Nodes[:i], st.Swarm.Nodes[i+1:]...)
			return
		}
	}
}

// told fills in what engines tell of their shape.
func told(st *state.State) {
	st.Swarm.Settings = &state.SwarmSettings{TaskHistoryLimit: 5, CertExpiry: 2160 * time.Hour, SnapshotInterval: 10000,
		LogEntriesForSlowFollowers: 500, HeartbeatTick: 1, ElectionTick: 10, DispatcherHeartbeat: 5 * time.Second,
		DataPathPort: 4789, DefaultAddrPool: []string{"10.0.0.0/8"}, DefaultAddrPoolMaskLength: 24}
	for i := range st.Hosts {
		h := &st.Hosts[i]
		h.SwarmDir.ListenAddr, h.SwarmDir.AdvertiseAddr = "0.0.0.0:2377", h.Address+":2377"
	}
}

func extra(st *state.State, name, role, status string) {
	m := state.SwarmNode{ID: idOf(name), Hostname: name, Role: role, Availability: "active", Status: status, Addr: "10.0.0.9" + name[1:]}
	if role == "manager" {
		m.ManagerAddr, m.Reachability = m.Addr+":2377", "reachable"
	}
	st.Swarm.Nodes = append(st.Swarm.Nodes, m)
}

// shapeCases differ from what is declared; the backup is fresh but in one.
func shapeCases() []golden {
	fresh := func(name, about, cluster string, nodes map[string]string, edit func(*state.State)) golden {
		return of("shape-"+name, about, func(st *state.State) {
			told(st)
			keep(st, aged(5*time.Hour))
			if edit != nil {
				edit(st)
			}
		}).with(shape(cluster, nodes))
	}
	whole := "  autolock = false\n  prune_nodes = true\n  listen_addr = \"0.0.0.0\"\n  data_path_addr = \"eth1\"\n  data_path_port = 4789\n  default_addr_pool = [\"10.0.0.0/8\"]\n" +
		"  settings {\n    task_history_limit = 5\n    cert_expiry = \"90d\"\n    dispatcher_heartbeat = \"5s\"\n  }\n"
	labelled := map[string]string{"w1": "  labels = { zone = \"a\", disk = \"fast ssd\" }\n"}
	return append([]golden{
		fresh("equal", "All of the shape is declared, and the swarm has it.", whole,
			map[string]string{"m2": "  availability = \"active\"\n", "w1": "  labels = {}\n"}, nil).want(""),
		fresh("availability", "m2 is drained, and declared active.", "", map[string]string{"m2": "  availability = \"active\"\n"},
			func(st *state.State) { member(st, "m2").Availability = "drain" }).want("update-node m2"),
		fresh("labels", "w1 lacks a declared label, has one with another value, and one that is not declared.", "", labelled,
			func(st *state.State) { member(st, "w1").Labels = map[string]string{"zone": "b", "old": "x"} }).want("update-node w1"),
		fresh("role", "m3 is declared a manager, and is a worker.", "", nil, func(st *state.State) {
			m := member(st, "m3")
			m.Role, m.ManagerAddr, m.Reachability = "worker", "", ""
		}).want("promote m3"),
		fresh("left", "w1 has left: its engine is in no swarm, its old entry is down. It joins anew, and gets the labels of the old one.", "", nil, func(st *state.State) {
			outOfSwarm(st, "w1")
			extra(st, "w1", "worker", "down")
			member(st, "w1").Addr, member(st, "w1").Labels = "10.0.0.21", map[string]string{"disk": "ssd"}
		}).want("join w1, update-node w1, remove-node w1"),
		fresh("unlisted", "w1 runs, but its entry was removed from the swarm's list.", "", nil,
			func(st *state.State) { unlisted(st, "w1") }).want("", "RQ218"),
		fresh("address", "m2 advertises another address than is declared.", "", nil,
			func(st *state.State) { member(st, "m2").ManagerAddr = "172.16.0.12:2377" }).
			want("update-node m2, demote m2, leave m2, join m2, remove-node m2", "RQ103"),
		fresh("joined-otherwise", "m2 joined with another listen address than the cluster block says; an interface that it names is not compared.",
			"  listen_addr = \"0.0.0.0:2377\"\n  data_path_port = 4789\n  data_path_addr = \"eth1\"\n", nil,
			func(st *state.State) { st.Host("m2").SwarmDir.ListenAddr = "0.0.0.0:7777" }).want("", "RQ218"),
		fresh("cluster", "Auto-lock, settings and what was fixed when the swarm was made are declared otherwise.",
			"  autolock = true\n  data_path_port = 7789\n  default_addr_pool = [\"10.20.0.0/16\"]\n  default_addr_pool_mask_length = 26\n"+
				"  settings {\n    task_history_limit = 0\n    cert_expiry = \"30d\"\n    election_tick = 20\n  }\n", nil, nil).want("update-swarm m1", "RQ219", "RQ128", "RQ142"),
		fresh("not-known", "The settings are not told and w1 can't be reached: neither is called different.",
			"  listen_addr = \"0.0.0.0:7777\"\n  settings {\n    cert_expiry = \"30d\"\n  }\n", nil, func(st *state.State) {
				st.Swarm.Settings = nil
				for i := range st.Hosts {
					st.Hosts[i].SwarmDir.ListenAddr, st.Hosts[i].SwarmDir.AdvertiseAddr = "", ""
				}
				lost := st.Host("w1")
				*lost = state.Host{Name: "w1", Address: lost.Address, Target: lost.Target, Looked: state.Absent,
					Problem: &state.Problem{Code: "RQ301", Text: "no route to host"}}
				unlisted(st, "w1")
			}).want(""),
		fresh("and-due", "A label differs, and a backup is due: the backup comes first.", "", labelled,
			func(st *state.State) { keep(st) }).want(backupM2+", update-node w1", "RQ103"),
	}, pruneCases(fresh)...)
}

func pruneCases(fresh func(name, about, cluster string, nodes map[string]string, edit func(*state.State)) golden) []golden {
	more := func(st *state.State) {
		extra(st, "m8", "manager", "ready")
		extra(st, "w9", "worker", "down")
	}
	return []golden{
		fresh("prune", "Nodes that are not declared are to be removed; a manager is demoted while it is up.", "  prune_nodes = true\n", nil, more).
			want("demote m8, update-node m8, remove-node m8, remove-node w9", "RQ141", "RQ141"),
		fresh("prune-unsaid", "Without prune_nodes what is not declared is told, and stays.", "", nil, more).want("", "RQ111", "RQ113"),
		fresh("prune-in-doubt", "w1 can't be reached and none of the entries is surely its own: none is removed, and that is said.", "  prune_nodes = true\n", nil, func(st *state.State) {
			h := st.Host("w1")
			*h = state.Host{Name: "w1", Address: h.Address, Target: h.Target, Looked: state.Absent, Problem: &state.Problem{Code: "RQ301", Text: "no route to host"}}
			unlisted(st, "w1")
			extra(st, "w9", "worker", "ready")
		}).want("", "RQ220"),
	}
}
