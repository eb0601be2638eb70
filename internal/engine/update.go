package engine

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/requeen/requeen/internal/state"
)

// JoinTokens asks a manager for the swarm's join tokens. The caller must
// neither log nor store them.
func (c *Client) JoinTokens(ctx context.Context) (worker, manager string, err error) {
	cluster, err := call(ctx, c, "get join tokens", c.api.SwarmInspect)
	if err != nil {
		return "", "", err
	}
	return cluster.JoinTokens.Worker, cluster.JoinTokens.Manager, nil
}

// RotateJoinTokens makes both join tokens anew; the old ones join nobody any
// more. ErrVersionConflict says that the swarm kept changing and nothing was
// rotated.
func (c *Client) RotateJoinTokens(ctx context.Context) error {
	flags := swarm.UpdateFlags{RotateWorkerToken: true, RotateManagerToken: true}
	return c.updateSwarm(ctx, "rotate join tokens", flags, func(*swarm.Spec) error { return nil })
}

// RotateUnlockKey makes the unlock key anew; UnlockKey tells it. A manager that
// can't be reached keeps the old one until it has heard of it. On a swarm that
// is not auto-locked it is ErrNotAutolocked: engines do nothing there and say
// that it went well.
func (c *Client) RotateUnlockKey(ctx context.Context) error {
	return c.rotateUnlockKey(ctx, func(*swarm.Spec) error { return nil })
}

// RotateUnlockKeyOnce is RotateUnlockKey, at most once for a recovery: the update
// that makes the key also labels the swarm with the recovery's ID, and a swarm
// that has it is left alone.
func (c *Client) RotateUnlockKeyOnce(ctx context.Context, recovery string) error {
	return c.rotateUnlockKey(ctx, func(spec *swarm.Spec) error {
		if strings.HasPrefix(spec.Labels[state.UnlockKeyLabel], recovery+" ") {
			return errUnchanged
		}
		if spec.Labels == nil {
			spec.Labels = make(map[string]string)
		}
		spec.Labels[state.UnlockKeyLabel] = recovery + state.KeyRotated
		return nil
	})
}

func (c *Client) rotateUnlockKey(ctx context.Context, change func(*swarm.Spec) error) error {
	flags := swarm.UpdateFlags{RotateManagerUnlockKey: true}
	const what = "rotate unlock key"
	return c.updateSwarm(ctx, what, flags, func(spec *swarm.Spec) error {
		if !spec.EncryptionConfig.AutoLockManagers {
			return &Error{Call: what, Kind: ErrNotAutolocked, Cause: errors.New("it has no unlock key to rotate")}
		}
		return change(spec)
	})
}

// SwarmChange is what is to be different about a swarm; nil leaves as it is.
type SwarmChange struct {
	Labels   map[string]string // added or replaced; others stay
	Autolock *bool             // turned on, a new unlock key is made

	TaskHistoryLimit           *int64
	CertExpiry                 *time.Duration // at least 1 h
	SnapshotInterval           *uint64        // raft entries
	LogEntriesForSlowFollowers *uint64        // raft entries
	HeartbeatTick              *int           // seconds
	ElectionTick               *int           // seconds
	DispatcherHeartbeat        *time.Duration
}

// UpdateSwarm changes what the change names and keeps the rest, the count of CA
// rotations and the external CAs among it. A change that changes nothing is not
// sent. ErrVersionConflict says that the swarm kept changing meanwhile and
// nothing was done.
func (c *Client) UpdateSwarm(ctx context.Context, change SwarmChange) error {
	return c.updateSwarm(ctx, "update swarm", swarm.UpdateFlags{}, func(spec *swarm.Spec) error {
		if !change.apply(spec) {
			return errUnchanged
		}
		return nil
	})
}

// apply puts the change into the spec and tells whether it differs now.
func (s SwarmChange) apply(spec *swarm.Spec) bool {
	changed := false
	for k, v := range s.Labels {
		if old, there := spec.Labels[k]; there && old == v {
			continue
		}
		if spec.Labels == nil {
			spec.Labels = make(map[string]string)
		}
		spec.Labels[k], changed = v, true
	}
	if limit := s.TaskHistoryLimit; limit != nil && spec.Orchestration.TaskHistoryRetentionLimit == nil {
		spec.Orchestration.TaskHistoryRetentionLimit, changed = limit, true
	} else if limit != nil {
		changed = set(spec.Orchestration.TaskHistoryRetentionLimit, limit) || changed
	}
	for _, differs := range []bool{
		set(&spec.EncryptionConfig.AutoLockManagers, s.Autolock),
		set(&spec.CAConfig.NodeCertExpiry, s.CertExpiry),
		set(&spec.Raft.SnapshotInterval, s.SnapshotInterval),
		set(&spec.Raft.LogEntriesForSlowFollowers, s.LogEntriesForSlowFollowers),
		set(&spec.Raft.HeartbeatTick, s.HeartbeatTick),
		set(&spec.Raft.ElectionTick, s.ElectionTick),
		set(&spec.Dispatcher.HeartbeatPeriod, s.DispatcherHeartbeat),
	} {
		changed = changed || differs
	}
	return changed
}

// set takes over the wanted value where there is one, and tells whether that
// made a difference.
func set[T comparable](value, wanted *T) bool {
	if wanted == nil || *value == *wanted {
		return false
	}
	*value = *wanted
	return true
}

// errUnchanged is a change's word that nothing needs to be sent.
var errUnchanged = errors.New("nothing to change")

// updateSwarm sends the whole spec with the change in it, as the API wants it:
// what is left out goes back to its default.
func (c *Client) updateSwarm(ctx context.Context, what string, flags swarm.UpdateFlags, change func(*swarm.Spec) error) error {
	return twice(func() error {
		cluster, err := call(ctx, c, what, c.api.SwarmInspect)
		if err != nil {
			return err
		}
		if err := change(&cluster.Spec); errors.Is(err, errUnchanged) {
			return nil
		} else if err != nil {
			return err
		}
		return c.do(ctx, what, func(ctx context.Context) error {
			return c.api.SwarmUpdate(ctx, cluster.Version, cluster.Spec, flags)
		})
	})
}

// twice reads and writes once more where somebody wrote in between. More is for
// the caller to decide.
func twice(readAndWrite func() error) error {
	err := readAndWrite()
	if errors.Is(err, ErrVersionConflict) {
		err = readAndWrite()
	}
	return err
}
