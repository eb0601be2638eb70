package state

import (
	"sort"
	"strings"
	"time"
)

// State is all that was observed in one look.
type State struct {
	ObservedAt time.Time `json:"observed_at"` // the operator's clock, UTC
	// FirstLookedAt is when the first of several looks at the same trouble was
	// made: from then on no leader has been seen. Zero for a single look.
	FirstLookedAt time.Time    `json:"first_looked_at,omitzero"`
	Cluster       string       `json:"cluster"` // the cluster block's label
	Hosts         []Host       `json:"hosts"`   // one for each declared node, sorted by Name
	Swarm         *Swarm       `json:"swarm,omitempty"`
	SwarmProblem  *Problem     `json:"swarm_problem,omitempty"` // why Swarm is nil
	Repositories  []Repository `json:"repositories"`            // one for each declared, sorted by Name
}

// Host finds a host by its node's name: at once where they are sorted, as they are
// observed.
func (s *State) Host(name string) *Host {
	if i, found := sort.Find(len(s.Hosts), func(i int) int { return strings.Compare(name, s.Hosts[i].Name) }); found {
		return &s.Hosts[i]
	}
	for i := range s.Hosts {
		if s.Hosts[i].Name == name {
			return &s.Hosts[i]
		}
	}
	return nil
}

// Repository finds a repository by its name.
func (s *State) Repository(name string) *Repository {
	for i := range s.Repositories {
		if s.Repositories[i].Name == name {
			return &s.Repositories[i]
		}
	}
	return nil
}

// Problem is why something could not be looked at: an RQ code of internal/diag
// where there is one, a sentence, and what to do.
type Problem struct {
	Code   string `json:"code,omitempty"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// Presence is the answer to "is it there": the zero value is Unknown.
type Presence string

// The presences. Absent needs a look that could have found it (safety rule 4).
const (
	Unknown Presence = ""
	Present Presence = "present"
	Absent  Presence = "absent"
)
