package effects

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/state"
)

// JoinSwarm lets a fenced host's engine start, in no swarm, and joins it. What a
// failed join erases is copied aside by the fence; what makes a join fail is
// looked at before: a sealed key, and a manager that does not answer from there
// (safety rule 2).
func (w *World) JoinSwarm(ctx context.Context, op apply.Operation) error {
	h, err := w.host(op.Node)
	if err != nil {
		return err
	}
	switch state, err := w.joinState(ctx, op); {
	case err != nil || state == "active" || state == "pending":
		return err
	case state == "error":
		if err := w.leavesFailedJoin(ctx, h, op); err != nil {
			return err
		}
	}
	answer, err := h.DialTCP(ctx, op.Address)
	if err != nil || answer != host.TCPOpen {
		return errors.Join(fmt.Errorf("%s can't connect to the manager at %s (%s), and a join that fails would erase what the host holds", op.Node, op.Address, answer), err)
	}
	keep, err := w.listed(ctx, op)
	switch {
	case err != nil:
	case keep:
		err = w.unsealOnHost(ctx, h, op)
		if d := (diag.Diagnostic{}); op.Backup != "" && errors.As(err, &d) && d.Code == diag.NoUnlockKey {
			// The swarm went back to before its key was rotated, and the key of the
			// swarm that is gone is not at hand: it joins as a new manager.
			err = h.SetCertificatesAside(ctx, surgery(op))
		}
	case op.Host.SwarmDir.CertificateSHA256 != "": // else there is nothing, or a cut run moved it
		err = h.SetCertificatesAside(ctx, surgery(op))
	}
	if err != nil {
		return err
	}
	if err := h.Lift(ctx, surgery(op)); err != nil {
		return err
	}
	token, err := w.joinToken(ctx, op.Source, op.Role)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(op.Address)
	if err != nil {
		return err
	}
	return w.asksToJoin(ctx, op.Node, port, engine.JoinRequest{RemoteAddrs: []string{op.Address}, Token: token,
		ListenAddr: op.Host.SwarmDir.ListenAddr, DataPathAddr: op.Host.SwarmDir.DataPathAddr})
}

// asksToJoin lets a node's engine join at its declared address with the port. A join
// that goes on in the background is never asked for twice, only waited for.
func (w *World) asksToJoin(ctx context.Context, node, port string, r engine.JoinRequest) error {
	r.AdvertiseAddr = net.JoinHostPort(w.o.Nodes[node].Address, port)
	err := w.onEngineFor(ctx, node, forceTimeout, func(ctx context.Context, c *engine.Client) error { return c.Join(ctx, r) })
	if errors.Is(err, engine.ErrUndecided) || errors.Is(err, engine.ErrUnreachable) || errors.Is(err, engine.ErrAlreadyInSwarm) {
		return nil
	}
	return err
}

// listed tells whether the host may join with its certificates: the swarm lists
// its node ID in that role (safety rule 12). A node that it does not list would be
// a worker refused for ever, or a voter that no entry belongs to.
func (w *World) listed(ctx context.Context, op apply.Operation) (bool, error) {
	if !op.Keep || op.NodeID == "" {
		return false, nil
	}
	listed := false
	err := w.onEngine(ctx, op.Source, func(ctx context.Context, c *engine.Client) error {
		nodes, err := c.Nodes(ctx)
		for _, n := range nodes {
			listed = listed || n.ID == op.NodeID && n.Role == op.Role
		}
		return err
	})
	return listed, err
}

// joinState is what the host's engine says of the swarm: active or pending of a join
// that was cut or goes on, error of one that the engine gave up and does not try again.
// It is empty while the engine is held, so that nothing answers.
func (w *World) joinState(ctx context.Context, op apply.Operation) (string, error) {
	var info state.Engine
	err := w.onEngine(ctx, op.Node, func(ctx context.Context, c *engine.Client) (err error) {
		info, err = c.Info(ctx)
		return err
	})
	if err != nil {
		return "", nil
	}
	return info.LocalNodeState, nil
}

// joinToken asks a manager for the token of a role.
func (w *World) joinToken(ctx context.Context, source, role string) (string, error) {
	var worker, manager string
	err := w.onEngine(ctx, source, func(ctx context.Context, c *engine.Client) (err error) {
		worker, manager, err = c.JoinTokens(ctx)
		return err
	})
	if role == "manager" {
		return manager, err
	}
	return worker, err
}

// unsealOnHost opens the node key of a manager of an auto-locked swarm: sealed, the
// join fails and the engine erases the swarm directory. The swarm seals it again.
func (w *World) unsealOnHost(ctx context.Context, h *host.Host, op apply.Operation) error {
	nodeKey, err := h.Output(ctx, host.Command{Script: `cat "$1"`, Args: []string{surgery(op).SwarmDir + "/certificates/swarm-node.key"}, Root: true})
	if err != nil {
		return err
	}
	if !raftdir.KeySealed([]byte(nodeKey)) {
		return nil
	}
	key, err := w.keyThatOpens([]byte(nodeKey), op)
	if err != nil {
		return err
	}
	open, err := raftdir.UnsealKey([]byte(nodeKey), key)
	if err != nil {
		return diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Node: op.Node, Summary: "The node key of " + op.Node + " can't be unsealed",
			Detail: err.Error() + ". It was not joined: with a sealed key the join fails and erases what the host holds.", Remedy: "Set cluster.unlock_key to the key that was valid when this manager ran last."}
	}
	return h.ReplaceNodeKey(ctx, surgery(op), open)
}

// Joined asks the source for the node.
func (w *World) Joined(ctx context.Context, op apply.Operation) (joined bool, seen string, err error) {
	var info state.Engine
	_ = w.onEngine(ctx, op.Node, func(ctx context.Context, c *engine.Client) (err error) {
		info, err = c.Info(ctx)
		return err
	})
	id := info.NodeID
	switch {
	case id == "" && info.LocalNodeState == "error":
		return false, "", &apply.NotJoinedError{Node: op.Node, Text: info.SwarmError}
	case id == "" || op.Source == "":
		return false, op.Node + " is in no swarm yet", nil
	}
	err = w.onEngine(ctx, op.Source, func(ctx context.Context, c *engine.Client) error {
		nodes, err := c.Nodes(ctx)
		if err != nil {
			return err
		}
		if op.Role == "manager" {
			joined, seen, err = reachableIn(nodes, op.Source, op.Node, id)
			return err
		}
		for _, n := range nodes {
			if n.ID == id {
				joined, seen = n.Status == "ready", fmt.Sprintf("%s sees %s as %s", op.Source, op.Node, n.Status)
			}
		}
		return nil
	})
	return joined, seen, err
}

// NotReady goes by the source's list of nodes: no worker is asked, of which there
// may be hundreds.
func (w *World) NotReady(ctx context.Context, ops []apply.Operation) (names []string, err error) {
	err = w.onEngine(ctx, ops[0].Source, func(ctx context.Context, c *engine.Client) error {
		nodes, err := c.Nodes(ctx)
		if err != nil {
			return err
		}
		ready := map[string]bool{}
		for _, n := range nodes {
			ready[n.ID] = n.Status == "ready"
		}
		for _, op := range ops {
			if !ready[op.NodeID] {
				names = append(names, op.Node)
			}
		}
		return nil
	})
	return names, err
}

// unanswered makes an error of which another try may get an answer apply.ErrNoManager.
func unanswered(err error) error {
	if err != nil && elsewhere(err) {
		return fmt.Errorf("%w: %w", apply.ErrNoManager, err)
	}
	return err
}

// TakeOver reads the old entry and the node's new ID, and changes the new entry.
func (w *World) TakeOver(ctx context.Context, op apply.Operation) error {
	return unanswered(w.takeOver(ctx, op))
}

func (w *World) takeOver(ctx context.Context, op apply.Operation) error {
	var id string
	err := w.onEngine(ctx, op.Node, func(ctx context.Context, c *engine.Client) error {
		info, err := c.Info(ctx)
		id = info.NodeID
		return err
	})
	switch {
	case err != nil:
		return err
	case id == "":
		return fmt.Errorf("%s is in no swarm", op.Node)
	}
	return w.onEngine(ctx, op.Source, func(ctx context.Context, c *engine.Client) error {
		nodes, err := c.Nodes(ctx)
		if err != nil {
			return err
		}
		labels, availability := op.Labels, op.Availability
		for _, n := range nodes {
			if n.ID != op.Entry {
				continue
			}
			if labels == nil {
				labels = n.Labels
			}
			if availability == "" {
				availability = n.Availability
			}
		}
		change := engine.NodeChange{Labels: labels}
		if availability != "" {
			change.Availability = &availability
		}
		return c.UpdateNode(ctx, id, change)
	})
}

// RemoveEntry removes the old entry with force: its host is in the swarm under
// another ID, so that nothing runs under this one. An engine that has it as a
// manager demotes it first.
func (w *World) RemoveEntry(ctx context.Context, op apply.Operation) error {
	return unanswered(w.onEngineFor(ctx, op.Source, forceTimeout, func(ctx context.Context, c *engine.Client) error {
		return removeEntry(ctx, c, op.Entry)
	}))
}

func removeEntry(ctx context.Context, c *engine.Client, id string) error {
	err := c.RemoveNode(ctx, id, true)
	if errors.Is(err, engine.ErrNoSuchNode) {
		return nil
	}
	if errors.Is(err, engine.ErrStillManager) {
		role := "worker"
		if err := c.UpdateNode(ctx, id, engine.NodeChange{Role: &role}); err != nil {
			return err
		}
		return c.RemoveNode(ctx, id, true)
	}
	return err
}

// RotateJoinTokens makes both join tokens anew.
func (w *World) RotateJoinTokens(ctx context.Context, op apply.Operation) error {
	return unanswered(w.onEngine(ctx, op.Source, func(ctx context.Context, c *engine.Client) error { return c.RotateJoinTokens(ctx) }))
}
