package effects

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.Shaper = (*World)(nil)

// asks calls f with a client of the first manager that answers for the swarm.
func (w *World) asks(ctx context.Context, s apply.Shape, f func(context.Context, *engine.Client) error) error {
	return eachManager(ctx, s, func(m apply.Manager) error {
		return w.onEngine(ctx, m.Name, func(ctx context.Context, c *engine.Client) error { return ofSwarm(ctx, c, s, f) })
	})
}

// tells is asks for what changes the swarm: the guard of the manager's host stands
// meanwhile.
func (w *World) tells(ctx context.Context, s apply.Shape, f func(context.Context, *engine.Client) error) error {
	return eachManager(ctx, s, func(m apply.Manager) error {
		guard := host.Guard{Cluster: s.Cluster, Token: s.Token, MachineID: m.MachineID}
		return w.guardedEngine(ctx, m.Name, guard, func(ctx context.Context, c *engine.Client) error { return ofSwarm(ctx, c, s, f) })
	})
}

// ofSwarm calls f where the engine is a manager of the swarm that is meant.
func ofSwarm(ctx context.Context, c *engine.Client, s apply.Shape, f func(context.Context, *engine.Client) error) error {
	info, err := c.Info(ctx)
	switch {
	case err != nil:
		return err
	case info.ClusterID == "":
		return fmt.Errorf("%w: it says %s of the swarm %s", engine.ErrNotManager, info.LocalNodeState, info.SwarmError)
	case info.ClusterID != s.SwarmID:
		return diag.Diagnostic{Severity: diag.Error, Code: diag.WrongCluster, Summary: "The engine is in another swarm",
			Detail: fmt.Sprintf("It is a manager of the swarm %s, and %s is meant.", info.ClusterID, s.SwarmID),
			Remedy: "Look at the address and the connection of this node, then plan again."}
	}
	return f(ctx, c)
}

// eachManager tries one manager after the other as long as they can't answer: the
// one that leads may have lost its leadership, or its management, by the very change
// that was asked for.
func eachManager(ctx context.Context, s apply.Shape, f func(apply.Manager) error) error {
	var refusals []string
	for _, m := range s.Through {
		err := f(m)
		if err == nil || ctx.Err() != nil || !elsewhere(err) {
			return err
		}
		refusals = append(refusals, err.Error())
	}
	if len(refusals) == 0 {
		return fmt.Errorf("%w: none was seen", apply.ErrNoManager)
	}
	return fmt.Errorf("%w: %s", apply.ErrNoManager, strings.Join(refusals, "; "))
}

// elsewhere tells whether another manager, or this one later, may answer what this
// one did not. Nothing of what is asked for here does harm when it is asked twice.
func elsewhere(err error) bool {
	for _, kind := range []error{engine.ErrNoLeader, engine.ErrNotManager, engine.ErrNotInSwarm, engine.ErrLocked, engine.ErrUnreachable,
		engine.ErrUndecided, engine.ErrVersionConflict, host.ErrUnreachable} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// account is what the engine of the change's own host says of itself.
func (w *World) account(ctx context.Context, s apply.Shape) (info state.Engine, err error) {
	err = w.onEngine(ctx, s.Node, func(ctx context.Context, c *engine.Client) (err error) {
		info, err = c.Info(ctx)
		return err
	})
	return info, err
}

// entry finds a node in the swarm's list, nil where it has none of this ID.
func (w *World) entry(ctx context.Context, s apply.Shape, id string) (found *state.SwarmNode, err error) {
	err = w.asks(ctx, s, func(ctx context.Context, c *engine.Client) error {
		nodes, err := c.Nodes(ctx)
		for i := range nodes {
			if nodes[i].ID == id {
				found = &nodes[i]
			}
		}
		return err
	})
	return found, err
}

// called is the node for people.
func called(s apply.Shape) string {
	if s.Node != "" {
		return s.Node
	}
	return "node " + s.Entry
}
