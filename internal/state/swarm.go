package state

import "time"

// EpochLabel is the label on the swarm's spec that names its epoch: every
// forced or restored cluster opens a new one (safety rule 5). A swarm without
// the label is in the epoch "" (the first).
const EpochLabel = "io.requeen.epoch"

// Swarm is the swarm as one manager's API tells it.
type Swarm struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Epoch     string    `json:"epoch,omitempty"`
	SeenFrom  string    `json:"seen_from"` // the node's name in the configuration
	Autolock  bool      `json:"autolock"`
	// UnlockKeyKnown tells that a live manager gave the unlock key when asked;
	// the key itself is never kept in a State.
	UnlockKeyKnown bool `json:"unlock_key_known,omitempty"`
	// VersionIndex is the highest object version seen: a lower bound of the
	// raft index at the time of the look.
	VersionIndex uint64      `json:"version_index"`
	Nodes        []SwarmNode `json:"nodes"` // sorted by ID
	Objects      Objects     `json:"objects"`
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
