package engine

import (
	"context"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

// SwarmHas tells whether UpdateSwarm would have nothing to change.
func (c *Client) SwarmHas(ctx context.Context, change SwarmChange) (bool, error) {
	cluster, err := call(ctx, c, "inspect swarm", c.api.SwarmInspect)
	if err != nil {
		return false, err
	}
	return !change.apply(&cluster.Spec), nil
}

// NodeHas tells whether UpdateNode would have nothing to change. The ID is the
// whole one; ErrNoSuchNode: the swarm has no such node.
func (c *Client) NodeHas(ctx context.Context, id string, change NodeChange) (bool, error) {
	node, err := c.node(ctx, "inspect node", id)
	if err != nil {
		return false, err
	}
	return !change.apply(&node.Spec), nil
}

// NodeTasks counts the tasks that a node still has to end or to run: those that
// are to run there, and those that are not and have not ended yet.
func (c *Client) NodeTasks(ctx context.Context, id string) (int, error) {
	tasks, err := call(ctx, c, "list tasks of node", func(ctx context.Context) ([]swarm.Task, error) {
		return c.api.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("node", id))})
	})
	n := 0
	for _, t := range tasks {
		if t.NodeID == id && !ended(t.Status.State) {
			n++
		}
	}
	return n, err
}

func ended(s swarm.TaskState) bool {
	switch s {
	case swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateRemove, swarm.TaskStateOrphaned:
		return true
	}
	return false
}
