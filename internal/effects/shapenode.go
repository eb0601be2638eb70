package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
)

// RemoveNode removes an entry with force.
func (w *World) RemoveNode(ctx context.Context, s apply.Shape) error {
	err := w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error { return c.RemoveNode(ctx, s.Entry, true) })
	switch {
	case errors.Is(err, engine.ErrNoSuchNode):
		return nil
	case errors.Is(err, engine.ErrStillManager):
		return stillManager(s, err.Error())
	}
	return err
}

// IsRemoved looks for the entry.
func (w *World) IsRemoved(ctx context.Context, s apply.Shape) (removed bool, seen string, err error) {
	n, err := w.entry(ctx, s, s.Entry)
	if err != nil || n != nil {
		return false, "", err
	}
	return true, "the swarm has no entry of " + called(s), nil
}

// ownID is the node ID under which the host is in the swarm now.
func (w *World) ownID(ctx context.Context, s apply.Shape) (string, error) {
	if s.Entry != "" {
		return s.Entry, nil
	}
	info, err := w.account(ctx, s)
	if err == nil && info.NodeID == "" {
		err = fmt.Errorf("%s: %w", s.Node, engine.ErrNotInSwarm)
	}
	return info.NodeID, err
}

// ChangeNode changes availability and labels of the entry.
func (w *World) ChangeNode(ctx context.Context, s apply.Shape) error {
	id, err := w.ownID(ctx, s)
	if err != nil {
		return err
	}
	return goneEntry(s, w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error { return c.UpdateNode(ctx, id, nodeChange(s)) }))
}

func nodeChange(s apply.Shape) engine.NodeChange {
	change := engine.NodeChange{Labels: s.Labels}
	if s.Availability != "" {
		change.Availability = &s.Availability
	}
	return change
}

// NodeHas counts tasks only on a drained node that is up: those of another don't end.
func (w *World) NodeHas(ctx context.Context, s apply.Shape) (has bool, tasks int, err error) {
	id, err := w.ownID(ctx, s)
	if err != nil {
		return false, 0, err
	}
	err = w.asks(ctx, s, func(ctx context.Context, c *engine.Client) (err error) {
		if has, err = c.NodeHas(ctx, id, nodeChange(s)); err != nil || !has || s.Availability != "drain" {
			return err
		}
		nodes, err := c.Nodes(ctx)
		for _, n := range nodes {
			if n.ID == id && n.Status == "ready" {
				tasks, err = c.NodeTasks(ctx, id)
			}
		}
		return err
	})
	return has, tasks, err
}
