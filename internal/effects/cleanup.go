package effects

import (
	"context"

	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

// Aside is a directory that a recovery set aside, or laid beside its place, on a
// host.
type Aside struct {
	Cluster string // the cluster block's label
	Token   uint64 // the number of the lock that is held
	Node    string // the node's name in the configuration
	// Host is the node's host as it was last seen; its machine is checked again in
	// the shell that removes.
	Host state.Host
	Path string
	// Restore is the restore of data that left it, "" of a swarm's state.
	Restore string
}

// RemoveAside removes one. A directory of another name, or of a recovery that
// still holds the host, is refused with host's errors; one that is gone is no
// error.
func (w *World) RemoveAside(ctx context.Context, a Aside) error {
	h, err := w.host(a.Node)
	if err != nil {
		return err
	}
	if a.Restore != "" {
		return h.RemoveDataAside(ctx, a.Cluster, a.Token, a.Host.MachineID, a.Restore, a.Path)
	}
	return h.RemoveAside(ctx, host.AsideRemoval{Cluster: a.Cluster, Token: a.Token, MachineID: a.Host.MachineID,
		SwarmDir: a.Host.SwarmDir.Path, Path: a.Path})
}
