package schema

import (
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// Config is one cluster's configuration, checked as a whole.
type Config struct {
	Dir          string       // the configuration's directory, absolute
	Files        []File       // every *.rq.hcl and loaded variable file, sorted by Name
	SHA256       string       // hex, over what the configuration says; see digest.go
	Cluster      Cluster      // exactly one
	Nodes        []Node       // sorted by Name
	Repositories []Repository // sorted by Name
	Backups      []Backup     // sorted by Name
	Recovery     *Recovery    // nil without a recovery block
	Outside      Outside      `json:"-"`
}

// Node finds a node by its name; nil if there is none.
func (c *Config) Node(name string) *Node {
	for i := range c.Nodes {
		if c.Nodes[i].Name == name {
			return &c.Nodes[i]
		}
	}
	return nil
}

// Repository finds a repository by its name; nil if there is none.
func (c *Config) Repository(name string) *Repository {
	for i := range c.Repositories {
		if c.Repositories[i].Name == name {
			return &c.Repositories[i]
		}
	}
	return nil
}

// Backup finds a backup by its name; nil if there is none.
func (c *Config) Backup(name string) *Backup {
	for i := range c.Backups {
		if c.Backups[i].Name == name {
			return &c.Backups[i]
		}
	}
	return nil
}

// File is one file that the configuration was made from.
type File struct {
	Name  string // relative to the configuration's directory, with slashes
	Bytes []byte
}

// Cluster is the cluster block. Name is also the cluster's directory in every
// repository.
//
// What is nil, zero or empty was not declared, and is left as the swarm has it.
type Cluster struct {
	Name      string
	ID        string // the swarm's ID; "" = found on the hosts
	UnlockKey Secret
	Autolock  *bool

	PruneNodes      bool          // nodes of the swarm that are not declared are to be removed
	RemoveDownAfter time.Duration // how long a node is down before it is taken for dead; 0 = never
	Rebalance       []string      // names of services to be spread again after nodes were added

	Settings Settings

	// How the engines take part; fixed when a swarm is made or joined.
	ListenAddr                string // ADDRESS:PORT or INTERFACE:PORT
	DataPathAddr              string // an address or an interface
	DataPathPort              uint32
	DefaultAddrPool           []string // networks in CIDR form, in the order given
	DefaultAddrPoolMaskLength uint32

	Range diag.Range
}

// Settings are the swarm settings that are declared; nil ones are left as they
// are.
type Settings struct {
	TaskHistoryLimit           *int64
	CertExpiry                 *time.Duration
	SnapshotInterval           *uint64
	LogEntriesForSlowFollowers *uint64
	HeartbeatTick              *int
	ElectionTick               *int
	DispatcherHeartbeat        *time.Duration
	Range                      diag.Range // of the settings block, or of the cluster without one
}

// What a recovery may do (Recovery.Allow).
const (
	AllowStart           = "start"
	AllowUnlock          = "unlock"
	AllowForceNewCluster = "force_new_cluster"
	AllowRestore         = "restore"
)

// Recovery is the recovery block.
type Recovery struct {
	Allow            []string // of the Allow constants, sorted; nil when not declared
	AssumeDead       []string // names of declared nodes, sorted
	RestoreOnto      string   // the name of a declared manager; "" = chosen
	RotateJoinTokens *bool    // nil = as the kind of recovery has it
	RotateUnlockKey  *bool
	UnlockKeyTo      UnlockKeyTo
	Verify           []string // shell commands, in the order given
	Range            diag.Range
}

// UnlockKeyTo says where a rotated unlock key goes; at most one is set.
type UnlockKeyTo struct {
	File    string // absolute
	Command string // that reads the key on its standard input
}

// The roles of a node.
const (
	RoleManager = "manager"
	RoleWorker  = "worker"
)

// The availabilities of a node.
const (
	AvailabilityActive = "active"
	AvailabilityPause  = "pause"
	AvailabilityDrain  = "drain"
)

// Node is one node block, or one instance of a node block with for_each.
type Node struct {
	Name    string // the block's label, or each.key
	Address string // IPv4 or IPv6, in its canonical form
	Role    string // RoleManager or RoleWorker
	// Availability is one of the Availability constants; "" = left as it is.
	Availability string
	// Labels are all the labels that the node is to have; nil = left as they
	// are, empty and not nil = none.
	Labels     map[string]string
	Connection Connection
	Engine     Engine
	Range      diag.Range
}

// Connection says how the node's host is reached: over SSH, on this machine
// (Local), or not at all (None).
type Connection struct {
	SSH    Target // the zero Target when Local or None
	Become string // "" or "sudo"
	Local  bool
	None   bool
	Range  diag.Range // of the connection block, or of the node without one
}

// DefaultDownMax is the time after which a manager that was stopped for a
// backup is started again by its own host, where down_max says nothing.
const DefaultDownMax = 120 * time.Second

// MinDownMax is the least that down_max may be.
const MinDownMax = 30 * time.Second

// Engine is what is particular about the engine of a node.
type Engine struct {
	Service  string // the systemd unit; "" = found on the host
	DataRoot string // absolute; "" = found on the host
	DownMax  time.Duration
}

// Repository is a place where backups are kept. Exactly one of Recipients and
// Plaintext is set.
type Repository struct {
	Name       string
	URL        string
	Recipients []string
	Plaintext  bool
	Identity   string // the path of an identity file, absolute; "" = none
	// VerifyKeys are the public keys of which one has to fit a backup's signature;
	// with none nothing is signed.
	VerifyKeys []string
	// The private key: the path of its file, absolute, or the key itself; at most one
	// is set.
	SignKeyFile string
	SignKey     Secret
	Range       diag.Range
}

// FromFollower as Backup.From leaves the choice of the manager to the planner.
const FromFollower = "follower"

// ConsistencyStopped as Backup.Consistency copies the state of a stopped engine.
const ConsistencyStopped = "stopped"

// Backup is a state to be reached: a verified backup younger than MaxAge.
type Backup struct {
	Name       string
	Repository string // the name of a declared repository, the first of Copies
	// Copies are the repositories that all hold it, in the order in which they are
	// tried; empty where there is one.
	Copies      []string
	MaxAge      time.Duration
	From        string // FromFollower or the name of a declared manager
	Consistency string // ConsistencyStopped
	Keep        *Keep  // how many stay; nil = all
	// KeyEscrow stores an auto-locked swarm's unlock key beside the backup, encrypted
	// to the recipients.
	KeyEscrow bool
	Schedule  *Schedule `json:",omitempty"` // when a host makes it by itself; nil = never
	// OnSuccess and OnFailure are commands with their arguments; nil = none.
	OnSuccess []string `json:",omitempty"`
	OnFailure []string `json:",omitempty"`
	Data      []Data   // volumes, then directories, each in the order of the file
	Range     diag.Range
}

// Keep is the keep block of a backup: how many backups stay. At least one rule is
// above 0.
type Keep struct {
	Last, Hourly, Daily, Weekly, Monthly, Yearly int

	Within   time.Duration
	TimeZone string // of the IANA database
	Range    diag.Range
}

// Options are what comes from outside the configuration's directory.
type Options struct {
	Vars     map[string]string // -var NAME=VALUE
	VarFiles []string          // -var-file FILE, relative to the working directory
	// Inputs are -var and -var-file in the order given, for a caller that keeps
	// it; they come after VarFiles and Vars.
	Inputs       []Input
	Environ      []string // as of os.Environ; nil is an empty environment
	AllowOutside bool     // file() may read outside the configuration's directory
}

// Input is one -var or, where File is set, one -var-file.
type Input struct {
	Name, Value string
	File        string
}
