package plan_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// observedAt is the time of every observation of the golden cases.
var observedAt = time.Date(2025, 3, 10, 3, 0, 0, 0, time.UTC)

const swarmID = "s1warm0000000000000000000"

const localRepository = `repository "local" {
  url        = "file:///srv/backups"
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  identity   = "/root/identity.txt"
}
`

const stateBackup = `backup "state" {
  repository = "local"
  max_age    = "24h"
  swarm {
    from = "follower"
  }
}
`

// config is a cluster of managers m1, m2, … and one worker, with more blocks.
func config(managers int, more ...string) string {
	var b strings.Builder
	b.WriteString("cluster \"prod\" {\n}\n\n")
	for i := 1; i <= managers; i++ {
		fmt.Fprintf(&b, "node \"m%d\" {\n  address = \"10.0.0.1%d\"\n  role    = \"manager\"\n}\n\n", i, i)
	}
	b.WriteString("node \"w1\" {\n  address = \"10.0.0.21\"\n  role    = \"worker\"\n}\n\n")
	if len(more) == 0 {
		more = []string{localRepository, stateBackup}
	}
	return b.String() + strings.Join(more, "\n")
}

// observed is a healthy swarm of managers m1 (the leader), m2, … and a worker,
// with an empty repository.
func observed(managers int) *state.State {
	st := &state.State{ObservedAt: observedAt, Cluster: "prod", Repositories: []state.Repository{
		{Name: "local", URL: "file:///srv/backups", Looked: state.Present, Backups: []state.Backup{}},
	}}
	swarm := &state.Swarm{ID: swarmID, CreatedAt: observedAt.Add(-1000 * time.Hour), SeenFrom: "m1", VersionIndex: 960}
	for i := 1; i <= managers; i++ {
		name, address := fmt.Sprintf("m%d", i), fmt.Sprintf("10.0.0.1%d", i)
		st.Hosts = append(st.Hosts, host(name, address, "manager"))
		swarm.Nodes = append(swarm.Nodes, state.SwarmNode{ID: idOf(name), Hostname: name, Role: "manager", Availability: "active",
			Status: "ready", Addr: address, ManagerAddr: address + ":2377", Reachability: "reachable", Leader: i == 1, EngineVersion: "28.5.2"})
	}
	st.Hosts = append(st.Hosts, host("w1", "10.0.0.21", "worker"))
	swarm.Nodes = append(swarm.Nodes, state.SwarmNode{ID: idOf("w1"), Hostname: "w1", Role: "worker", Availability: "active",
		Status: "ready", Addr: "10.0.0.21", EngineVersion: "28.5.2", RunningTasks: 7})
	st.Swarm = swarm
	return st
}

func idOf(name string) string { return "node" + name + "00000000000000000000" }

func host(name, address, role string) state.Host {
	h := state.Host{Name: name, Address: address, Target: "root@" + address, Looked: state.Present,
		MachineID: "machine-" + name, HostKey: "SHA256:key-of-" + name, Hostname: name, BootID: "boot-" + name, System: "linux/amd64",
		Service: state.Service{Unit: "docker.service", Socket: "docker.socket", ActiveState: "active"},
		Engine: state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "active",
			NodeID: idOf(name), NodeAddr: address},
		SwarmDir: state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", ClusterID: swarmID, Role: role, NodeID: idOf(name),
			CertificateExpiry: observedAt.Add(1000 * time.Hour), CertificateSHA256: "certificate-of-" + name,
			HasKey: true, HasRootCA: true, HasStateFile: true, Bytes: 420_000, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}}
	if role == "manager" {
		h.Engine.ControlAvailable, h.Engine.ClusterID, h.SwarmDir.HasRaft = true, swarmID, true
	}
	return h
}

// aged is a verified backup of the block "state", taken that long ago.
func aged(age time.Duration) state.Backup {
	at := observedAt.Add(-age)
	return state.Backup{ID: at.Format("20060102T150405Z") + "-0a1b2c", FormatVersion: 1, ToolVersion: "0.1.0", Kind: state.KindRegular,
		Cluster: "prod", Backup: "state", SwarmID: swarmID, Node: "m2", NodeID: idOf("m2"), Address: "10.0.0.12", EngineVersion: "28.5.2",
		Consistency: "stopped", TakenAt: at, UploadedAt: at.Add(9 * time.Second), Verified: "raft", VerifiedAt: at.Add(8 * time.Second)}
}

// cutRun is what a run leaves on m2 that was cut that long ago, after the
// engine was started again.
func cutRun(age time.Duration) state.HostRun {
	at := observedAt.Add(-age)
	return state.HostRun{ID: at.Format("20060102T150405Z") + "-c0ffee", Cluster: "prod", Backup: "state", Repository: "local",
		SwarmID: swarmID, NodeID: idOf("m2"), Phase: state.PhaseStarted, StoppedAt: at, StartedAt: at.Add(3 * time.Second),
		CopyBytes: 420_000, CopyIntact: true}
}

func keep(st *state.State, list ...state.Backup) { st.Repositories[0].Backups = list }

func member(st *state.State, name string) *state.SwarmNode {
	for i := range st.Swarm.Nodes {
		if st.Swarm.Nodes[i].Hostname == name {
			return &st.Swarm.Nodes[i]
		}
	}
	return nil
}

// lose makes a manager unreachable for the swarm and for ssh.
func lose(st *state.State, name string) {
	h := st.Host(name)
	*h = state.Host{Name: name, Address: h.Address, Target: h.Target, Looked: state.Absent,
		Problem: &state.Problem{Code: "RQ301", Text: "ssh: connect to host " + h.Address + " port 22: no route to host", Remedy: "Check the address and the network."}}
	drop(st, name)
}

// drop makes a manager unreachable in the swarm's list.
func drop(st *state.State, name string) {
	if st.Swarm != nil {
		m := member(st, name)
		m.Status = "down"
		if m.Role == "manager" {
			m.Reachability = "unreachable"
		}
	}
}

// down stops a manager's engine.
func down(st *state.State, name string) {
	h := st.Host(name)
	h.Service.ActiveState, h.Service.ExitedAt = "inactive", observedAt.Add(-10*time.Minute)
	h.Engine = state.Engine{Answered: state.Absent, Problem: &state.Problem{Code: "RQ305", Text: "the socket refused the connection"}}
	drop(st, name)
}

// locked makes a manager's engine wait for the key.
func locked(st *state.State, name string) {
	h := st.Host(name)
	h.Engine.LocalNodeState, h.Engine.ControlAvailable, h.Engine.ClusterID, h.Engine.NodeID = "locked", false, "", ""
	h.SwarmDir.Locked = true
	drop(st, name)
}

func autolock(st *state.State) {
	if st.Swarm != nil {
		st.Swarm.Autolock, st.Swarm.UnlockKeyKnown = true, true
	}
	for i := range st.Hosts {
		st.Hosts[i].SwarmDir.Locked = st.Hosts[i].SwarmDir.Role == "manager"
	}
}

// silent takes away the swarm's account.
func silent(st *state.State, text string) {
	st.Swarm, st.SwarmProblem = nil, &state.Problem{Code: "RQ305", Text: text}
}
