package effects

import (
	"context"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
)

// Retain creates a container that mounts another's volumes, named after the
// recovery and that container, so that it is created once.
func (w *World) Retain(ctx context.Context, op apply.Operation, container string, volumes []string) (held string, err error) {
	name := fmt.Sprintf("requeen-%s-%.12s", op.ID, container)
	err = w.onEngineFor(ctx, op.Node, forceTimeout, func(ctx context.Context, c *engine.Client) error {
		done, err := c.Retain(ctx, name, op.ID, container, volumes)
		if done {
			held = name
		}
		return err
	})
	return held, err
}
