package status

import (
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// Verdict is the judgement in one word, from which the exit status is made.
type Verdict string

// The verdicts: attention outweighs unsure.
const (
	Fine      Verdict = "fine"
	Unsure    Verdict = "unsure"    // something could not be told
	Attention Verdict = "attention" // something needs a hand
)

// Severity is what a finding does to the verdict.
type Severity string

// The severities. A note changes nothing.
const (
	NeedsHand  Severity = "attention"
	CannotTell Severity = "unsure"
	Note       Severity = "note"
)

// Thresholds are from when on something needs a hand.
type Thresholds struct {
	OpenedAge   time.Duration // since a backup was last opened with an identity
	Certificate time.Duration // that a node's certificate must still be good for
	ClockSkew   time.Duration // between a host and this machine
	DiskFree    int64         // bytes free where a manager's copy is made
	LockAge     time.Duration // of a lock in a repository
}

// Defaults are the thresholds that nobody set.
func Defaults() Thresholds {
	return Thresholds{OpenedAge: 30 * 24 * time.Hour, Certificate: 14 * 24 * time.Hour, ClockSkew: time.Minute, DiskFree: 1 << 30, LockAge: time.Hour}
}

// Input is all that is judged.
type Input struct {
	Config      *schema.Config
	State       *state.State
	Now         time.Time
	ToolVersion string
	Unfinished  []Run // journals of cut runs on this machine
	Thresholds  Thresholds
	Here        plan.Here
}

// Run is the journal of a run that was begun here and not finished.
type Run struct {
	Digest  string    `json:"plan_digest"`
	Dir     string    `json:"dir"`
	BeganAt time.Time `json:"began_at"`
	Running bool      `json:"running"` // a process on this machine is at work on it
}

// FormatVersion is the version of the JSON form of a Report.
const FormatVersion = 1

// Report is the account of a cluster. Times are UTC, durations in seconds.
type Report struct {
	FormatVersion  int            `json:"format_version"`
	Cluster        string         `json:"cluster"`
	SwarmID        string         `json:"swarm_id,omitempty"`
	Epoch          string         `json:"epoch,omitempty"`
	ObservedAt     time.Time      `json:"observed_at"`
	Verdict        Verdict        `json:"verdict"`
	Condition      plan.Condition `json:"condition"`
	Quorum         plan.Margin    `json:"quorum"`
	Leader         string         `json:"leader,omitempty"`
	Autolock       bool           `json:"autolock"`
	UnlockKeyKnown bool           `json:"unlock_key_known"` // a manager tells it, or the configuration has it
	Nodes          []Node         `json:"nodes"`            // managers first, then by name
	Backups        []Backup       `json:"backups"`          // by name
	Repositories   []Repository   `json:"repositories"`
	Unfinished     []Run          `json:"unfinished"`
	// Schedules are those that hosts have of this cluster.
	Schedules []Schedule `json:"schedules,omitempty"`
	// Asides are the directories that recoveries and others set aside, judged.
	Asides []Aside `json:"set_asides,omitempty"`
	// VolumeHolders are the containers with which recoveries hold anonymous volumes,
	// judged.
	VolumeHolders []Holder `json:"volume_holders,omitempty"`
	// UndecidedUntil is when the loss of the quorum may be judged; zero where
	// nothing has to be waited for.
	UndecidedUntil time.Time `json:"undecided_until,omitzero"`
	Findings       []Finding `json:"findings"` // attention first, then unsure, then notes
}

// Node is a declared node as it stands.
type Node struct {
	plan.NodeState
	Fine              bool              `json:"fine"` // no finding that needs a hand or could not be told is about it
	EngineVersion     string            `json:"engine_version,omitempty"`
	Availability      string            `json:"availability,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	CertificateExpiry time.Time         `json:"certificate_expiry,omitzero"`
	ClockSkewSeconds  float64           `json:"clock_skew_seconds"`
	DiskFree          int64             `json:"disk_free_bytes,omitempty"`
	DiskTotal         int64             `json:"disk_total_bytes,omitempty"`
	StartsAtBoot      string            `json:"starts_at_boot,omitempty"` // systemd's word: enabled, disabled, masked
	Holds             []string          `json:"holds,omitempty"`          // files that keep the engine from starting
	SetAsides         []state.SetAside  `json:"set_asides,omitempty"`
	// Recoveries are those that have changed something on the host.
	Recoveries []state.HostRecovery `json:"recoveries,omitempty"`
	Runs       []string             `json:"runs,omitempty"` // of requeen's, left or in progress on the host
	Looked     bool                 `json:"looked"`
}

// Backup is how a backup block stands.
type Backup struct {
	Name          string    `json:"name"`
	Repository    string    `json:"repository"`
	MaxAgeSeconds int64     `json:"max_age_seconds"`
	Looked        bool      `json:"looked"`
	Due           bool      `json:"due"`
	Reason        string    `json:"reason"`
	NewestID      string    `json:"newest_id,omitempty"`
	Node          string    `json:"node,omitempty"`
	TakenAt       time.Time `json:"taken_at,omitzero"`
	UploadedAt    time.Time `json:"uploaded_at,omitzero"`
	Verified      string    `json:"verified,omitempty"`
	VerifiedAt    time.Time `json:"verified_at,omitzero"` // when that was last proved
	// OpenedAt is when a backup with the newest one's recipients was last opened
	// with an identity; it says more of the recipients than of one backup.
	OpenedAt time.Time `json:"opened_at,omitzero"`
	Stored   int       `json:"stored"`  // backups of this block that are in the repository
	NoUse    int       `json:"no_use"`  // of them, damaged or suspect ones
	Bytes    int64     `json:"bytes"`   // of the newest
	InClear  bool      `json:"inclear"` // the newest is not encrypted
	// Copies are the repositories of a block with copies, in its order; the backup
	// counts once each holds it.
	Copies []Copy `json:"copies,omitempty"`
}

// Repository is a place of backups.
type Repository struct {
	Name    string      `json:"name"`
	URL     string      `json:"url"`
	Looked  bool        `json:"looked"`
	Problem string      `json:"problem,omitempty"`
	Lock    *state.Lock `json:"lock,omitempty"`
}

// Finding is one thing to know, with what to type.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code,omitempty"` // an RQ code
	Node     string   `json:"node,omitempty"`
	Text     string   `json:"text"`
	Remedy   string   `json:"remedy,omitempty"`
}
