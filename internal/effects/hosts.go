package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.Hosts = (*World)(nil)

// Ready fetches the unlock key of an auto-locked swarm and puts the helper on
// the host that will unlock with it.
func (w *World) Ready(ctx context.Context, run apply.Run) error {
	if err := repository.CanSign(w.o.Repositories[run.Repository]); err != nil {
		return err
	}
	if !run.Autolocked {
		return nil
	}
	if !run.Later {
		if _, err := w.unlockKey(ctx, run); err != nil {
			return err
		}
	}
	h, err := w.host(run.Node)
	if err != nil {
		return err
	}
	if run.ID == "" {
		return nil // no run is launched there
	}
	_, err = h.EnsureHelper(ctx)
	return err
}

// BeginBackup launches the detached run.
func (w *World) BeginBackup(ctx context.Context, run apply.Run) error {
	h, err := w.host(run.Node)
	if err != nil {
		return err
	}
	b := host.BackupRun{
		ID: run.ID, Cluster: run.Cluster, Backup: run.Backup, Repository: run.Repository,
		SwarmID: run.SwarmID, NodeID: run.NodeID, Token: run.Token, Autolocked: run.Autolocked,
		MachineID: run.Host.MachineID, CertificateSHA256: run.Host.SwarmDir.CertificateSHA256,
		Service: run.Host.Service.Unit, Socket: run.Host.Service.Socket,
		SwarmDir: run.Host.SwarmDir.Path, DownMax: w.o.Nodes[run.Node].DownMax, EngineSocket: EngineSocket,
	}
	if run.Autolocked {
		if b.UnlockKey, err = w.unlockKey(ctx, run); err != nil {
			return err
		}
		if b.SealedKey, err = w.sealKey(run.Repository, b.UnlockKey); err != nil {
			return err
		}
	}
	return h.BeginBackup(ctx, b)
}

// sealKey encrypts the unlock key of the stop to the repository's recipients
// (safety rule 11); a repository in clear has none, and then nothing is kept.
func (w *World) sealKey(repo string, key []byte) ([]byte, error) {
	recipients := w.o.Repositories[repo].Recipients
	if len(recipients) == 0 {
		return nil, nil
	}
	return repository.EncryptSmall(recipients, key)
}

// RunStatus asks the host how far the detached run is.
func (w *World) RunStatus(ctx context.Context, node, runID string) (state.HostRun, bool, error) {
	h, err := w.host(node)
	if err != nil {
		return state.HostRun{}, false, err
	}
	return h.BackupStatus(ctx, runID)
}

// StartEngine starts the engine of a host, whether a cut run left it stopped or not.
func (w *World) StartEngine(ctx context.Context, run apply.Run) error {
	h, err := w.host(run.Node)
	if err != nil {
		return err
	}
	start := host.EngineStart{MachineID: run.Host.MachineID, Service: run.Host.Service.Unit,
		Socket: run.Host.Service.Socket, Cluster: run.Cluster, Token: run.Token, Restart: run.Restart}
	if run.ID == "" {
		start.CertificateSHA256, start.SwarmDir = run.Host.SwarmDir.CertificateSHA256, run.Host.SwarmDir.Path
	}
	return h.StartEngine(ctx, start)
}

// Unlock unlocks the node's manager over its engine's API.
func (w *World) Unlock(ctx context.Context, run apply.Run) error {
	keys, asked := w.laterKeys(ctx, run)
	if len(keys) == 0 {
		return noUnlockKey(run.Node, asked)
	}
	var last error
	for _, key := range keys {
		last = w.onEngine(ctx, run.Node, func(ctx context.Context, c *engine.Client) error { return c.Unlock(ctx, key) })
		if !errors.Is(last, engine.ErrWrongKey) {
			return last
		}
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.ManagerLeftLocked, Node: run.Node,
		Summary: "The unlock key does not open the manager",
		Detail:  fmt.Sprintf("The key was rotated while the manager was down, or cluster.unlock_key is another swarm's: %v.", last),
		Remedy:  "docker swarm unlock on that manager with the key that was valid when it was stopped"}
}

// Reachable asks the managers, the node itself last, whether it is a reachable
// manager of the swarm.
func (w *World) Reachable(ctx context.Context, node, nodeID string) (bool, string, error) {
	return reachableFor(w.managers(node), node, nodeID, func(name string) (nodes []state.SwarmNode, err error) {
		err = w.onEngine(ctx, name, func(ctx context.Context, c *engine.Client) (err error) {
			nodes, err = c.Nodes(ctx)
			return err
		})
		return nodes, err
	})
}

// reachableFor goes by the first manager that answers. The node's own word, which is
// that of the leader whom it has found, counts where no other can be asked, as from a
// schedule on it whose root has no ssh to them: what refuses there is no reason then not
// to wait for it.
func reachableFor(names []string, node, nodeID string, ask func(name string) ([]state.SwarmNode, error)) (bool, string, error) {
	var refusals []error
	for _, name := range names {
		nodes, err := ask(name)
		if err == nil {
			return reachableIn(nodes, name, node, nodeID)
		}
		if name == node && len(refusals) > 0 {
			return false, "", fmt.Errorf("%w; and no other manager can be asked: %v", err, errors.Join(refusals...))
		}
		refusals = append(refusals, err)
	}
	return false, "", errors.Join(refusals...)
}

func reachableIn(nodes []state.SwarmNode, from, node, nodeID string) (bool, string, error) {
	for _, n := range nodes {
		if n.ID != nodeID {
			continue
		}
		if n.Leader || n.Reachability == "reachable" && n.Status == "ready" {
			return true, fmt.Sprintf("%s sees %s as a reachable manager", from, node), nil
		}
		return false, fmt.Sprintf("%s sees %s as %s, its manager as %s", from, node, n.Status, n.Reachability), nil
	}
	return false, fmt.Sprintf("%s has no node %s", from, nodeID), nil
}

// RemoveRun removes what a run left on a host.
func (w *World) RemoveRun(ctx context.Context, node, runID string, token uint64) error {
	h, err := w.host(node)
	if err != nil {
		return err
	}
	return h.RemoveRun(ctx, runID, token)
}
