package plan

import "time"

// FormatVersion is the version of the plan document. A reader refuses a higher
// one.
const FormatVersion = 1

// Plan is what will be done, in which order and why. It is data: it has no
// pointer into the observed state and nothing secret, and its bytes are the
// same for the same input.
type Plan struct {
	FormatVersion int       `json:"format_version"`
	ToolVersion   string    `json:"tool_version"`
	Cluster       string    `json:"cluster"` // the cluster block's label
	SwarmID       string    `json:"swarm_id,omitempty"`
	Epoch         string    `json:"epoch,omitempty"`
	ConfigSHA256  string    `json:"config_sha256"`
	PlannedAt     time.Time `json:"planned_at"`
	Condition     Condition `json:"condition"`
	// Targets are what a partial plan is about, sorted: names of nodes, and
	// "backup." with the name of one; empty where the plan is about all of it.
	Targets []string `json:"targets,omitempty"`
	Steps   []Step   `json:"steps"`
	Unmet   []Unmet  `json:"unmet"`
	Hazards []Hazard `json:"hazards"`
	// Recovery is what the steps with its ID bring back; nil in a plan of backups.
	Recovery *Recovery `json:"recovery,omitempty"`
	// Expires is when a plan without a recovery that replaces data may not be begun any
	// more; zero where it replaces none, and where the recovery says it. See BegunUntil.
	Expires time.Time `json:"expires,omitzero"`
	// UndecidedUntil is when the loss of the quorum may be judged; zero where
	// nothing has to be waited for.
	UndecidedUntil time.Time   `json:"undecided_until,omitzero"`
	Fingerprint    Fingerprint `json:"fingerprint"`
	// Picture is for the eyes only; nil in plans of before there was one.
	Picture *Picture `json:"picture,omitempty"`
	Summary string   `json:"summary"` // one line
}

// ConditionName is the state of the cluster as a whole.
type ConditionName string

// The conditions, in the order in which the first that fits is taken
// (decisions.md, Observing).
const (
	Foreign    ConditionName = "foreign"
	Forked     ConditionName = "forked"
	Split      ConditionName = "split"
	Healthy    ConditionName = "healthy"
	Degraded   ConditionName = "degraded"
	Unknown    ConditionName = "unknown"
	Locked     ConditionName = "locked"
	Leaderless ConditionName = "leaderless"
	Stopped    ConditionName = "stopped"
	Orphaned   ConditionName = "orphaned"
	AbsentAll  ConditionName = "absent"
)

// Condition is the cluster's condition with the reason for the word.
type Condition struct {
	Name   ConditionName `json:"name"`
	Reason string        `json:"reason"`
}

// Kind is what a step does. One step has one effect.
type Kind string

// The kinds of steps that exist.
const (
	Stop    Kind = "stop"     // the manager's engine is stopped by a detached run on its host
	Archive Kind = "archive"  // the swarm directory is copied on the manager's own disk
	Start   Kind = "start"    // the engine is started, and the leader sees the manager again
	Unlock  Kind = "unlock"   // an auto-locked manager is unlocked, and the leader sees it again
	Verify  Kind = "verify"   // the copy is proved readable, encrypted, stored, and removed from the host
	CleanUp Kind = "clean-up" // what a cut run left on a host is removed

	// Of recoveries. Start and Unlock are among them too, with Step.Recovery set.
	Retain     Kind = "retain"      // anonymous volumes of containers that will be removed are mounted by another one
	Hold       Kind = "hold"        // the engine is stopped, and kept from starting until a step lifts that
	Save       Kind = "save"        // what the survivor holds is stored as a safety copy
	Prepare    Kind = "prepare"     // a swarm directory of one manager is made and laid beside its place
	Fence      Kind = "fence"       // an old manager is held, and its raft state set aside
	Restore    Kind = "restore"     // the prepared directory takes its place, the old one is set aside
	Init       Kind = "init"        // a new cluster is forced out of the directory
	Join       Kind = "join"        // a host joins the swarm, with its certificates where it has them
	RemoveNode Kind = "remove-node" // an entry whose host is gone, or has another ID, is removed
	UpdateNode Kind = "update-node" // labels and availability are put back
	Await      Kind = "await"       // workers that come back by themselves are waited for

	RotateJoinTokens Kind = "rotate-join-tokens" // those of the backup's time let nobody in any more
	RotateUnlockKey  Kind = "rotate-unlock-key"  // the unlock key is made anew and goes where it is declared to
	Check            Kind = "check"              // a command of the configuration says whether the swarm serves again

	// Of the cluster's shape. Join, RemoveNode and UpdateNode are among them too,
	// with neither Step.Recovery nor Step.Backup set.
	Promote     Kind = "promote"      // a worker becomes a manager, and the leader sees it reachable
	Demote      Kind = "demote"       // a manager becomes a worker, and is no voter any more
	Leave       Kind = "leave"        // a worker's engine leaves the swarm, and its entry is down
	UpdateSwarm Kind = "update-swarm" // the swarm's spec gets the declared settings
	Rebalance   Kind = "rebalance"    // a service is updated with force, and converges

	// Of the applications' data. Step.Data says which.
	Quiesce     Kind = "quiesce"      // commands are run, and services scaled to 0 and seen without a task
	ArchiveData Kind = "archive-data" // volumes and directories are read, encrypted and stored
	Resume      Kind = "resume"       // services get their scale back, and commands are run

	// RestoreVolume puts an application's data back; Quiesce and Resume of its services
	// have Step.DataRestore set, too.
	RestoreVolume Kind = "restore-volume"

	// PruneBackups is on a repository, and on no node.
	PruneBackups Kind = "prune" // backups that no rule keeps are removed
	// CopyBackup is on a repository, and on no node.
	CopyBackup Kind = "copy" // a backup that is in another repository is stored there, too

	// Of schedules, on hosts; nothing of the swarm changes.
	PutSchedule  Kind = "schedule"   // a timer that makes a backup is put on a host, or what it needs is
	TakeSchedule Kind = "unschedule" // such a timer is taken away with all that it needs
)

// Risk is what a step may cost.
type Risk string

// The risks.
const (
	Safe        Risk = "safe"
	Interrupts  Risk = "interrupts" // less control plane for a while
	Destructive Risk = "destructive"
)

// Margin is the quorum as the plan's own simulation has it after a step.
type Margin struct {
	Managers int `json:"managers"` // voters
	Up       int `json:"up"`       // reachable after the step
	Quorum   int `json:"quorum"`   // needed
	Spare    int `json:"spare"`    // how many more may fail: Up - Quorum
}

// Step is one effect on one node.
type Step struct {
	ID         int    `json:"id"` // 1, 2, 3 … in the order of running
	Kind       Kind   `json:"kind"`
	Node       string `json:"node"`              // the node's name in the configuration; see Host
	NodeID     string `json:"node_id,omitempty"` // the swarm's ID of it
	Backup     string `json:"backup,omitempty"`  // the backup block's label
	Repository string `json:"repository,omitempty"`
	// Run is the ID of an earlier run on the host that the step finishes or
	// removes; empty where the step belongs to this plan's own run.
	Run string `json:"run,omitempty"`
	// Recovery is the ID of the plan's recovery that the step belongs to.
	Recovery string `json:"recovery,omitempty"`
	// With are the nodes on which the same is done side by side: managers that
	// are a quorum only together.
	With []string `json:"with,omitempty"`
	// Join tells of a join step how the host joins.
	Join *JoinAs `json:"join,omitempty"`
	// Entry is the swarm's ID of the entry that a step removes or changes, where
	// that is not the node's own.
	Entry string `json:"entry,omitempty"`
	// Host is that entry's hostname, of a step on an entry that no node block
	// declares: Node is empty then.
	Host string `json:"host,omitempty"`
	// KeyTo tells of a rotation, and of auto-lock that is turned on, where the new
	// unlock key goes.
	KeyTo *KeyTo `json:"key_to,omitempty"`
	// Change tells of an update-node step what the node's entry is to have.
	Change *NodeChange `json:"change,omitempty"`
	// Settings tell of an update-swarm step what the swarm is to have.
	Settings *SwarmChange `json:"settings,omitempty"`
	// Prune tells of a prune step which backups it removes, and why.
	Prune *Prune `json:"prune,omitempty"`
	// Copy tells of a copy step which backup it copies, and from where.
	Copy *Copying `json:"copy,omitempty"`
	// Schedule tells of a schedule or unschedule step what is put there or taken away.
	Schedule *Schedule `json:"schedule,omitempty"`
	// Data tells of a step on the applications' data what it is about.
	Data *DataWork `json:"data,omitempty"`
	// DataRestore tells of a step that puts the applications' data back, or keeps
	// their services away meanwhile, what it is about.
	DataRestore *DataRestore `json:"data_restore,omitempty"`
	// Service is the name of the service that a rebalance step updates.
	Service string `json:"service,omitempty"`
	// Command is what a check step runs, as it was reviewed with the plan.
	Command string `json:"command,omitempty"`
	Reason  string `json:"reason"`
	Risk    Risk   `json:"risk"`
	Margin  Margin `json:"margin"`
	// TimeoutSeconds bounds the step, its wait included.
	TimeoutSeconds int `json:"timeout_seconds"`
}

// Where is what a step is on, to call it by: the node's name in the configuration,
// else the hostname of the entry, else its ID; of a prune or copy step the repository's name.
func (s Step) Where() string {
	if s.OnRepository() {
		return s.Repository
	}
	return or(s.Node, or(s.Host, s.Entry))
}

// Timeout is TimeoutSeconds as a duration.
func (s Step) Timeout() time.Duration { return time.Duration(s.TimeoutSeconds) * time.Second }

// Unmet is a goal that the plan does not reach, and what it would take.
type Unmet struct {
	Code   string `json:"code"`
	Goal   string `json:"goal"`
	Node   string `json:"node,omitempty"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
}

// Hazard is something to know before approving: an RQ code with what it means
// here.
type Hazard struct {
	Code   string `json:"code"`
	Step   int    `json:"step,omitempty"` // the step's ID, 0 when it is about the whole plan
	Node   string `json:"node,omitempty"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// Fingerprint is what the plan's decisions rest on, and no more: a task that
// moved makes no plan stale, a follower that became the leader does when it is
// the one to stop.
type Fingerprint struct {
	SwarmID          string         `json:"swarm_id,omitempty"`
	Epoch            string         `json:"epoch,omitempty"`
	Autolock         bool           `json:"autolock"`
	RaftIndexAtLeast uint64         `json:"raft_index_at_least,omitempty"`
	Managers         []ManagerPrint `json:"managers"` // sorted by NodeID
	Hosts            []HostPrint    `json:"hosts"`    // of the hosts that steps touch, sorted by Name
	// Entries are those of the swarm's list that steps on the shape change, sorted by
	// NodeID.
	Entries       []EntryPrint  `json:"entries,omitempty"`
	NewestBackups []BackupPrint `json:"newest_backups"`
	// Managers that a recovery starts from, and those that it fences.
	Survivors []SurvivorPrint `json:"survivors,omitempty"`
}

// ManagerPrint is a voter as it was observed.
type ManagerPrint struct {
	NodeID    string `json:"node_id"`
	Name      string `json:"name,omitempty"` // in the configuration, where it is declared
	Reachable bool   `json:"reachable"`
	// MustNotLead is set for a manager that a step stops as a follower.
	MustNotLead bool `json:"must_not_lead,omitempty"`
}

// HostPrint binds a node to a machine (safety rule 17).
type HostPrint struct {
	Name      string `json:"name"`
	MachineID string `json:"machine_id"`
	HostKey   string `json:"host_key,omitempty"`
	NodeID    string `json:"node_id,omitempty"`
	ClusterID string `json:"cluster_id,omitempty"`
	// Absent is set where a step rests on that the host could not be reached.
	Absent bool `json:"absent,omitempty"`
}

// EntryPrint is an entry of the swarm's list as it was observed.
type EntryPrint struct {
	NodeID string `json:"node_id"`
	Name   string `json:"name,omitempty"` // to call it by
	// Down is set where a step rests on that the swarm saw it down.
	Down bool `json:"down,omitempty"`
}

// BackupPrint is the newest backup that counted for a backup block.
type BackupPrint struct {
	Backup     string    `json:"backup"`
	Repository string    `json:"repository"`
	ID         string    `json:"id,omitempty"` // empty when there was none
	TakenAt    time.Time `json:"taken_at,omitzero"`
	// MaxAgeSeconds and Asked are what a backup that somebody else makes
	// meanwhile is measured by: younger than max_age, or where the backup was
	// asked for, taken after the plan was made.
	MaxAgeSeconds int64 `json:"max_age_seconds"`
	Asked         bool  `json:"asked,omitempty"`
}
