package apply

import (
	"context"

	"github.com/requeen/requeen/internal/state"
)

// Operation is one recovery's work on one node, as a port is told of it. It holds
// no secret: the port resolves keys and tokens itself.
type Operation struct {
	ID      string // the recovery's, and the epoch that it opens
	Cluster string // the cluster block's label
	SwarmID string
	Node    string // the node's name in the configuration
	NodeID  string // the swarm's, "" for a host without state
	Token   uint64 // the lock's number (safety rule 20)
	// Host is the node's host as it was last seen; what acts checks its machine
	// and certificate again in the shell that acts (safety rule 17).
	Host state.Host

	Source        string // the manager out of which the cluster is made, in the configuration
	Address       string // what the source advertises, with its port
	ListenAddr    string
	DataPathAddr  string
	Autolock      bool
	Repository    string // of the safety copy, or of the backup that is restored
	Backup        string // the ID of the backup that is restored, "" when a survivor's own state is
	RaftIDs       []string
	TermAbove     uint64
	FreshIdentity bool
	// ReplacesLocked tells that a restore replaces an auto-locked swarm that
	// answers.
	ReplacesLocked bool
	// Unfenced are the addresses that must not answer when the cluster is forced.
	Unfenced []string

	Role         string            // of a join
	Labels       map[string]string // declared, nil where none are
	Availability string            // declared, "" where none is
	Entry        string            // the swarm's ID of an old entry
	Keep         bool              // of a join: with the certificates that are on the host
	KeyTo        KeyTo             // of a rotation of the unlock key, and of what is made ready for it
	Command      string            // of a check
	Withheld     Withheld          // of what is prepared: who waits for data
	Saves        bool              // of what is made ready: something will be stored in the repository
	ToolVersion  string
}

// KeyTo is where a rotated unlock key goes; zero for nowhere.
type KeyTo struct {
	File       string // relative to the configuration's directory, or absolute
	Repository string // to whose recipients the file is encrypted
	Command    string // that reads the key on its standard input
}

// Withheld says who is without tasks in a prepared swarm until the data are back: the
// services that mount one of the volumes, see one of the paths, or are named.
type Withheld struct {
	Volumes, Paths, Services []string
	Label                    string // the value of state.ScaleWaitsLabel; "" withholds nobody
}

// Recoverer acts for recoveries. Every method may be called again for the same
// operation, also after it was cut anywhere, and then ends the same.
type Recoverer interface {
	DataRestorer

	// ReadyRecovery resolves what the operations to come will need before the
	// first effect: unlock key, identity, and that op.KeyTo can take a key. It
	// changes nothing.
	ReadyRecovery(ctx context.Context, op Operation) error
	// Retain keeps a container's volumes from being removed with it, by a container
	// that mounts them too and is never started. held is its name, "" where the
	// container to be removed is gone already.
	Retain(ctx context.Context, op Operation, container string, volumes []string) (held string, err error)
	// Hold stops the engine and keeps it from starting.
	Hold(ctx context.Context, op Operation) error
	// Fence holds the host and sets its raft state aside, where it tells.
	Fence(ctx context.Context, op Operation) (aside string, err error)
	// Save stores what a held host's swarm directory holds as a safety copy.
	Save(ctx context.Context, op Operation, progress func(StoreProgress)) (state.Backup, error)
	// Prepare makes the new swarm directory out of the backup, or of what the
	// held host holds, in memory-backed storage, and lays it beside the old
	// one. The sentence says what was made of what. Before the host is touched
	// progress is told StageStore.
	Prepare(ctx context.Context, op Operation, progress func(StoreProgress)) (seen string, err error)
	// Swap puts the prepared directory in place and the old one aside.
	Swap(ctx context.Context, op Operation) (aside string, err error)
	// Lift lets the engine start again, and starts it.
	Lift(ctx context.Context, op Operation) error
	// StartEngines starts stopped engines side by side, and restarts those that
	// forgot their swarm.
	StartEngines(ctx context.Context, ops []Operation) error
	// UnlockEngines gives all of them the unlock key at once: together they are
	// a quorum, and an unlock without one hangs an engine.
	UnlockEngines(ctx context.Context, ops []Operation) error
	// Answering probes the addresses of op.Unfenced from the source's host, and
	// gives those that answer.
	Answering(ctx context.Context, op Operation) ([]string, error)
	// Force makes the new cluster.
	Force(ctx context.Context, op Operation) error
	// Leads tells whether the node leads the swarm by its own account.
	Leads(ctx context.Context, op Operation) (leads bool, seen string, err error)
	// Missing compares the swarm with what it was made from, and names what is
	// not in it, "" where all is; compared is false where the source is not at
	// hand any more.
	Missing(ctx context.Context, op Operation) (missing string, compared bool, err error)
	// JoinSwarm lets the host's engine start and joins it through the source.
	JoinSwarm(ctx context.Context, op Operation) error
	// NotReady asks the source once, and names those of the operations' nodes that
	// it does not see as ready under the node IDs that they have.
	NotReady(ctx context.Context, ops []Operation) (names []string, err error)
	// TakeOver gives the node's entry the labels and availability of its old
	// entry, or the declared ones.
	TakeOver(ctx context.Context, op Operation) error
	// RotateJoinTokens makes both join tokens anew.
	RotateJoinTokens(ctx context.Context, op Operation) error
	// RotateUnlockKey makes the swarm's unlock key anew, once for a recovery.
	RotateUnlockKey(ctx context.Context, op Operation) error
	// DeliverUnlockKey asks a live manager for the unlock key that is valid and
	// brings it to op.KeyTo. The sentence says where it is, and never what.
	DeliverUnlockKey(ctx context.Context, op Operation) (seen string, err error)
	// Resealed tells whether every one of the hosts that is an active manager
	// has its node key sealed with the unlock key that is valid: one that is
	// stopped before comes back under the old key.
	Resealed(ctx context.Context, ops []Operation) (all bool, seen string, err error)
	// RunCheck runs op.Command where requeen runs; each line that it writes is
	// told. The error is of a command that did not succeed in its time, with the
	// end of what it wrote.
	RunCheck(ctx context.Context, op Operation, line func(string)) error
	// RemoveEntry removes the old entry; one that is not there is removed.
	RemoveEntry(ctx context.Context, op Operation) error
	// Joined tells whether a manager of the swarm has the node, ready, and
	// reachable where it is a manager.
	Joined(ctx context.Context, op Operation) (joined bool, seen string, err error)
}
