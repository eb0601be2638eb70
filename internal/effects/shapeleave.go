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
)

// LeaveSwarm takes a worker out of the swarm.
func (w *World) LeaveSwarm(ctx context.Context, s apply.Shape) error {
	info, err := w.account(ctx, s)
	switch {
	case err != nil:
		return err
	case info.LocalNodeState == "inactive":
		return nil
	case info.ControlAvailable:
		return stillManager(s, "Its own engine says so.")
	}
	// Its certificate is no evidence: a node that was demoted has just got another.
	guard := host.Guard{Cluster: s.Cluster, Token: s.Token, MachineID: s.Host.MachineID}
	err = w.guardedEngine(ctx, s.Node, guard, func(ctx context.Context, c *engine.Client) error {
		now, err := c.Info(ctx)
		if err == nil && now.NodeID != s.Entry && now.LocalNodeState != "inactive" {
			err = otherNode(s, now.NodeID)
		}
		if err != nil {
			return err
		}
		return c.Leave(ctx, false)
	})
	switch {
	case errors.Is(err, engine.ErrNeedsForce):
		return stillManager(s, err.Error())
	case errors.Is(err, engine.ErrNotInSwarm), errors.Is(err, engine.ErrUndecided), errors.Is(err, engine.ErrUnreachable):
		return nil // it goes on in the background: it is waited for
	}
	return err
}

func otherNode(s apply.Shape, id string) error {
	return diag.Diagnostic{Severity: diag.Error, Code: diag.WrongCluster, Node: s.Node, Summary: s.Node + " is another node now",
		Detail: fmt.Sprintf("Its engine is the node %q, and %s was to leave. Nothing was changed.", id, s.Entry), Remedy: "Plan again."}
}

func stillManager(s apply.Shape, detail string) error {
	return diag.Diagnostic{Severity: diag.Error, Node: s.Node, Summary: called(s) + " is a manager",
		Detail: strings.TrimSuffix(detail, ".") + ". A manager does not go before it is demoted, for its vote would stay. Nothing was changed.", Remedy: "Plan again."}
}

// HasLeft also looks at the disk: an engine that leaves is in no swarm a while before
// it has cleared its directory, and a join until then would meet what is in it.
func (w *World) HasLeft(ctx context.Context, s apply.Shape) (left bool, seen string, err error) {
	info, err := w.account(ctx, s)
	if err != nil {
		return false, "", err
	}
	if info.LocalNodeState != "inactive" {
		return false, fmt.Sprintf("%s's engine says %s of the swarm", s.Node, info.LocalNodeState), nil
	}
	h, err := w.host(s.Node)
	if err != nil {
		return false, "", err
	}
	names, err := stateOn(ctx, h, s)
	if err != nil || len(names) > 0 {
		return false, fmt.Sprintf("%s's swarm directory still has %s", s.Node, strings.Join(names, ", ")), err
	}
	n, err := w.entry(ctx, s, s.Entry)
	if err != nil || n == nil {
		return err == nil, s.Node + " is in no swarm", err
	}
	return n.Status == "down", fmt.Sprintf("%s is in no swarm, and its entry is %s", s.Node, n.Status), nil
}
