package engine

import (
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/requeen/requeen/internal/state"
)

// What a swarm does where its spec is silent: the defaults of `docker swarm
// init`, the same on 20.10 and 28.x.
const (
	defaultTaskHistory  = 5
	defaultCertExpiry   = 90 * 24 * time.Hour
	defaultDispatcher   = 5 * time.Second
	defaultSnapshot     = 10000
	defaultSlowLog      = 500
	defaultHeartbeat    = 1
	defaultElection     = 10
	defaultDataPathPort = 4789
)

// settingsOf gives the settings of a swarm as GET /swarm tells them. A task
// history of 0 is a setting, so that its absence is told by a pointer alone;
// elsewhere 0 is what engines send for a value that was never set.
func settingsOf(cluster swarm.Swarm) *state.SwarmSettings {
	spec := cluster.Spec
	s := &state.SwarmSettings{
		TaskHistoryLimit:           defaultTaskHistory,
		CertExpiry:                 or(spec.CAConfig.NodeCertExpiry, defaultCertExpiry),
		SnapshotInterval:           or(spec.Raft.SnapshotInterval, defaultSnapshot),
		LogEntriesForSlowFollowers: or(spec.Raft.LogEntriesForSlowFollowers, defaultSlowLog),
		HeartbeatTick:              or(spec.Raft.HeartbeatTick, defaultHeartbeat),
		ElectionTick:               or(spec.Raft.ElectionTick, defaultElection),
		DispatcherHeartbeat:        or(spec.Dispatcher.HeartbeatPeriod, defaultDispatcher),
		DataPathPort:               or(cluster.DataPathPort, defaultDataPathPort),
		DefaultAddrPool:            cluster.DefaultAddrPool,
		DefaultAddrPoolMaskLength:  cluster.SubnetSize,
	}
	if limit := spec.Orchestration.TaskHistoryRetentionLimit; limit != nil {
		s.TaskHistoryLimit = *limit
	}
	return s
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
