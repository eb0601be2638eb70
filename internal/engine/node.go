package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// NodeChange is what is to be different about a node; nil leaves as it is.
type NodeChange struct {
	Role         *string // manager, worker
	Availability *string // active, pause, drain
	// Labels are all that the node is to have: an empty map takes every label
	// away.
	Labels map[string]string
}

// UpdateNode changes what the change names and keeps the rest. The ID is the
// whole one. A change that changes nothing is not sent. A role is only desired
// when it returns: the node takes it on afterwards.
//
// ErrNoSuchNode: the swarm has no such node. ErrQuorumAtRisk: the swarm refuses
// the demotion. ErrVersionConflict: the node kept changing meanwhile and nothing
// was done.
func (c *Client) UpdateNode(ctx context.Context, id string, change NodeChange) error {
	const what = "update node"
	return twice(func() error {
		node, err := c.node(ctx, what, id)
		if err != nil {
			return err
		}
		if !change.apply(&node.Spec) {
			return nil
		}
		err = c.do(ctx, what, func(ctx context.Context) error {
			return c.api.NodeUpdate(ctx, id, node.Version, node.Spec)
		})
		return orNoSuchNode(id, err)
	})
}

// apply puts the change into the spec and tells whether it differs now.
func (n NodeChange) apply(spec *swarm.NodeSpec) bool {
	changed := set(&spec.Role, (*swarm.NodeRole)(n.Role))
	changed = set(&spec.Availability, (*swarm.NodeAvailability)(n.Availability)) || changed
	if n.Labels != nil && !maps.Equal(spec.Labels, n.Labels) {
		spec.Labels, changed = n.Labels, true
	}
	return changed
}

// RemoveNode removes a node's entry. The ID is the whole one. Its certificate is
// refused from then on, so that its host can't come back with it.
//
// ErrNoSuchNode: it is gone already. ErrNodeUp: the swarm believes that it is
// up, which only force overrules. ErrStillManager: it is a member of the raft
// and is to be demoted before; force does not help.
func (c *Client) RemoveNode(ctx context.Context, id string, force bool) error {
	const what = "remove node"
	if _, err := c.node(ctx, what, id); err != nil {
		return err
	}
	err := c.do(ctx, what, func(ctx context.Context) error {
		return c.api.NodeRemove(ctx, id, swarm.NodeRemoveOptions{Force: force})
	})
	return orNoSuchNode(id, err)
}

// node reads one node. An engine takes a hostname or the beginning of an ID for
// an ID too: another node that fits by accident must not be changed.
func (c *Client) node(ctx context.Context, what, id string) (swarm.Node, error) {
	if strings.TrimSpace(id) == "" {
		return swarm.Node{}, &Error{Call: what, Cause: errors.New("no node ID was given")}
	}
	node, err := call(ctx, c, what, func(ctx context.Context) (swarm.Node, error) {
		node, _, err := c.api.NodeInspectWithRaw(ctx, id)
		return node, err
	})
	if err != nil {
		return swarm.Node{}, orNoSuchNode(id, err)
	}
	if node.ID != id {
		return swarm.Node{}, &Error{Call: what, Kind: ErrNoSuchNode, Cause: fmt.Errorf("%s is not a node's ID; node %s goes by it", id, node.ID)}
	}
	return node, nil
}

// orNoSuchNode types the engine's word that this very node is not there, which
// a path that is not there must not pass for.
func orNoSuchNode(id string, err error) error {
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != nil || !strings.Contains(failed.Cause.Error(), "node "+id+" not found") {
		return err
	}
	return &Error{Call: failed.Call, Kind: ErrNoSuchNode, Cause: failed.Cause}
}
