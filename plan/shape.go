package plan

import "time"

// NodeChange is what a node's entry in the swarm's list is to have; what is nil or
// empty stays as it is.
type NodeChange struct {
	Availability string `json:"availability,omitempty"` // active, pause, drain
	// Labels are all that it is to have: empty and not nil takes every one away.
	Labels map[string]string `json:"labels,omitzero"`
}

// SwarmChange is what the swarm's spec is to have; nil stays as it is.
type SwarmChange struct {
	Autolock                   *bool          `json:"autolock,omitempty"`
	TaskHistoryLimit           *int64         `json:"task_history_limit,omitempty"`
	CertExpiry                 *time.Duration `json:"cert_expiry_ns,omitempty"`
	SnapshotInterval           *uint64        `json:"snapshot_interval,omitempty"`
	LogEntriesForSlowFollowers *uint64        `json:"log_entries_for_slow_followers,omitempty"`
	HeartbeatTick              *int           `json:"heartbeat_tick,omitempty"`
	ElectionTick               *int           `json:"election_tick,omitempty"`
	DispatcherHeartbeat        *time.Duration `json:"dispatcher_heartbeat_ns,omitempty"`
}

// Shapes tells whether a step is for the cluster's shape, to change it or to have what
// is declared up again: it belongs to no recovery and to no backup.
func (s Step) Shapes() bool {
	if s.Recovery != "" || s.Backup != "" || s.Run != "" {
		return false
	}
	switch s.Kind {
	case Promote, Demote, Leave, Join, RemoveNode, UpdateNode, UpdateSwarm, Rebalance, Start, Unlock:
		return true
	}
	return false
}

// BringsBack tells whether a step lets a node that the swarm lists take part in it again.
// It takes nothing from a quorum, so that it waits for no repository's lock.
func (s Step) BringsBack() bool { return s.Shapes() && (s.Kind == Start || s.Kind == Unlock) }
