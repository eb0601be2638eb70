package state

import "time"

// EpochLabel is the label on the swarm's spec that names its epoch: every
// forced or restored cluster opens a new one (safety rule 5). A swarm without
// the label is in the epoch "" (the first).
const EpochLabel = "io.requeen.epoch"

// ParentEpochLabel is the label beside it that names the epoch before, absent for
// the first.
const ParentEpochLabel = "io.requeen.parent-epoch"

// UnlockKeyLabel is the label beside them that names the recovery for which the
// unlock key was made anew, written in the very update that did it, and whether the
// key has reached its place since: "ID rotated", then "ID delivered".
const UnlockKeyLabel = "io.requeen.unlock-key"

// MovesLabel is the label on an entry of the list of nodes that names the declared
// node which is to leave and to join again under a new ID: what the old entry has is
// the new one's then, and the old one is removed.
const MovesLabel = "io.requeen.moves"

// RebalanceLabel is the label on an entry of the list of nodes that says that the node
// has joined, and that the services which are to be spread over it are not yet.
const RebalanceLabel = "io.requeen.rebalance"

// The words behind the recovery's ID in UnlockKeyLabel.
const (
	KeyRotated   = " rotated"
	KeyDelivered = " delivered"
)

// Swarm is the swarm as one manager's API tells it.
type Swarm struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Epoch     string    `json:"epoch,omitempty"`
	// ParentEpoch is the epoch that Epoch was opened after, "" for the first.
	ParentEpoch string `json:"parent_epoch,omitempty"`
	SeenFrom    string `json:"seen_from"` // the node's name in the configuration
	Autolock    bool   `json:"autolock"`
	// UnlockKeyKnown tells that a live manager gave the unlock key when asked;
	// the key itself is never kept in a State.
	UnlockKeyKnown bool `json:"unlock_key_known,omitempty"`
	// KeyUndelivered is the recovery that made the unlock key anew and was cut
	// before the key had reached its place, "" where none was.
	KeyUndelivered string `json:"key_undelivered,omitempty"`
	// VersionIndex is the highest object version seen: a lower bound of the
	// raft index at the time of the look.
	VersionIndex uint64      `json:"version_index"`
	Nodes        []SwarmNode `json:"nodes"` // sorted by ID
	Objects      Objects     `json:"objects"`

	// Services are those that data sources of backups name, and those that carry
	// ScaleLabel, sorted by Name; nil where a recorded state does not tell them.
	Services []ServiceScale `json:"services,omitzero"`

	// Settings are the swarm's spec and what was fixed when it was made; nil
	// where a recorded state does not tell them.
	Settings *SwarmSettings `json:"settings,omitempty"`
	// RootCASHA256 is the digest of the root CA that the swarm's nodes trust, as
	// RootCADigest gives it; empty where it is not known.
	RootCASHA256 string `json:"root_ca_sha256,omitempty"`
	// RootRotating tells that a rotation of the swarm's CA is under way.
	RootRotating bool `json:"root_rotating,omitempty"`
}

// SwarmSettings are a swarm's settings as GET /swarm tells them, with the
// engine's defaults filled in. Durations are in nanoseconds in JSON.
type SwarmSettings struct {
	TaskHistoryLimit           int64         `json:"task_history_limit"`
	CertExpiry                 time.Duration `json:"cert_expiry"`
	SnapshotInterval           uint64        `json:"snapshot_interval"`
	LogEntriesForSlowFollowers uint64        `json:"log_entries_for_slow_followers"`
	HeartbeatTick              int           `json:"heartbeat_tick"`
	ElectionTick               int           `json:"election_tick"`
	DispatcherHeartbeat        time.Duration `json:"dispatcher_heartbeat"`
	// Fixed when the swarm was made.
	DataPathPort              uint32   `json:"data_path_port,omitempty"`
	DefaultAddrPool           []string `json:"default_addr_pool,omitempty"` // networks in CIDR form
	DefaultAddrPoolMaskLength uint32   `json:"default_addr_pool_mask_length,omitempty"`
}

// SwarmNode is an entry in the swarm's list of nodes.
type SwarmNode struct {
	ID            string            `json:"id"`
	Hostname      string            `json:"hostname"`
	Role          string            `json:"role"`         // manager, worker (desired)
	Availability  string            `json:"availability"` // active, pause, drain
	Status        string            `json:"status"`       // ready, down, unknown, disconnected
	Addr          string            `json:"addr"`         // as the dispatcher sees it
	ManagerAddr   string            `json:"manager_addr,omitempty"`
	Reachability  string            `json:"reachability,omitempty"` // reachable, unreachable, unknown; managers only
	Leader        bool              `json:"leader,omitempty"`
	EngineVersion string            `json:"engine_version,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	RunningTasks  int               `json:"running_tasks"`
	// ChangedAt is when the entry was last changed, by a manager's clock: a node that
	// is down has been so since then at the latest. Zero where it was not told.
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

// Objects counts what a swarm holds.
type Objects struct {
	Nodes    int `json:"nodes"`
	Services int `json:"services"`
	Networks int `json:"networks"`
	Secrets  int `json:"secrets"`
	Configs  int `json:"configs"`
	Tasks    int `json:"tasks"`
}

// Account is what one manager says of the swarm that it is in: whom it follows, and
// in which epoch.
type Account struct {
	Leader      string `json:"leader"` // the swarm's ID of the node that leads
	Epoch       string `json:"epoch,omitempty"`
	ParentEpoch string `json:"parent_epoch,omitempty"`
}
