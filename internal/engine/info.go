package engine

import (
	"context"

	"github.com/docker/docker/api/types/system"

	"github.com/requeen/requeen/internal/state"
)

// Info is the engine's account of itself. It answers on managers without a
// quorum and on locked ones too, and its LocalNodeState is not to be trusted
// alone: it can stay "error" on a working manager.
func (c *Client) Info(ctx context.Context) (state.Engine, error) {
	info, err := call(ctx, c, "info", c.api.Info)
	if err != nil {
		return state.Engine{}, err
	}
	return engineOf(info), nil
}

func engineOf(info system.Info) state.Engine {
	e := state.Engine{
		Answered:         state.Present,
		Version:          info.ServerVersion,
		DataRoot:         info.DockerRootDir,
		LocalNodeState:   string(info.Swarm.LocalNodeState),
		ControlAvailable: info.Swarm.ControlAvailable,
		NodeID:           info.Swarm.NodeID,
		NodeAddr:         info.Swarm.NodeAddr,
		SwarmError:       oneLine(info.Swarm.Error),
		LiveRestore:      info.LiveRestoreEnabled,
		Containers:       info.ContainersRunning,
	}
	if info.Swarm.Cluster != nil {
		e.ClusterID = info.Swarm.Cluster.ID
	}
	return e
}
