package engine

import (
	"context"

	"github.com/requeen/requeen/internal/state"
)

// Nodes is the swarm's list of nodes alone, sorted by ID, without their running
// tasks: what a wait asks for, over and over.
func (c *Client) Nodes(ctx context.Context) ([]state.SwarmNode, error) {
	var s state.Swarm
	if err := c.addNodes(ctx, &s); err != nil {
		return nil, err
	}
	return s.Nodes, nil
}
