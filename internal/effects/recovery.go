package effects

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.Recoverer = (*World)(nil)

// forceTimeout bounds one init or join: an engine takes up to 20 s to say that it
// goes on in the background.
const forceTimeout = 60 * time.Second

// surgery is what a host is told of an operation.
func surgery(op apply.Operation) host.Surgery {
	return host.Surgery{ID: op.ID, Cluster: op.Cluster, Token: op.Token, MachineID: op.Host.MachineID,
		CertificateSHA256: op.Host.SwarmDir.CertificateSHA256, Service: op.Host.Service.Unit, Socket: op.Host.Service.Socket, SwarmDir: swarmDir(op.Host)}
}

// swarmDir is where a host's swarm directory is, or would be.
func swarmDir(h state.Host) string {
	if h.SwarmDir.Path != "" {
		return h.SwarmDir.Path
	}
	root := h.Engine.DataRoot
	if root == "" {
		root = "/var/lib/docker"
	}
	return path.Join(root, "swarm")
}

// onHost calls f with the operation's host.
func (w *World) onHost(op apply.Operation, f func(*host.Host) error) error {
	h, err := w.host(op.Node)
	if err != nil {
		return err
	}
	return f(h)
}

// ReadyRecovery finds the unlock key where one will be needed, and tries the place
// of a new one. A swarm that answers is asked for its own key: that of the backup
// which replaces it may be another.
func (w *World) ReadyRecovery(ctx context.Context, op apply.Operation) error {
	if err := w.readyForKey(op.KeyTo); err != nil {
		return err
	}
	if op.Saves {
		if err := repository.CanSign(w.o.Repositories[op.Repository]); err != nil {
			return err
		}
	}
	if op.ReplacesLocked {
		keys, asked := w.keyCandidates(ctx, op.Node)
		if len(keys) == 0 {
			return noUnlockKey(op.Node, asked)
		}
		w.mu.Lock()
		w.replaced[op.SwarmID] = keys[0]
		w.mu.Unlock()
		return nil
	}
	if !op.Autolock || op.Backup != "" {
		return nil // a backup is opened before any host is touched
	}
	if _, ok := w.o.ConfiguredKey(); !ok {
		return noUnlockKey(op.Node, nil)
	}
	return nil
}

// Hold stops the engine and keeps it from starting.
func (w *World) Hold(ctx context.Context, op apply.Operation) error {
	return w.onHost(op, func(h *host.Host) error { return h.Hold(ctx, surgery(op)) })
}

// Fence holds the host and sets its raft state aside.
func (w *World) Fence(ctx context.Context, op apply.Operation) (aside string, err error) {
	err = w.onHost(op, func(h *host.Host) (err error) {
		aside, err = h.Fence(ctx, surgery(op))
		return err
	})
	return aside, err
}

// Swap puts the prepared directory in place.
func (w *World) Swap(ctx context.Context, op apply.Operation) (aside string, err error) {
	err = w.onHost(op, func(h *host.Host) (err error) {
		aside, err = h.Swap(ctx, surgery(op))
		return err
	})
	return aside, err
}

// Lift lets the engine start, and starts it.
func (w *World) Lift(ctx context.Context, op apply.Operation) error {
	return w.onHost(op, func(h *host.Host) error { return h.Lift(ctx, surgery(op)) })
}

// sideBySide runs f for every operation at once.
func sideBySide(ops []apply.Operation, f func(apply.Operation) error) error {
	errs := make([]error, len(ops))
	var wg sync.WaitGroup
	for i, op := range ops {
		wg.Go(func() {
			if err := f(op); err != nil {
				errs[i] = fmt.Errorf("%s: %w", op.Node, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// held tells whether the operation's own recovery holds the host's engine.
func held(op apply.Operation) bool {
	return slices.ContainsFunc(op.Host.Recoveries, func(r state.HostRecovery) bool { return r.ID == op.ID && r.Held })
}

// StartEngines starts stopped engines, and restarts those that run and forgot
// their swarm: docker-state.json tells them of it when they start.
func (w *World) StartEngines(ctx context.Context, ops []apply.Operation) error {
	return sideBySide(ops, func(op apply.Operation) error {
		return w.onHost(op, func(h *host.Host) error {
			if held(op) {
				return h.Lift(ctx, surgery(op)) // a restart that was cut
			}
			if op.Host.Engine.LocalNodeState == "inactive" {
				if err := h.Hold(ctx, surgery(op)); err != nil {
					return err
				}
				return h.Lift(ctx, surgery(op))
			}
			return h.StartEngine(ctx, host.EngineStart{MachineID: op.Host.MachineID, Service: op.Host.Service.Unit, Socket: op.Host.Service.Socket,
				Cluster: op.Cluster, Token: op.Token, CertificateSHA256: op.Host.SwarmDir.CertificateSHA256, SwarmDir: op.Host.SwarmDir.Path})
		})
	})
}

// UnlockEngines gives every manager the key at once.
func (w *World) UnlockEngines(ctx context.Context, ops []apply.Operation) error {
	keys, asked := w.keyCandidates(ctx, ops[0].Node)
	if len(keys) == 0 {
		return noUnlockKey(ops[0].Node, asked)
	}
	return sideBySide(ops, func(op apply.Operation) error {
		var last error
		for _, key := range keys {
			last = w.onEngineFor(ctx, op.Node, forceTimeout, func(ctx context.Context, c *engine.Client) error { return c.Unlock(ctx, key) })
			switch {
			case last == nil, errors.Is(last, engine.ErrNotLocked), errors.Is(last, engine.ErrUndecided):
				return nil // whether a leader answers is waited for
			case !errors.Is(last, engine.ErrWrongKey):
				return last
			}
		}
		return last
	})
}

// Answering connects from the source's host to the managers' port of every
// manager that is only said to be dead.
func (w *World) Answering(ctx context.Context, op apply.Operation) ([]string, error) {
	h, err := w.host(op.Node)
	if err != nil {
		return nil, err
	}
	var answers []string
	for _, addr := range op.Unfenced {
		answer, err := h.DialTCP(ctx, addr)
		switch {
		case err != nil:
			return nil, fmt.Errorf("from %s to %s: %w", op.Node, addr, err)
		case answer == host.TCPOpen:
			answers = append(answers, addr)
		}
	}
	return answers, nil
}

// Force makes the new cluster, unless it is made already. An engine that says
// that it goes on in the background has forced it; whether it leads is waited for.
// The unlock key that was remembered may be another than the new cluster's.
func (w *World) Force(ctx context.Context, op apply.Operation) error {
	w.mu.Lock()
	delete(w.keys, op.SwarmID)
	w.mu.Unlock()
	return w.onEngineFor(ctx, op.Node, forceTimeout, func(ctx context.Context, c *engine.Client) error {
		info, err := c.Info(ctx)
		if err != nil {
			return err
		}
		if info.LocalNodeState == "active" {
			return nil
		}
		_, err = c.Init(ctx, engine.InitRequest{ForceNewCluster: true, ListenAddr: op.ListenAddr, AdvertiseAddr: op.Address,
			DataPathAddr: op.DataPathAddr, AutoLock: op.Autolock})
		if errors.Is(err, engine.ErrUndecided) {
			return nil
		}
		return err
	})
}

// Leads asks the node's own engine who leads. seen is empty while nobody does.
func (w *World) Leads(ctx context.Context, op apply.Operation) (leads bool, seen string, err error) {
	err = w.onEngine(ctx, op.Node, func(ctx context.Context, c *engine.Client) error {
		info, err := c.Info(ctx)
		if err != nil {
			return err
		}
		nodes, err := c.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Leader {
				leads = n.ID == info.NodeID
				seen = fmt.Sprintf("%s says that %s leads at %s", op.Node, n.Hostname, n.ManagerAddr)
			}
		}
		return nil
	})
	return leads, seen, err
}

// Missing compares the swarm with what was prepared.
func (w *World) Missing(ctx context.Context, op apply.Operation) (missing string, compared bool, err error) {
	w.mu.Lock()
	want, known := w.prepared[op.ID]
	w.mu.Unlock()
	if !known {
		return "", false, nil
	}
	err = w.onEngineFor(ctx, op.Node, forceTimeout, func(ctx context.Context, c *engine.Client) error {
		have, err := c.Inventory(ctx)
		if err != nil {
			return err
		}
		swarm, err := c.Swarm(ctx)
		if err != nil {
			return err
		}
		missing = lacks(have, want)
		if swarm.Epoch != op.ID && missing == "" {
			missing = fmt.Sprintf("the swarm is in epoch %q, not in %q", swarm.Epoch, op.ID)
		}
		if at := leaderAddress(swarm.Nodes); missing == "" && !sameEndpoint(at, op.Address) {
			missing = fmt.Sprintf("the manager is known at %s, not at %s", at, op.Address)
		}
		if op.Autolock && !swarm.Autolock && missing == "" {
			on := true
			return c.UpdateSwarm(ctx, engine.SwarmChange{Autolock: &on})
		}
		return nil
	})
	return missing, true, err
}

func leaderAddress(nodes []state.SwarmNode) string {
	for _, n := range nodes {
		if n.Leader {
			return n.ManagerAddr
		}
	}
	return ""
}

func sameEndpoint(a, b string) bool {
	aHost, aPort, errA := net.SplitHostPort(a)
	bHost, bPort, errB := net.SplitHostPort(b)
	ip := net.ParseIP(aHost)
	return errA == nil && errB == nil && aPort == bPort && ip != nil && ip.Equal(net.ParseIP(bHost))
}

// keyThatOpens gives the configured unlock key, that of the swarm which a restore
// replaces, or the one that lay beside the backup, where it opens the node key, nil where that is not sealed.
func (w *World) keyThatOpens(nodeKey []byte, op apply.Operation) ([]byte, error) {
	if !raftdir.KeySealed(nodeKey) {
		return nil, nil
	}
	var keys [][]byte
	if key, ok := w.o.ConfiguredKey(); ok {
		keys = append(keys, []byte(key))
	}
	w.mu.Lock()
	if key := w.replaced[op.SwarmID]; len(key) > 0 {
		keys = append(keys, key)
	}
	w.mu.Unlock()
	if key := w.escrowed(op.Backup); len(key) > 0 {
		keys = append(keys, key)
	}
	for _, key := range keys {
		if raftdir.KeyOpens(nodeKey, key) == nil {
			return key, nil
		}
	}
	if len(keys) == 0 {
		return nil, noUnlockKey(op.Node, nil)
	}
	return nil, diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Node: op.Node, Summary: "The unlock key does not open " + op.Node,
		Detail: "cluster.unlock_key is not the key that this manager's key is sealed with.",
		Remedy: "Set cluster.unlock_key to the key that was valid when this manager ran last, then run requeen apply again: it goes on from here."}
}
