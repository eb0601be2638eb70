package apply

import (
	"context"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// Ports is what a run needs of the world.
type Ports struct {
	Observer Observer
	Hosts    Hosts
	Archive  Archive
	// Recoverer may be nil where no plan with a recovery is run.
	Recoverer Recoverer
	// Shaper may be nil where no plan that changes the cluster's shape is run.
	Shaper Shaper
	// Scheduler may be nil where no plan that puts schedules on hosts is run.
	Scheduler Scheduler
	// Data may be nil where no plan with steps on the applications' data is run.
	Data  Data
	Clock Clock
	Sink  Sink
}

// Observer looks at the world again: before the first effect, and where a guard
// asks for it.
type Observer interface {
	Observe(ctx context.Context) (*state.State, error)
}

// Run is what a backup's detached run on a host is told. The unlock key is not
// in it: the port fetches it (Hosts.Ready) and hands it to the host itself.
type Run struct {
	ID         string // the backup's ID
	Cluster    string // the cluster block's label
	Backup     string // the backup block's label
	Repository string // the repository block's label
	Node       string // the node's name in the configuration
	NodeID     string // the swarm's
	SwarmID    string
	Autolocked bool
	// Restart tells StartEngine that the engine runs, has forgotten its swarm, and is to
	// be stopped before.
	Restart bool
	Token   uint64 // the lock's number (safety rule 20)
	// Later tells Ready that a recovery of the same plan comes first, which may
	// leave the manager sealed with another unlock key than now.
	Later bool
	// Host is the node's host as the guard saw it just now; the effect checks
	// its machine and certificate again in the shell that acts (rule 17).
	Host state.Host
}

// Hosts acts on the managers' machines.
type Hosts interface {
	// Ready resolves what a later BeginBackup will need before the first
	// effect: the unlock key of an auto-locked swarm from a live manager or the
	// configuration, and where the run has an ID the helper on the host. It changes
	// nothing of the swarm.
	Ready(ctx context.Context, run Run) error
	// BeginBackup launches the detached run that stops the engine, copies the
	// swarm directory, starts the engine and unlocks it. It returns when the
	// host has taken over. It may be called again for the same run and then
	// changes nothing.
	BeginBackup(ctx context.Context, run Run) error
	// RunStatus tells how far a detached run has come; found is false when the
	// host knows no such run.
	RunStatus(ctx context.Context, node, runID string) (status state.HostRun, found bool, err error)
	// StartEngine starts an engine that is stopped, by a cut run or whatever else; with
	// run.Restart one that runs is restarted. Without a run's ID it is started only on
	// the node certificate of run.Host.
	StartEngine(ctx context.Context, run Run) error
	// Unlock unlocks a manager with the key from a live manager or the
	// configuration. It must not be called without a quorum.
	Unlock(ctx context.Context, run Run) error
	// Reachable tells whether another manager's account (the leader's where it
	// answers) has this node as a reachable manager; with a single manager, whether it leads
	// again. The sentence says what was seen.
	Reachable(ctx context.Context, node, nodeID string) (reachable bool, seen string, err error)
	// RemoveRun removes a run's directory, copy, unit and timer. It may be
	// called again.
	RemoveRun(ctx context.Context, node, runID string, token uint64) error
}

// StoreRequest is a copy to be made a backup.
type StoreRequest struct {
	Run    Run
	Status state.HostRun // of the run that made the copy
	// MinIndex is the raft index that the swarm was seen to have before the
	// stop: a copy that ends below it is refused.
	MinIndex      uint64
	EngineVersion string
	Address       string // that the node advertised
	ToolVersion   string
	Data          []StoredData // read before the stop, and stored under the same ID
}

// Archive keeps backups and the shared lock.
type Archive interface {
	// Lock takes the repository's lock; minNumber is the highest run token
	// that a host has seen, which the lock's number must exceed. The error of a
	// lock that another run holds is a *HeldError.
	Lock(ctx context.Context, repository, runDigest string, minNumber uint64) (Lock, error)
	// Find gives a backup by ID, found false when no manifest has it.
	Find(ctx context.Context, repository, id string) (backup state.Backup, found bool, err error)
	// Store streams the copy from the host, proves it readable on a private
	// copy, encrypts it, writes it and, last, its manifest. It begins by
	// removing what a cut earlier try of the same ID left. A copy that does
	// not verify is an *UnreadableError and leaves nothing.
	Store(ctx context.Context, req StoreRequest, progress func(StoreProgress)) (state.Backup, error)
	// Copy stores in a repository the backup that another one holds, its manifest
	// last, and compares every digest. Of one that is there already it changes nothing;
	// what a cut copy left it removes first.
	Copy(ctx context.Context, q CopyRequest, progress func(StoreProgress)) (state.Backup, error)
	// Remove removes a backup, its manifest first. It looks first whether the backup
	// that Keeps names is there, verified and whole; where it is not, the error is a
	// *NotKeptError and nothing is removed. Of a backup that is gone already it
	// removes what a cut try left of it, and tells removed false. It refuses one that
	// is of another swarm or block than is said.
	Remove(ctx context.Context, r Removal) (removed bool, err error)
	// Sweep removes what uploads and removals that were cut left, once it is older
	// than any that may still be under way.
	Sweep(ctx context.Context, repository string) error
}

// Removal is a backup to be removed.
type Removal struct {
	Repository string // the repository block's label
	ID         string // the backup's ID
	Backup     string // the backup block's label
	SwarmID    string
	Keeps      string // the ID of the backup without which none is removed
}

// Lock is a held lock.
type Lock interface {
	Number() uint64
	// Lost is closed when another run has taken over or the heartbeat could
	// not be kept.
	Lost() <-chan struct{}
	// Check looks whether the lock still is this run's: a machine that slept
	// learns it only by looking (safety rule 20).
	Check(ctx context.Context) error
	Release(ctx context.Context) error
}

// StoreProgress is how far Store has come.
type StoreProgress struct {
	Stage string // "fetch", "prove", "store"
	Bytes int64  // done in this stage
	Total int64  // of this stage, 0 when not known
}

// StageStore is the stage in which what was proved is written where it stays.
const StageStore = "store"

// Clock is time as the run sees it, so that tests need not wait.
type Clock interface {
	Now() time.Time
	// After fires once d has passed.
	After(d time.Duration) <-chan time.Time
}

// Sink is told what happens, in order. It must not block for long.
type Sink interface {
	Event(Event)
}
