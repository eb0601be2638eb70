package effects

import (
	"context"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

// Retain creates a container that mounts another's volumes, named after the
// recovery and that container, so that it is created once.
func (w *World) Retain(ctx context.Context, op apply.Operation, container string, volumes []string) (held string, err error) {
	name := fmt.Sprintf("requeen-%s-%.12s", op.ID, container)
	s := surgery(op)
	guard := host.Guard{Cluster: s.Cluster, Token: s.Token, MachineID: s.MachineID, CertificateSHA256: s.CertificateSHA256, SwarmDir: s.SwarmDir}
	err = w.guardedEngine(ctx, op.Node, guard, func(ctx context.Context, c *engine.Client) error {
		done, err := c.Retain(ctx, name, op.ID, container, volumes)
		if done {
			held = name
		}
		return err
	})
	return held, err
}

// guardedEngine is onEngineFor for what changes something: the host's guard stands
// while the engine is told.
func (w *World) guardedEngine(ctx context.Context, node string, guard host.Guard, f func(context.Context, *engine.Client) error) error {
	h, err := w.host(node)
	if err != nil {
		return err
	}
	return h.Guarded(ctx, guard, func(ctx context.Context) error { return w.onEngineFor(ctx, node, forceTimeout, f) })
}

// Holder is a container that a recovery left on a host to hold volumes.
type Holder struct {
	Cluster string // the cluster block's label
	Token   uint64 // the number of the lock that is held
	Node    string // the node's name in the configuration
	// Host is the node's host as it was last seen; its machine is checked again
	// before the engine is told.
	Host state.Host
	state.VolumeHolder
}

// ReleaseVolumes removes the container and leaves its volumes. Where another
// container mounts one of them, with which the volume could go, or somebody started
// the holder, nothing is removed and kept says why; one that is gone is no error.
func (w *World) ReleaseVolumes(ctx context.Context, l Holder) (kept string, err error) {
	guard := host.Guard{Cluster: l.Cluster, Token: l.Token, MachineID: l.Host.MachineID, Recovery: l.Recovery}
	err = w.guardedEngine(ctx, l.Node, guard, func(ctx context.Context, c *engine.Client) (err error) {
		kept, err = c.ReleaseVolumes(ctx, l.ID)
		return err
	})
	return kept, err
}
