package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/state"
)

const (
	roleManager = "manager"
	roleWorker  = "worker"
)

// SetRole changes the role that the swarm desires of the node.
func (w *World) SetRole(ctx context.Context, s apply.Shape) error {
	err := w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error {
		return c.UpdateNode(ctx, s.Entry, engine.NodeChange{Role: &s.Role})
	})
	if errors.Is(err, engine.ErrQuorumAtRisk) {
		return diag.Diagnostic{Severity: diag.Error, Code: diag.QuorumWouldBeLost, Node: s.Node, Summary: "The swarm does not demote " + called(s),
			Detail: err.Error() + ".", Remedy: "Bring the other managers back, then plan again."}
	}
	return goneEntry(s, err)
}

// goneEntry says that an entry which was to be changed is not there.
func goneEntry(s apply.Shape, err error) error {
	if !errors.Is(err, engine.ErrNoSuchNode) {
		return err
	}
	return diag.Diagnostic{Severity: diag.Error, Node: s.Node, Summary: "The swarm has no entry of " + called(s),
		Detail: err.Error() + ".", Remedy: "Plan again."}
}

// HasRole goes by the swarm's list, and for a worker whose engine was seen to answer
// by that too: a manager that was demoted has to hear of it before anything else is
// asked of it.
func (w *World) HasRole(ctx context.Context, s apply.Shape) (has bool, seen string, err error) {
	n, err := w.entry(ctx, s, s.Entry)
	if err != nil {
		return false, "", err
	}
	if n == nil {
		return false, "the swarm has no node " + s.Entry, nil
	}
	has, seen = inRole(n, s, s.Role)
	if !has || s.Role != roleWorker || s.Host.Looked != state.Present || s.Host.Engine.Answered != state.Present {
		return has, seen, nil
	}
	info, err := w.account(ctx, s)
	if err == nil && info.NodeID == s.Entry && info.ControlAvailable {
		return false, s.Node + "'s engine still says that it is a manager", nil
	}
	return err == nil, seen, err
}

// inRole tells whether the swarm has a node in the role: of a manager, that it is
// reachable, and of a worker that it has no vote.
func inRole(n *state.SwarmNode, s apply.Shape, role string) (bool, string) {
	vote := n.Leader || n.Reachability != ""
	switch {
	case role == roleManager && n.Role == role && (n.Leader || n.Reachability == "reachable" && n.Status == "ready"):
		return true, "the swarm sees " + called(s) + " as a reachable manager"
	case role == roleManager && vote:
		return false, fmt.Sprintf("the swarm sees %s as %s, its manager as %s", called(s), n.Status, n.Reachability)
	case role == roleWorker && n.Role == role && !vote:
		return true, called(s) + " is a worker"
	}
	return false, fmt.Sprintf("%s is to be a %s, and is not yet", called(s), role)
}
