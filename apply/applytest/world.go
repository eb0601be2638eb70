package applytest

import (
	"fmt"
	"sync"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// SwarmID is the ID of the fake swarm.
const SwarmID = "swarm1"

// ClusterName is the cluster block's label.
const ClusterName = "prod"

// Faults are what goes wrong in the world, until it is mended.
type Faults struct {
	DieAfter   state.Phase // the next unit ends once it has reached this phase
	FailCopy   bool        // the next unit fails while it copies
	FailStart  bool        // the next unit fails after its copy, with the engine started
	NeverReady bool        // the swarm goes on to see a manager as down whose engine runs
	NotIntact  bool        // something starts the engine while the next unit copies
	Unreadable bool        // copies do not verify
	Full       bool        // the repository has no room
	Unreached  map[string]bool
	Answers    []string // addresses of managers that answer though they were taken for lost
	Lacks      string   // what a new cluster lacks of its source

	Undelivered  bool   // a rotated unlock key can't be brought to its place
	FailingCheck string // the command that does not succeed

	JoinFails   string          // the next join is given up by its engine, which says this
	UpdateStops string          // the word at which the next update of a service stops
	NeverEmpty  bool            // a drained node keeps its tasks
	Walled      map[string]bool // from these hosts no manager can be connected to

	JoinsGivenUp int // so many of the next joins of recoveries are given up by their engines
	NoLeader     int // so many of the next calls that change an entry find no leader
}

// World is a fake swarm with its hosts and repositories. Set its fields before
// the run.
type World struct {
	Clock      *Clock
	Autolock   bool
	Index      uint64        // the raft index
	LockLife   time.Duration // how long a dead process's lock stays held; 0: seen at once to be dead
	DownMax    time.Duration // the hosts' rescue timers
	Faults     Faults
	Scheduling Scheduling
	// Hook is called before and after each call of a port, and between the
	// stages of a store. An error is given to the caller, after the effect
	// where the stage is After; a panic is the end of the process.
	Hook func(Call) error

	mu         sync.Mutex
	calls      int
	hosts      []*host
	repos      map[string]*repo
	epochs     map[string][]string // the node IDs that vote in the swarm of each epoch
	stops      int
	violations []string
	processes  int
	finish
	shaped
	appData

	// Unread are the data sources, by ID, that can't be read.
	Unread map[string]bool
	// ScaledUp is the service that somebody scales up while data is read.
	ScaledUp     string
	applications map[string]*application
	commands     []string
}

// The stages of a call.
const (
	Before = "before"
	After  = "after"
)

// Call is one call of a port.
type Call struct {
	N     int // from 1, over all stages
	Port  string
	Stage string
	Node  string
}

// New makes a healthy swarm of so many managers, m1 … , of which m1 leads, and
// a repository "offsite".
func New(managers int) *World {
	w := &World{
		Clock: NewClock(time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)),
		Index: 100, DownMax: 120 * time.Second, repos: map[string]*repo{}, epochs: map[string][]string{},
	}
	for i := 1; i <= managers; i++ {
		w.hosts = append(w.hosts, &host{
			name: fmt.Sprintf("m%d", i), nodeID: fmt.Sprintf("node%d", i), machine: fmt.Sprintf("machine%d", i),
			address: fmt.Sprintf("10.0.0.1%d", i), leader: i == 1, up: true, runs: map[string]*run{}, part: part{availability: "drain"},
			disk: disk{certificates: true, raft: true, stateFile: true},
		})
		w.epochs[""] = append(w.epochs[""], fmt.Sprintf("node%d", i))
	}
	w.AddRepository("offsite")
	return w
}

// AddRepository adds an empty repository.
func (w *World) AddRepository(name string) { w.repos[name] = &repo{backups: map[string]state.Backup{}} }

// DropRepository takes a repository out of the configuration.
func (w *World) DropRepository(name string) { delete(w.repos, name) }

// Process is one run of the program in the world: its locks live as long as it.
type Process struct {
	w       *World
	id      int
	diedAt  time.Time
	dead    bool
	Events  []apply.Event
	OnEvent func(apply.Event)
	// prepared are the recoveries whose directory this process has made.
	prepared map[string]bool
	lost     []chan struct{}
	taken    int
}

// Process starts a process.
func (w *World) Process() *Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes++
	return &Process{w: w, id: w.processes}
}

// Kill ends the process: its heartbeats stop.
func (p *Process) Kill() {
	p.dead, p.diedAt = true, p.w.Clock.Now()
}

// Locks is how many locks the process was ever given.
func (p *Process) Locks() int { return p.taken }

// LoseLocks lets another run take over the process's locks.
func (p *Process) LoseLocks() {
	for _, c := range p.lost {
		close(c)
	}
	p.lost = nil
}

// Ports are the world as the process sees it.
func (p *Process) Ports() apply.Ports {
	return apply.Ports{Observer: p, Hosts: p, Archive: p, Recoverer: p, Shaper: p, Scheduler: p, Data: p, Clock: p.w.Clock, Sink: p}
}

// Event keeps an event.
func (p *Process) Event(e apply.Event) {
	p.Events = append(p.Events, e)
	if p.OnEvent != nil {
		p.OnEvent(e)
	}
}

// call runs one call of a port between its hooks.
func (w *World) call(port, node string, f func() error) error {
	if err := w.point(port, Before, node); err != nil {
		return err
	}
	if w.Faults.Unreached[node] {
		return fmt.Errorf("%s: connection timed out", node)
	}
	w.mu.Lock()
	w.advance()
	err := f()
	w.mu.Unlock()
	if err != nil {
		return err
	}
	return w.point(port, After, node)
}

func (w *World) point(port, stage, node string) error {
	w.calls++
	if w.Hook == nil {
		return nil
	}
	return w.Hook(Call{N: w.calls, Port: port, Stage: stage, Node: node})
}

// Calls is how many points the hook was called at.
func (w *World) Calls() int { return w.calls }

// ResetCalls counts the hook's points from the beginning again.
func (w *World) ResetCalls() { w.calls = 0 }

func (w *World) host(name string) *host {
	for _, h := range w.hosts {
		if h.name == name {
			return h
		}
	}
	return nil
}

func (w *World) violate(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}
