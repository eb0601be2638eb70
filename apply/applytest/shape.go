package applytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// How long what changes a swarm's shape takes to be so, and an engine to hear of it.
const (
	roleTakes  = 1 * time.Second
	hearTakes  = 1 * time.Second
	joinTakes  = 2 * time.Second
	downTakes  = 3 * time.Second
	drainTakes = 2 * time.Second
	electTakes = 2 * time.Second
	forceTakes = 3 * time.Second
)

// shaped is what of the swarm's shape is no host's.
type shaped struct {
	left          []state.SwarmNode // entries whose host has gone
	joins         int
	electingUntil time.Time
	services      map[string]*service
	settings      state.SwarmSettings
}

// part is how a host takes part in the swarm.
type part struct {
	out           bool // in no swarm, as it is to be
	worker        bool
	becomes       string // the role that it is about to take on
	becomesAt     time.Time
	controlsUntil time.Time // its engine says until then that it is a manager
	labels        map[string]string
	availability  string
	tasks         int
	advertised    string // in place of its address
	downAt        time.Time
	drainedAt     time.Time
}

type service struct {
	marks       []string // of every update with force
	convergesAt time.Time
	stopped     string
}

// AddHost adds a host whose engine is in no swarm.
func (w *World) AddHost(name string) {
	n := len(w.hosts) + 1
	w.hosts = append(w.hosts, &host{name: name, machine: fmt.Sprintf("machine%d", n), address: fmt.Sprintf("10.0.0.1%d", n),
		up: true, runs: map[string]*run{}, part: part{out: true}})
}

// AddWorker adds a worker of the swarm.
func (w *World) AddWorker(name string) {
	w.AddHost(name)
	h := w.host(name)
	h.nodeID, h.disk, h.part = "id-"+name, disk{certificates: true, stateFile: true}, part{worker: true, availability: "active"}
}

// AddService adds a service of the swarm.
func (w *World) AddService(name string) {
	if w.services == nil {
		w.services = map[string]*service{}
	}
	w.services[name] = &service{}
}

// MendService lets an update that was stopped come to its end.
func (w *World) MendService(name string) { w.services[name].stopped, w.Faults.UpdateStops = "", "" }

// SetTasks lets so many tasks run on a node.
func (w *World) SetTasks(name string, tasks int) { w.host(name).tasks = tasks }

// Forced are the marks with which a service was updated.
func (w *World) Forced(name string) []string { return w.services[name].marks }

// Elect lets no manager lead for a while.
func (w *World) Elect(d time.Duration) { w.electingUntil = w.Clock.Now().Add(d) }

// Sealed tells whether every manager has had the time to seal its key.
func (w *World) Sealed() bool { return !w.Clock.Now().Before(w.sealedAt) }

// Settings are those that the swarm was given.
func (w *World) Settings() state.SwarmSettings { return w.settings }

// Advertise lets a manager have joined at another address than its own.
func (w *World) Advertise(name, address string) { w.host(name).advertised = address }

// ready tells whether a host takes part as it is to.
func (h *host) ready(now time.Time) bool {
	if !h.worker {
		return h.reachable(now)
	}
	return h.up && !h.forgot && !h.off && h.certificates && h.stateFile && h.becomes == "" && !now.Before(h.seenAt)
}

// settleRole lets a host be what it has become by now.
func (w *World) settleRole(h *host, now time.Time) {
	if h.becomes == "" || now.Before(h.becomesAt) {
		return
	}
	voters := w.epochs[h.epoch]
	switch h.becomes {
	case "manager":
		h.worker, h.raft = false, true
		if !slices.Contains(voters, h.nodeID) {
			voters = append(voters, h.nodeID)
		}
	case "worker":
		if h.leader {
			h.leader, w.electingUntil = false, h.becomesAt.Add(electTakes)
		}
		h.worker, h.raft, h.controlsUntil = true, false, h.becomesAt.Add(hearTakes)
		voters = slices.DeleteFunc(slices.Clone(voters), func(id string) bool { return id == h.nodeID })
	}
	w.epochs[h.epoch], h.becomes = voters, ""
}

// show puts into a node's entry what of it may have been changed.
func (h *host) show(n *state.SwarmNode, now time.Time) {
	if h.labels != nil {
		n.Labels = h.labels
	}
	n.Availability = h.availability
	if h.off {
		n.ChangedAt = h.downAt
	}
	if h.advertised != "" && n.ManagerAddr != "" {
		n.ManagerAddr = h.advertised + ":2377"
	}
	if h.worker {
		n.Role, n.ManagerAddr, n.Reachability, n.Leader = "worker", "", "", false
		if h.up && !h.forgot && !h.off && !now.Before(h.seenAt) {
			n.Status = "ready"
		}
	}
	if h.becomes != "" {
		n.Role = h.becomes
	}
}
