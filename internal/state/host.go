package state

import "time"

// Host is one declared node's machine.
type Host struct {
	Name    string `json:"name"`    // the node's name in the configuration
	Address string `json:"address"` // the declared address
	Target  string `json:"target"`  // how it is reached: "root@10.0.0.11", "local", or "none"

	// Looked is Present when the host answered, Absent when the connection
	// failed (Problem says how), Unknown when it was not tried.
	Looked  Presence `json:"looked"`
	Problem *Problem `json:"problem,omitempty"`

	MachineID string `json:"machine_id,omitempty"`
	HostKey   string `json:"host_key,omitempty"` // SHA256:… of the key that the host showed, empty when local
	Hostname  string `json:"hostname,omitempty"`
	BootID    string `json:"boot_id,omitempty"`
	System    string `json:"system,omitempty"` // "linux/amd64", in Go's names

	// ClockSkew is the host's clock minus the operator's, halved round trip
	// allowed for.
	ClockSkew time.Duration `json:"clock_skew"`

	Service  Service  `json:"service"`
	Engine   Engine   `json:"engine"`
	SwarmDir SwarmDir `json:"swarm_dir"`

	// Containers are those of tasks, looked at only where a recovery may be planned:
	// ContainersLooked is Present where the engine told them, and unknown
	// otherwise.
	Containers       []Container `json:"containers,omitempty"`
	ContainersLooked Presence    `json:"containers_looked,omitempty"`

	// VolumeHolders are what recoveries left to hold anonymous volumes, sorted by
	// Name; VolumeHoldersLooked is Present where the engine was asked for them and
	// told.
	VolumeHolders       []VolumeHolder `json:"volume_holders,omitempty"`
	VolumeHoldersLooked Presence       `json:"volume_holders_looked,omitempty"`

	// Volumes are those of the host's engine that backups take, sorted by Name.
	Volumes []Volume `json:"volumes,omitempty"`

	// RunToken is the highest run token that this host has seen for the
	// cluster (safety rule 20), 0 when none.
	RunToken uint64 `json:"run_token,omitempty"`
	// Runs are what earlier runs left on the host, oldest first.
	Runs []HostRun `json:"runs,omitempty"`
	// SetAsides are directories beside the swarm directory that hold a swarm's
	// state, by whomever they were put there, sorted by Path; and behind them those
	// that restores of data left beside the places of the data.
	SetAsides []SetAside `json:"set_asides,omitempty"`
	// Recoveries are those that have changed something on this host, of any
	// cluster, sorted by ID.
	Recoveries []HostRecovery `json:"recoveries,omitempty"`
	// Schedules are those that requeen has put on the host, of any cluster, sorted by
	// cluster and backup.
	Schedules []HostSchedule `json:"schedules,omitempty"`
	// Account is kept where the managers' accounts name more than one leader.
	Account *Account `json:"account,omitempty"`
}

// SetAside is a directory, beside the one that the engine uses, with a swarm's
// certificates or raft log in it: the whole cluster can be in it, in clear.
type SetAside struct {
	Path      string    `json:"path"`
	ChangedAt time.Time `json:"changed_at,omitzero"` // the host's clock
	HasRaft   bool      `json:"has_raft,omitempty"`
	Bytes     int64     `json:"bytes"` // allocated; not counted of data
	// DataOf is the place whose former data it holds, empty of a swarm's state.
	DataOf  string `json:"data_of,omitempty"`
	Restore string `json:"restore,omitempty"` // of data: the restore that left it, on this host
	Cluster string `json:"cluster,omitempty"` // of data: the cluster block's label
	// Unfinished tells of data that the restore is not over on this host.
	Unfinished bool `json:"unfinished,omitempty"`
}

// Service is the engine's systemd unit and its socket.
type Service struct {
	Unit        string    `json:"unit"`             // "docker.service"
	Socket      string    `json:"socket,omitempty"` // "docker.socket", empty when there is none
	ActiveState string    `json:"active_state"`     // systemd's word: active, inactive, failed, activating, deactivating; empty when unknown
	ExitedAt    time.Time `json:"exited_at,omitzero"`
	// FileState is systemd's word for whether the unit starts at boot: enabled,
	// disabled, masked, …; empty when unknown.
	FileState string `json:"file_state,omitempty"`
	// Holds are the files whose presence keeps the unit from starting
	// (ConditionPathExists=!FILE) and which are there, sorted.
	Holds []string `json:"holds,omitempty"`
}

// Engine is what the engine says of itself (GET /info).
type Engine struct {
	Answered         Presence `json:"answered"` // Absent: the socket refused or the time-out passed
	Problem          *Problem `json:"problem,omitempty"`
	Version          string   `json:"version,omitempty"`
	DataRoot         string   `json:"data_root,omitempty"`
	LocalNodeState   string   `json:"local_node_state,omitempty"` // inactive, pending, active, error, locked
	ControlAvailable bool     `json:"control_available,omitempty"`
	NodeID           string   `json:"node_id,omitempty"`
	NodeAddr         string   `json:"node_addr,omitempty"`
	ClusterID        string   `json:"cluster_id,omitempty"`
	SwarmError       string   `json:"swarm_error,omitempty"`
	LiveRestore      bool     `json:"live_restore,omitempty"`
	Containers       int      `json:"containers,omitempty"` // that run, of the swarm and others
}

// SwarmDir is the swarm directory as it lies on the host's disk, read as root.
type SwarmDir struct {
	Presence Presence `json:"presence"`
	Problem  *Problem `json:"problem,omitempty"`
	Path     string   `json:"path,omitempty"`

	// From the node certificate: its organisation, unit and common name.
	ClusterID         string    `json:"cluster_id,omitempty"`
	Role              string    `json:"role,omitempty"` // manager or worker
	NodeID            string    `json:"node_id,omitempty"`
	CertificateExpiry time.Time `json:"certificate_expiry,omitzero"`
	CertificateSHA256 string    `json:"certificate_sha256,omitempty"` // hex, of swarm-node.crt's bytes

	// RootCASHA256 is the digest of the root CA that the host trusts, as
	// RootCADigest gives it; empty where it was not read.
	RootCASHA256 string `json:"root_ca_sha256,omitempty"`

	HasKey       bool `json:"has_key"`
	HasRootCA    bool `json:"has_root_ca"`
	HasRaft      bool `json:"has_raft"`
	HasStateFile bool `json:"has_state_file"` // docker-state.json
	Locked       bool `json:"locked"`         // the node key is encrypted

	// As docker-state.json says; empty where it is absent or can't be read.
	AdvertiseAddr string `json:"advertise_addr,omitempty"` // with or without a port
	ListenAddr    string `json:"listen_addr,omitempty"`    // with its port
	DataPathAddr  string `json:"data_path_addr,omitempty"`

	// RaftChangedAt is when the raft log was last written, by the host's clock in
	// whole seconds; zero when there is none.
	RaftChangedAt time.Time `json:"raft_changed_at,omitzero"`
	// MountPoint tells that a file system is mounted on the directory itself.
	MountPoint bool `json:"mount_point,omitempty"`
	// Link is the symbolic link through which the engine uses the directory;
	// Path is where it leads. Empty when there is none.
	Link string `json:"link,omitempty"`

	// Raft is how far the raft log reaches, read without changing anything; nil
	// where it was not read, which RaftProblem explains. It is read only where no
	// manager answers for the swarm.
	Raft        *RaftReport `json:"raft,omitempty"`
	RaftProblem *Problem    `json:"raft_problem,omitempty"`
	// Store is what that log says is to run; nil where it is sealed and did not
	// open, or was not read.
	Store *Store `json:"store,omitempty"`

	Bytes      int64 `json:"bytes"`                 // allocated, not apparent
	TotalBytes int64 `json:"total_bytes,omitempty"` // of that file system; 0 when unknown
	FreeBytes  int64 `json:"free_bytes"`            // of the file system where a copy is made
	FreeInode  int64 `json:"free_inodes"`           // a number beyond need where the file system does not count them
}

// Complete tells whether the directory holds all that a manager needs to start
// with its state.
func (d SwarmDir) Complete() bool {
	return d.Presence == Present && d.NodeID != "" && d.HasKey && d.HasRootCA && d.HasRaft
}

// Bare tells whether the directory was read and holds nothing of a swarm.
func (d SwarmDir) Bare() bool {
	return d.Presence == Present && d.Problem == nil && d.NodeID == "" && d.CertificateSHA256 == "" &&
		!d.HasKey && !d.HasRootCA && !d.HasRaft && !d.HasStateFile
}

// HostRun is a run directory of requeen's on a host.
type HostRun struct {
	ID         string    `json:"id"` // the backup's ID
	Cluster    string    `json:"cluster"`
	Backup     string    `json:"backup"`     // the backup block's label
	Repository string    `json:"repository"` // the repository block's label
	SwarmID    string    `json:"swarm_id"`
	NodeID     string    `json:"node_id"`
	Phase      Phase     `json:"phase"`
	Failure    string    `json:"failure,omitempty"`     // what failed, where a phase did
	UnitActive bool      `json:"unit_active"`           // the detached unit still runs
	TimerArmed bool      `json:"timer_armed"`           // the rescue timer is still there
	StoppedAt  time.Time `json:"stopped_at,omitzero"`   // the host's clock
	StartedAt  time.Time `json:"started_at,omitzero"`   // the host's clock
	UnlockedAt time.Time `json:"unlocked_at,omitzero"`  // the host's clock
	CopyBytes  int64     `json:"copy_bytes,omitempty"`  // allocated
	CopyIntact bool      `json:"copy_intact,omitempty"` // the engine stayed down while it was made
}

// Phase is how far a detached backup run on a host has come.
type Phase string

// The phases, in their order. Unlocked is reached by auto-locked managers only.
const (
	PhasePrepared Phase = "prepared" // directory made, timer armed, nothing stopped
	PhaseStopped  Phase = "stopped"
	PhaseCopied   Phase = "copied"
	PhaseStarted  Phase = "started"
	PhaseUnlocked Phase = "unlocked"
	PhaseFailed   Phase = "failed" // the engine was started again all the same
)
