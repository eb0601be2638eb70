package applytest

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// Observe gives the state of the world.
func (p *Process) Observe(context.Context) (st *state.State, err error) {
	err = p.w.call("Observe", "", func() error {
		st = p.w.state()
		return nil
	})
	return st, err
}

// State is the world as an observation shows it.
func (w *World) State() *state.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return w.state()
}

func (w *World) state() *state.State {
	st := &state.State{ObservedAt: w.Clock.Now(), Cluster: ClusterName, Swarm: w.swarm()}
	if st.Swarm == nil {
		st.SwarmProblem = &state.Problem{Text: "no manager answers"}
	}
	for _, h := range w.hosts {
		st.Hosts = append(st.Hosts, w.hostState(h))
	}
	for _, name := range sorted(w.repos) {
		st.Repositories = append(st.Repositories, w.repos[name].state(name))
	}
	return st
}

func (w *World) hostState(h *host) state.Host {
	s := state.Host{Name: h.name, Address: h.address, Target: "root@" + h.address, Looked: state.Present,
		MachineID: h.machine, HostKey: "SHA256:" + h.machine, Hostname: h.name, BootID: "boot", System: "linux/amd64", RunToken: h.token,
		Service: state.Service{Unit: "docker.service", Socket: "docker.socket", ActiveState: "inactive"},
		Engine:  state.Engine{Answered: state.Absent},
		SwarmDir: state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", ClusterID: SwarmID, Role: "manager",
			NodeID: h.nodeID, CertificateExpiry: w.Clock.Now().Add(60 * 24 * time.Hour), CertificateSHA256: "c0ffee", HasKey: true, HasRootCA: true,
			HasRaft: true, HasStateFile: true, Locked: w.Autolock, Bytes: 1 << 20, FreeBytes: 10 << 30, FreeInode: 1 << 20}}
	if w.Faults.Unreached[h.name] || h.off {
		return state.Host{Name: h.name, Address: h.address, Target: s.Target, Looked: state.Absent,
			Problem: &state.Problem{Code: "RQ301", Text: "connection timed out"}}
	}
	if h.up {
		s.Service.ActiveState = "active"
		s.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "active",
			ControlAvailable: !h.worker || w.Clock.Now().Before(h.controlsUntil), NodeID: h.nodeID, NodeAddr: h.address, ClusterID: SwarmID}
		if h.locked {
			s.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "locked"}
		}
	}
	w.diskState(h, &s)
	s.Schedules = seenSchedules(h)
	for _, id := range h.order() {
		s.Runs = append(s.Runs, h.runs[id].HostRun)
	}
	return s
}

// swarm is the swarm as a manager tells it, nil without a quorum.
func (w *World) swarm() *state.Swarm {
	now := w.Clock.Now()
	epoch, from, live := w.live()
	if !live {
		return nil
	}
	sw := &state.Swarm{ID: SwarmID, CreatedAt: now.Add(-1000 * time.Hour), SeenFrom: from, Autolock: w.Autolock, UnlockKeyKnown: w.Autolock,
		KeyUndelivered: w.undelivered(),
		Epoch:          epoch, VersionIndex: w.Index, Objects: state.Objects{Nodes: len(w.hosts), Services: 1, Secrets: 2}}
	led := false
	for _, h := range w.hosts {
		if h.nodeID == "" {
			continue // its old entry is removed with its return
		}
		n := state.SwarmNode{ID: h.nodeID, Hostname: h.name, Role: "manager", Availability: "drain", Status: "down", Addr: h.address,
			ManagerAddr: h.address + ":2377", Reachability: "unreachable", EngineVersion: "28.5.2"}
		if !slices.Contains(w.epochs[epoch], h.nodeID) {
			n.ManagerAddr, n.Reachability = "", ""
		} else if h.epoch == epoch && h.reachable(now) {
			n.Status, n.Reachability = "ready", "reachable"
			n.Leader = h.leader
			led = led || h.leader
		}
		h.show(&n, now)
		sw.Nodes = append(sw.Nodes, n)
	}
	sw.Nodes = append(sw.Nodes, w.left...)
	for i := range sw.Nodes {
		if !led && sw.Nodes[i].Reachability == "reachable" {
			sw.Nodes[i].Leader, led = true, true
		}
	}
	sort.Slice(sw.Nodes, func(i, j int) bool { return sw.Nodes[i].ID < sw.Nodes[j].ID })
	return sw
}

// MakeLeader lets another manager lead.
func (w *World) MakeLeader(name string) {
	for _, h := range w.hosts {
		h.leader = h.name == name
	}
}

// SetMachine puts another machine behind a node's address.
func (w *World) SetMachine(name, machine string) { w.host(name).machine = machine }

// SetEngine stops or starts an engine behind the run's back.
func (w *World) SetEngine(name string, up bool) {
	h := w.host(name)
	if up {
		w.startHost(h, w.Clock.Now())
	}
	h.up = up
}

// Forget removes a run behind the program's back.
func (w *World) Forget(node string) { w.host(node).runs = map[string]*run{} }

// SetToken lets a host have seen a run token.
func (w *World) SetToken(node string, token uint64) { w.host(node).token = token }

// End tells what is not as it must be at the end of a run that reached its
// goal: so many verified backups, engines running and unlocked, no run on a
// host, no lock held, and no rule broken on the way.
func (w *World) End(backups int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	wrong := append([]string(nil), w.violations...)
	have := 0
	for _, name := range sorted(w.repos) {
		r := w.repos[name]
		have += len(r.backups)
		if len(r.partial) > 0 {
			wrong = append(wrong, "partial objects in "+name)
		}
		if r.lock != nil {
			wrong = append(wrong, "a lock is held in "+name)
		}
		for _, b := range r.backups {
			if b.Verified == "" {
				wrong = append(wrong, "an unverified backup "+b.ID)
			}
		}
	}
	if have != backups {
		wrong = append(wrong, fmt.Sprintf("%d backups, want %d", have, backups))
	}
	for _, h := range w.hosts {
		if h.off || h.out {
			continue
		}
		if !h.up || h.locked || h.held != "" || !h.ready(w.Clock.Now()) {
			wrong = append(wrong, h.name+" is down or locked")
		}
		if len(h.runs) > 0 {
			wrong = append(wrong, h.name+" has a run left")
		}
	}
	return wrong
}

// Stops is how often an engine was stopped.
func (w *World) Stops() int { return w.stops }

// Violations are the rules that were broken.
func (w *World) Violations() []string { return w.violations }
