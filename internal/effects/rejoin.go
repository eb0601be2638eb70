package effects

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
)

// leavesFailedJoin takes a host out of a join that its engine gave up, so that it can
// be joined again: an engine whose request for a certificate met no leader stays in the
// state "error" and never tries again (measured on 28.5.2). A host that holds a node's
// certificate or raft state is not touched, for leaving erases them.
func (w *World) leavesFailedJoin(ctx context.Context, h *host.Host, op apply.Operation) error {
	if err := holdsNoNode(ctx, h, op); err != nil {
		return err
	}
	// First, since a host that has left is not seen to have given up any more.
	if err := unanswered(w.forgetUnfinished(ctx, op)); err != nil {
		return err
	}
	guard := host.Guard{Cluster: op.Cluster, Token: op.Token, MachineID: op.Host.MachineID}
	err := w.guardedEngine(ctx, op.Node, guard, func(ctx context.Context, c *engine.Client) error {
		if err := holdsNoNode(ctx, h, op); err != nil {
			return err
		}
		return c.Leave(ctx, true)
	})
	if errors.Is(err, engine.ErrNotInSwarm) {
		return nil
	}
	return err
}

// holdsNoNode refuses where leaving would erase what makes the host a node.
func holdsNoNode(ctx context.Context, h *host.Host, op apply.Operation) error {
	names, err := stateOn(ctx, h, apply.Shape{Host: op.Host})
	if err != nil {
		return err
	}
	for _, name := range []string{"certificates/swarm-node.crt", "certificates/swarm-node.key", "raft"} {
		if slices.Contains(names, name) {
			return diag.Diagnostic{Severity: diag.Error, Node: op.Node, Summary: "The engine of " + op.Node + " has given up its join",
				Detail: fmt.Sprintf("It does not try again by itself, and leaving would erase its %s. It was left as it is.", name),
				Remedy: "Run systemctl restart docker on " + op.Node + ", then requeen apply again."}
		}
	}
	return nil
}

// forgetUnfinished removes the entry that a join which was given up has left: one that
// never told its hostname. The host never comes back under that ID.
func (w *World) forgetUnfinished(ctx context.Context, op apply.Operation) error {
	return w.onEngineFor(ctx, op.Source, forceTimeout, func(ctx context.Context, c *engine.Client) error {
		nodes, err := c.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Hostname == "" && n.Status != "ready" && n.Role == op.Role && n.Reachability == "" {
				if err := removeEntry(ctx, c, n.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
