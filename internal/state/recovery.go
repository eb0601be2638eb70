package state

// HostRecovery is what a recovery has done on a host, as its directory there and
// what lies beside the swarm directory tell.
type HostRecovery struct {
	ID      string        `json:"id"`
	Cluster string        `json:"cluster"`
	Phase   RecoveryPhase `json:"phase"`
	Held    bool          `json:"held,omitempty"`   // its hold file is there: the engine does not start
	Aside   string        `json:"aside,omitempty"`  // the directory that holds what was in use before; empty when there is none
	Staged  string        `json:"staged,omitempty"` // the prepared directory, whole, and not yet in its place
}

// RecoveryPhase is the last thing that a recovery has finished on a host.
type RecoveryPhase string

// The phases. A fenced host goes from held to fenced, a restored one by held and
// staged, in either order, to swapped; each ends lifted.
const (
	RecoveryBegun   RecoveryPhase = "begun"   // nothing has been changed yet
	RecoveryHeld    RecoveryPhase = "held"    // the engine is down and does not start
	RecoveryFenced  RecoveryPhase = "fenced"  // held, and its raft state set aside
	RecoveryStaged  RecoveryPhase = "staged"  // the prepared directory is beside its place
	RecoverySwapped RecoveryPhase = "swapped" // the prepared directory is in its place
	RecoveryLifted  RecoveryPhase = "lifted"  // the engine was let go, and was active
)
