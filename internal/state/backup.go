package state

import "time"

// Repository is what was found in a declared repository.
type Repository struct {
	Name    string   `json:"name"`
	URL     string   `json:"url"`    // without credentials
	Looked  Presence `json:"looked"` // Absent: it could not be opened or listed
	Problem *Problem `json:"problem,omitempty"`
	Backups []Backup `json:"backups"` // of this cluster's label, newest first
	Lock    *Lock    `json:"lock,omitempty"`
}

// Lock is the lock object that is held.
type Lock struct {
	Number    uint64    `json:"number"`
	Owner     string    `json:"owner"` // user@machine pid
	Run       string    `json:"run"`   // the plan's digest
	CreatedAt time.Time `json:"created_at"`
}

// Kinds of backups. Safety copies are taken before a recovery and satisfy no
// max_age.
const (
	KindRegular = "regular"
	KindSafety  = "safety"
)

// Backup is a manifest at rest, and whether what it names is there.
type Backup struct {
	ID            string `json:"id"` // YYYYMMDDThhmmssZ-<6 hex>
	FormatVersion int    `json:"format_version"`
	ToolVersion   string `json:"tool_version"`
	Kind          string `json:"kind"`
	Cluster       string `json:"cluster"`
	Backup        string `json:"backup"` // the backup block's label
	SwarmID       string `json:"swarm_id"`
	Epoch         string `json:"epoch,omitempty"`
	ParentEpoch   string `json:"parent_epoch,omitempty"`
	Node          string `json:"node"`    // the node's name in the configuration
	NodeID        string `json:"node_id"` // the swarm's
	Address       string `json:"address"` // that the node advertised
	EngineVersion string `json:"engine_version"`
	Consistency   string `json:"consistency"` // "stopped"
	// ScheduledOn is the node on which a schedule's run made it, by its name in the
	// configuration; empty where a person, or a machine of theirs, did.
	ScheduledOn string `json:"scheduled_on,omitempty"`

	TakenAt    time.Time `json:"taken_at"`    // when the engine had stopped, UTC
	UploadedAt time.Time `json:"uploaded_at"` // when the manifest was written, UTC

	Raft       RaftReport `json:"raft"`
	Autolocked bool       `json:"autolocked"`
	KeySHA256  string     `json:"unlock_key_fingerprint,omitempty"` // see raftdir.Fingerprint
	Verified   string     `json:"verified"`                         // level reached: "raft"
	VerifiedAt time.Time  `json:"verified_at"`
	// OpenedAt is when it was last read back from the repository and opened with
	// an identity (safety rule 24), UTC; zero when it never was.
	OpenedAt    time.Time `json:"opened_at,omitzero"`
	Suspect     []string  `json:"suspect,omitempty"` // reasons (safety rule 16); empty when it is not
	Recipients  []string  `json:"recipients,omitempty"`
	PlainStored bool      `json:"plaintext,omitempty"`

	Stored []StoredObject `json:"stored"`
	// Data is what it holds beside the swarm, in the order of the backup block.
	Data []BackupData `json:"data,omitempty"`
	// Checked is when which level of a check was last proved; absent while none
	// was.
	Checked *Checks `json:"checked,omitempty"`
	// Signature is over all of the manifest but opened_at, checked and itself;
	// absent where the repository declares no verify_key.
	Signature *Signature `json:"signature,omitempty"`
	// Problem is set by listing when an object of the manifest is missing or
	// has another size, or the manifest can't be read; such a backup counts
	// for nothing.
	Problem *Problem `json:"problem,omitempty"`
	// Opening is set while a restore is planned, of the backups that were tried;
	// it is in no manifest.
	Opening *Opening `json:"opening,omitempty"`
}

// Levels of a check of a backup at rest, each on top of the one before.
const (
	LevelObjects = "objects" // every stored object is there and its digest holds
	LevelRaft    = "raft"    // it was opened with the identity, and its raft log proved readable
	LevelPlan    = "plan"    // its restore can be planned, with the keys at hand
)

// Checks are when each level of a check was last proved, UTC. They are not signed:
// whoever checks a backup needs no private key.
type Checks struct {
	Objects time.Time `json:"objects,omitzero"` // every object was there and its digest held
	Raft    time.Time `json:"raft,omitzero"`    // it was opened and its raft log proved readable
	Plan    time.Time `json:"plan,omitzero"`    // its restore could be planned
}

// Signature is a manifest's.
type Signature struct {
	Key     string `json:"key"`     // the public key, as in verify_key
	Ed25519 string `json:"ed25519"` // base64
}

// StoredObject is an object beside the manifest.
type StoredObject struct {
	Name   string `json:"name"` // "swarm.tar.zst.age"
	Size   int64  `json:"size"`
	SHA256 string `json:"object_sha256"` // hex, of the stored bytes
}

// RaftReport is what internal/raftdir read in a copy of a swarm directory.
type RaftReport struct {
	Term           uint64    `json:"term"`
	Index          uint64    `json:"index"`  // of the last entry
	Commit         uint64    `json:"commit"` // as written on the disk
	SnapshotIndex  uint64    `json:"snapshot_index"`
	RaftID         string    `json:"raft_id"` // hex
	Members        []Member  `json:"members"` // sorted by RaftID
	ClusterID      string    `json:"cluster_id"`
	ClusterCreated time.Time `json:"cluster_created"`
	Epoch          string    `json:"epoch,omitempty"`
	ParentEpoch    string    `json:"parent_epoch,omitempty"`
	NodeID         string    `json:"node_id"`
	Role           string    `json:"role"`
	CertExpiry     time.Time `json:"certificate_expiry"`
	RootCASHA256   string    `json:"root_ca_sha256"` // hex, of the root certificate's DER bytes
	RootRotating   bool      `json:"root_rotating,omitempty"`
	ExternalCA     bool      `json:"external_ca,omitempty"`
	Autolock       bool      `json:"autolock"`
	Objects        Objects   `json:"objects"`

	// ManagerNodes are the IDs of the nodes that the swarm lists as managers,
	// members or not, sorted: who of them comes back keeps its entry.
	ManagerNodes []string `json:"manager_nodes,omitempty"`

	// What only a survey tells, see raftdir.Survey.

	// EverSeen are the raft IDs, hex and sorted, of every member that log and
	// snapshot name, removed ones and this node among them. Without the log's
	// key it holds what stands in clear, and may lack some.
	EverSeen []string `json:"ever_seen,omitempty"`
	// VotedTerm is the term that the node was last in: at least Term, and
	// above it where an election came to nothing.
	VotedTerm uint64 `json:"voted_term,omitempty"`
	// Torn tells that the log ends in a record that was never wholly written,
	// as after a SIGKILL; an engine forgets it.
	Torn bool `json:"torn,omitempty"`
}

// Member is a voter in the raft membership that a log tells.
type Member struct {
	RaftID string `json:"raft_id"` // hex
	NodeID string `json:"node_id"`
	Addr   string `json:"addr"`
}
