package plan

// Picture is the cluster as the simulation has it, before the first step and after
// each one. It is for the eyes of whoever reviews the plan: nothing is decided by
// it, and nothing that runs a plan may read it.
type Picture struct {
	// Nodes are the managers and the nodes that steps touch, as they were observed,
	// sorted by name.
	Nodes []PictureNode `json:"nodes"`
	// Workers are all the others, counted: those that no step touches, and of very
	// many that steps touch the greater part.
	Workers []PictureWorkers `json:"workers,omitempty"`
	// Changes are what is not as before once a step has run, in the order of steps;
	// a step that changes nothing here has none.
	Changes []PictureChange `json:"changes,omitempty"`
}

// PictureNode is a node of the picture. No two have one name.
type PictureNode struct {
	Name   string `json:"name"` // in the configuration, else what the swarm calls it
	Part   Part   `json:"part"` // what it is to the swarm
	Look   Look   `json:"look"` // how it stands
	Leader bool   `json:"leader,omitempty"`
	// Zone is its label "zone"; only among Picture.Nodes.
	Zone string `json:"zone,omitempty"`
}

// PictureWorkers are workers that stand alike.
type PictureWorkers struct {
	Zone  string `json:"zone,omitempty"` // their label "zone"
	Look  Look   `json:"look"`           // how they stand
	Count int    `json:"count"`          // how many they are
}

// PictureChange is what a step changes.
type PictureChange struct {
	Step  int           `json:"step"` // its ID
	Nodes []PictureNode `json:"nodes,omitempty"`
	// Workers replace those of before; empty where they stay.
	Workers []PictureWorkers `json:"workers,omitempty"`
}

// Part is what a node is to the swarm.
type Part string

// The parts.
const (
	PartManager Part = "manager" // it counts for the quorum
	PartWorker  Part = "worker"
	PartOutside Part = "outside" // it is no member, or none that counts
)

// Look is how a node stands.
type Look string

// The looks.
const (
	LookUp       Look = "up"
	LookWaits    Look = "waiting" // its engine runs and finds no leader
	LookLocked   Look = "locked"  // its engine waits for the unlock key
	LookDown     Look = "down"    // so the swarm says
	LookStopped  Look = "stopped" // its engine is down, its state on the disk
	LookHeld     Look = "held"    // its engine is kept from starting
	LookFenced   Look = "fenced"  // held, with its raft state set aside
	LookOrphaned Look = "orphaned"
	LookDamaged  Look = "damaged"
	LookForeign  Look = "foreign"  // it belongs to another swarm
	LookOut      Look = "no swarm" // its engine is in none
	LookRemoved  Look = "removed"
	LookUnknown  Look = "unknown" // it could not be looked at
)
