package plan

import "time"

// Rung is a rung of the ladder of recovery.
type Rung string

// The rungs. The planner takes the lowest that reaches the goal.
const (
	RungStart   Rung = "start"             // stopped engines are started, locked managers unlocked
	RungForce   Rung = "force_new_cluster" // a new cluster out of the best survivor
	RungRestore Rung = "restore"           // a new cluster out of a backup
	RungGrow    Rung = "grow"              // managers come back into a swarm that answers
)

// Recovery is what a plan brings back, and on which evidence. It holds no
// secret: keys and tokens are resolved where the plan is applied.
type Recovery struct {
	// ID names the recovery on the hosts: YYYYMMDDThhmmssZ-<6 hex>. It is made
	// of the plan's own input, and is the new epoch where one is opened.
	ID   string `json:"id"`
	Rung Rung   `json:"rung"`
	// Node is the manager out of which the cluster is made, in the configuration.
	Node string `json:"node,omitempty"`
	// Address is what it advertises, with its port.
	Address      string `json:"address,omitempty"`
	ListenAddr   string `json:"listen_addr,omitempty"`
	DataPathAddr string `json:"data_path_addr,omitempty"`
	Autolock     bool   `json:"autolock,omitempty"`
	ParentEpoch  string `json:"parent_epoch,omitempty"`
	// Repository is where the safety copy goes, or the backup comes from.
	Repository string `json:"repository,omitempty"`
	Backup     string `json:"backup,omitempty"` // the ID of the backup that is restored
	// Asked tells that the operator asked for this restore, also of a swarm that
	// is well: then its quorum is given up on purpose.
	Asked bool `json:"asked,omitempty"`
	// RaftIDs are those of other managers, hex, as read in every log: none may
	// ever be a member again. TermAbove is the highest term that was read.
	RaftIDs   []string `json:"raft_ids,omitempty"`
	TermAbove uint64   `json:"term_above,omitempty"`
	// FreshIdentity: the backup is another host's, whose node ID and raft ID stay
	// its own (safety rule 3).
	FreshIdentity bool       `json:"fresh_identity,omitempty"`
	Survivors     []Survivor `json:"survivors,omitempty"`
	// Unfenced are the managers that can't be reached to be fenced: the addresses
	// that are probed again before the cluster is forced (safety rule 10).
	Unfenced []Unfenced `json:"unfenced,omitempty"`
	// Containers are those that end with the recovery, as far as they could be
	// looked at, sorted by node, then by name.
	Containers []Ending `json:"containers,omitempty"`
	// Expires is when the plan may not be begun any more; zero where it destroys
	// nothing (safety rule 21).
	Expires time.Time `json:"expires,omitzero"`
}

// Survivor is a manager whose log was read.
type Survivor struct {
	Node   string `json:"node"`
	NodeID string `json:"node_id,omitempty"`
	Epoch  string `json:"epoch,omitempty"`
	Term   uint64 `json:"term"`  // of the last entry
	Index  uint64 `json:"index"` // of the last entry
	Commit uint64 `json:"commit"`
	Chosen bool   `json:"chosen,omitempty"`
	// Loses is what choosing it would lose, empty for the chosen one.
	Loses string `json:"loses,omitempty"`
}

// Unfenced is a manager that is only said to be dead.
type Unfenced struct {
	Node         string `json:"node,omitempty"` // in the configuration, where it is declared
	Address      string `json:"address"`        // with its port
	Acknowledged bool   `json:"acknowledged,omitempty"`
}

// Ending is a container that ends with a recovery.
type Ending struct {
	Node      string `json:"node"` // in the configuration
	Container string `json:"container"`
	Name      string `json:"name"`
	Service   string `json:"service,omitempty"`
	Task      string `json:"task"`
	Running   bool   `json:"running,omitempty"`
	Fate      Fate   `json:"fate"`
	// Restarts tells that the state has its service, so that the cluster starts the
	// service's tasks again.
	Restarts bool `json:"restarts,omitempty"`
	// AnonymousVolumes are those that would go with it.
	AnonymousVolumes []string `json:"anonymous_volumes,omitempty"`
}

// Fate is how a container ends.
type Fate string

// The fates.
const (
	FateRemoved Fate = "removed" // the cluster does not know its task: it is killed and removed
	FateStopped Fate = "stopped" // its engine is stopped; the cluster starts what it knows again
)

// JoinAs is how a host joins.
type JoinAs struct {
	Role string `json:"role"`
	// Keep tells that it joins with the certificates that it has, so that it
	// keeps its node ID, labels and availability.
	Keep bool `json:"keep,omitempty"`
	// Labels and Availability are the declared ones that it gets where it has a
	// new node ID; nil and "" where nothing is declared.
	Labels       map[string]string `json:"labels,omitempty"`
	Availability string            `json:"availability,omitempty"`
}

// KeyTo is where a rotated unlock key goes: to a file, encrypted, or to a
// command's standard input.
type KeyTo struct {
	// File is relative to the configuration's directory where it lies in it.
	File string `json:"file,omitempty"`
	// Repository is the one to whose recipients the file is encrypted.
	Repository string `json:"repository,omitempty"`
	Command    string `json:"command,omitempty"`
}

// SurvivorPrint is how far a log reached when the plan was made.
type SurvivorPrint struct {
	Name  string `json:"name"`
	Term  uint64 `json:"term"`
	Index uint64 `json:"index"`
}
