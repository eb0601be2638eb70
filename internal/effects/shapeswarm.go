package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/state"
)

// ReadyShape tries whether the unlock key can be delivered.
func (w *World) ReadyShape(_ context.Context, s apply.Shape) error { return w.readyForKey(s.KeyTo) }

func swarmChange(s apply.Shape) engine.SwarmChange {
	t := s.Settings
	return engine.SwarmChange{Autolock: t.Autolock, TaskHistoryLimit: t.TaskHistoryLimit, CertExpiry: t.CertExpiry, SnapshotInterval: t.SnapshotInterval,
		LogEntriesForSlowFollowers: t.LogEntriesForSlowFollowers, HeartbeatTick: t.HeartbeatTick, ElectionTick: t.ElectionTick, DispatcherHeartbeat: t.DispatcherHeartbeat}
}

// delivers tells whether the change makes an unlock key that has a place to go to.
func delivers(s apply.Shape) bool {
	return s.Settings.Autolock != nil && *s.Settings.Autolock && s.KeyTo != apply.KeyTo{}
}

// wanted is the change as the swarm has it in the end.
func wanted(s apply.Shape) engine.SwarmChange {
	change := swarmChange(s)
	if delivers(s) {
		change.Labels = map[string]string{state.UnlockKeyLabel: s.ID + state.KeyDelivered}
	}
	return change
}

// ChangeSwarm updates the swarm's spec. What was remembered of its unlock key is
// forgotten.
func (w *World) ChangeSwarm(ctx context.Context, s apply.Shape) error {
	defer w.forgetKeys()
	return w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error {
		if has, err := c.SwarmHas(ctx, wanted(s)); has || err != nil {
			return err
		}
		change := swarmChange(s)
		if delivers(s) {
			change.Labels = map[string]string{state.UnlockKeyLabel: s.ID + state.KeyRotated}
		}
		return c.UpdateSwarm(ctx, change)
	})
}

// SwarmHas tells whether nothing is left to change, and to deliver.
func (w *World) SwarmHas(ctx context.Context, s apply.Shape) (has bool, err error) {
	err = w.asks(ctx, s, func(ctx context.Context, c *engine.Client) (err error) {
		has, err = c.SwarmHas(ctx, wanted(s))
		return err
	})
	return has, err
}

// DeliverKey brings the key to its place as a recovery does.
func (w *World) DeliverKey(ctx context.Context, s apply.Shape) (seen string, err error) {
	err = eachManager(ctx, s, func(m apply.Manager) (err error) {
		seen, err = w.DeliverUnlockKey(ctx, apply.Operation{ID: s.ID, Cluster: s.Cluster, Node: m.Name, Source: m.Name, KeyTo: s.KeyTo})
		return err
	})
	return seen, err
}

// Sealed reads the node keys of the hosts that are managers by their own account.
func (w *World) Sealed(ctx context.Context, s apply.Shape, hosts []state.Host) (all bool, seen string, err error) {
	var key []byte
	err = eachManager(ctx, s, func(m apply.Manager) (err error) {
		key, err = w.liveKey(ctx, m.Name)
		return err
	})
	if err != nil {
		return false, "", err
	}
	sealed := 0
	for _, h := range hosts {
		if !h.Engine.ControlAvailable {
			continue
		}
		is, manages, err := w.sealedOn(ctx, apply.Operation{Node: h.Name, Host: h}, key)
		switch {
		case err != nil:
			return false, "", err
		case manages && !is:
			return false, h.Name + "'s node key is not sealed with the unlock key yet", nil
		case manages:
			sealed++
		}
	}
	return true, fmt.Sprintf("the swarm is as declared; node keys sealed with its unlock key: %d", sealed), nil
}

// ForceService updates a service with force, once for a mark.
func (w *World) ForceService(ctx context.Context, s apply.Shape) error {
	return noService(s, w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error { return c.ForceService(ctx, s.Service, s.Mark) }))
}

// Converged goes by the swarm's own word for the update; where it has none, nothing
// had to be updated, or it has not begun: then the tasks of the newest spec count.
func (w *World) Converged(ctx context.Context, s apply.Shape) (bool, string, error) {
	var service engine.Service
	err := w.asks(ctx, s, func(ctx context.Context, c *engine.Client) (err error) {
		service, err = c.Service(ctx, s.Service)
		return err
	})
	if err != nil {
		return false, "", noService(s, err)
	}
	return converged(service, s.Mark)
}

func converged(service engine.Service, mark string) (bool, string, error) {
	running := fmt.Sprintf("%s runs %d of %d tasks, %d of them started anew", service.Name, service.Running, service.Replicas, service.Current)
	if service.Mark != mark {
		return false, service.Name + " was not updated with force yet", nil
	}
	switch service.Update {
	case "completed":
		return true, running, nil
	case "":
		return service.Current >= service.Replicas, running, nil
	case "updating", "rollback_started":
		return false, running, nil
	}
	return false, "", &apply.UpdateStoppedError{Service: service.Name, State: service.Update, Text: service.Message}
}

func noService(s apply.Shape, err error) error {
	if errors.Is(err, engine.ErrNoSuchService) {
		return &apply.NoServiceError{Service: s.Service}
	}
	return err
}
