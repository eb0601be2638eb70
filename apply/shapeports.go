package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// Shape is one change of a cluster's shape, as a port is told of it. It holds no
// secret: the port resolves tokens and keys itself.
type Shape struct {
	// ID names the plan's changes where one of them leaves its name in the swarm:
	// YYYYMMDDThhmmssZ-<6 hex>, of the plan's own time and digest.
	ID      string
	Cluster string // the cluster block's label
	SwarmID string
	Node    string // the node's name in the configuration, "" where it is not declared
	Entry   string // the swarm's ID of the node's entry, "" where the host's own is meant
	Token   uint64 // the lock's number (safety rule 20)
	// Host is the node's host as it was last seen, zero where it is not declared.
	Host state.Host
	// Through are the managers by which the swarm is asked and told, the likeliest
	// to answer first; the node itself is the last.
	Through []Manager

	Role         string            // of a join, and the one that a node is to take on
	Availability string            // "" leaves it as it is
	Labels       map[string]string // all that the node is to have; nil leaves them as they are
	Settings     Settings
	KeyTo        KeyTo // where the unlock key goes that auto-lock makes; zero for nowhere
	Service      string
	// Mark tells a service's update with force from that of another step, so that
	// it is made once.
	Mark string
}

// Manager is one by which a swarm is told of a change.
type Manager struct {
	Name      string // the node's name in the configuration
	NodeID    string
	Address   string // where other nodes join, with its port
	MachineID string
}

// Settings are what a swarm's spec is to have; nil stays as it is.
type Settings struct {
	Autolock                   *bool
	TaskHistoryLimit           *int64
	CertExpiry                 *time.Duration
	SnapshotInterval           *uint64
	LogEntriesForSlowFollowers *uint64
	HeartbeatTick              *int
	ElectionTick               *int
	DispatcherHeartbeat        *time.Duration
}

// ErrNoManager is a port's word that none of Shape.Through took a change or gave an
// answer now, and that asking again does no harm: a leader is being elected, or
// leads elsewhere than was seen.
var ErrNoManager = errors.New("no manager of the swarm answers")

// Shaper changes a cluster's shape. Every method may be called again for the same
// change, also after it was cut anywhere, and then ends the same. What changes
// something checks machine and run token of the host through which it goes, while
// nobody else of requeen's changes anything there (safety rules 17, 20); all but
// ReadyShape give ErrNoManager where no manager answers.
type Shaper interface {
	// ReadyShape finds out before the first effect whether KeyTo can take a key. It
	// changes nothing.
	ReadyShape(ctx context.Context, s Shape) error

	// JoinNode joins a host whose engine is in no swarm, in the role, at its declared
	// address. It refuses a host that holds anything of a swarm (safety rule 2) and
	// one from which no manager can be connected to; one that joins this swarm
	// already, or is in it, is left alone.
	JoinNode(ctx context.Context, s Shape) error
	// NodeReady tells whether the host's engine is in the swarm, and the swarm has it
	// as ready in the role, as a manager reachable. The error of an engine that gave
	// up joining is a *NotJoinedError.
	NodeReady(ctx context.Context, s Shape) (ready bool, seen string, err error)

	// SetRole lets the swarm make the entry's node a manager or a worker.
	SetRole(ctx context.Context, s Shape) error
	// HasRole tells whether it is one: the swarm has a manager as reachable, and a
	// worker as no manager, which also its own engine says where it can be asked.
	HasRole(ctx context.Context, s Shape) (has bool, seen string, err error)

	// LeaveSwarm takes a worker's engine out of the swarm. It refuses a manager's;
	// one that is in no swarm is left alone.
	LeaveSwarm(ctx context.Context, s Shape) error
	// HasLeft tells whether the engine is in no swarm and its entry down or gone.
	HasLeft(ctx context.Context, s Shape) (left bool, seen string, err error)

	// RemoveNode removes the entry with force. It refuses a manager's.
	RemoveNode(ctx context.Context, s Shape) error
	// IsRemoved tells whether the swarm has no such entry.
	IsRemoved(ctx context.Context, s Shape) (removed bool, seen string, err error)

	// ChangeNode gives the entry, or where none is named that of the host's own
	// present node ID, availability and labels.
	ChangeNode(ctx context.Context, s Shape) error
	// NodeHas tells whether it has them, and how many tasks a drained node that is
	// up has still to end.
	NodeHas(ctx context.Context, s Shape) (has bool, tasks int, err error)

	// ChangeSwarm gives the swarm's spec the settings. Where KeyTo is set and
	// auto-lock is turned on, it notes in the same update that its key is not
	// delivered yet.
	ChangeSwarm(ctx context.Context, s Shape) error
	// SwarmHas tells whether the spec has the settings, and no note of this change
	// that its key is still to be delivered.
	SwarmHas(ctx context.Context, s Shape) (has bool, err error)
	// DeliverKey brings the unlock key that is valid to KeyTo, and notes that. The
	// sentence says where it is, and never what.
	DeliverKey(ctx context.Context, s Shape) (seen string, err error)
	// Sealed tells whether every one of the hosts that is an active manager has its
	// node key sealed with the unlock key that is valid.
	Sealed(ctx context.Context, s Shape, hosts []state.Host) (all bool, seen string, err error)

	// ForceService lets the service's tasks be started anew, once for a mark. A
	// service that is not there is a *NoServiceError, a job is refused.
	ForceService(ctx context.Context, s Shape) error
	// Converged tells whether that was done and the update is over; the error of one
	// that is not to get there is an *UpdateStoppedError.
	Converged(ctx context.Context, s Shape) (converged bool, seen string, err error)
}

// NotJoinedError is a join that an engine has given up.
type NotJoinedError struct {
	Node string
	Text string // the engine's, "" where it says nothing
}

func (e *NotJoinedError) Error() string {
	if e.Text == "" {
		return e.Node + "'s engine is in no swarm, and joins none"
	}
	return e.Node + "'s engine is in no swarm, and joins none: " + e.Text
}

// UpdateStoppedError is a service's update that the swarm has paused or rolled back.
type UpdateStoppedError struct {
	Service string
	State   string // the swarm's word
	Text    string // the swarm's, of why
}

func (e *UpdateStoppedError) Error() string {
	return fmt.Sprintf("the update of %s is %s: %s", e.Service, e.State, e.Text)
}

// NoServiceError says that the swarm has no service of a name.
type NoServiceError struct{ Service string }

func (e *NoServiceError) Error() string { return "the swarm has no service " + e.Service }
