package applytest

import (
	"sort"

	"github.com/requeen/requeen/internal/state"
)

// disk is what a disaster and a recovery change on a host.
type disk struct {
	off   bool // the machine is down
	epoch string
	held  string // the recovery that holds the engine

	forgot                        bool // the engine, as it runs, knows no swarm
	certificates, raft, stateFile bool

	staged     string // the recovery whose prepared directory is beside the one in use
	recoveries []state.HostRecovery
}

// Crash turns a manager's machine off.
func (w *World) Crash(name string) {
	h := w.host(name)
	h.off, h.up, h.downAt = true, false, w.Clock.Now()
}

// Orphan lets a manager's engine lose docker-state.json, so that it knows no swarm.
func (w *World) Orphan(name string) { w.host(name).stateFile = false }

// Forgets lets a manager's engine run without its swarm until it is started again.
func (w *World) Forgets(name string) { w.host(name).forgot = true }

// Wipe takes a manager's swarm directory away; its engine is in no swarm.
func (w *World) Wipe(name string) {
	h := w.host(name)
	h.disk, h.nodeID, h.locked = disk{}, "", false
}

// live finds the swarm that has a quorum; two are a broken rule.
func (w *World) live() (epoch, from string, ok bool) {
	now := w.Clock.Now()
	if now.Before(w.electingUntil) {
		return "", "", false
	}
	var names []string
	for e := range w.epochs {
		names = append(names, e)
	}
	sort.Strings(names)
	for _, e := range names {
		up, first := 0, ""
		for _, h := range w.hosts {
			if h.epoch != e || !h.reachable(now) {
				continue
			}
			up++
			if first == "" {
				first = h.name
			}
		}
		if up == 0 || up < len(w.epochs[e])/2+1 {
			continue
		}
		if ok {
			w.violate("two swarms live: of the epochs %q and %q", epoch, e)
		}
		epoch, from, ok = e, first, true
	}
	return epoch, from, ok
}

// diskState puts what a look at the host's disk shows into its state.
func (w *World) diskState(h *host, s *state.Host) {
	d := &s.SwarmDir
	d.HasRaft, d.HasStateFile = h.raft, h.stateFile
	if !h.certificates {
		*d = state.SwarmDir{Presence: state.Absent, FreeBytes: 10 << 30, FreeInode: 1 << 20}
	}
	if h.held != "" {
		s.Service.Holds = []string{"/var/lib/requeen/recoveries/" + h.held + "/hold"}
	}
	s.Recoveries = append(s.Recoveries, h.recoveries...)
	inSwarm := h.raft && h.stateFile || h.worker && h.certificates
	if h.worker {
		d.Role = "worker"
	}
	if h.advertised != "" {
		d.AdvertiseAddr = h.advertised + ":2377"
	}
	_, _, live := w.live()
	switch {
	case h.up && !h.locked && (!inSwarm || h.forgot):
		s.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	case h.up && !h.locked && !live:
		s.Engine.SwarmError = "rpc error: code = Unknown desc = The swarm does not have a leader."
	}
	if h.raft && !live {
		d.Raft = w.log(h)
	}
}

func (w *World) log(h *host) *state.RaftReport {
	r := &state.RaftReport{Term: 7, Index: w.Index, Commit: w.Index, RaftID: "f" + h.nodeID, ClusterID: SwarmID, Epoch: h.epoch, NodeID: h.nodeID, Role: "manager"}
	members := w.epochs[h.epoch]
	if h.epoch != "" {
		r.Term = 1007
	}
	if len(members) == 0 {
		members = []string{h.nodeID}
	}
	for _, id := range members {
		r.Members = append(r.Members, state.Member{RaftID: "f" + id, NodeID: id, Addr: "10.0.0.1" + id[len(id)-1:] + ":2377"})
	}
	r.ManagerNodes = w.epochs[""]
	return r
}
