package effects

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
)

// JoinNode joins a host that is in no swarm. While nobody else changes anything on
// the host its directory is looked into once more: a join that fails erases what is
// in it (safety rule 2).
func (w *World) JoinNode(ctx context.Context, s apply.Shape) error {
	h, err := w.host(s.Node)
	if err != nil {
		return err
	}
	if joins, err := w.takesPart(ctx, s); joins || err != nil {
		return err
	}
	m, err := reachedFrom(ctx, h, s)
	if err != nil {
		return err
	}
	var token string
	err = w.asks(ctx, s, func(ctx context.Context, c *engine.Client) error {
		worker, manager, err := c.JoinTokens(ctx)
		if token = worker; s.Role == roleManager {
			token = manager
		}
		return err
	})
	if err != nil {
		return err
	}
	listen := w.o.ListenAddr
	if listen == "" {
		listen = engine.DefaultListenAddr
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	guard := host.Guard{Cluster: s.Cluster, Token: s.Token, MachineID: s.Host.MachineID}
	return h.Guarded(ctx, guard, func(ctx context.Context) error {
		if err := holdsNothing(ctx, h, s); err != nil {
			return err
		}
		return w.asksToJoin(ctx, s.Node, port, engine.JoinRequest{RemoteAddrs: []string{m.Address}, Token: token,
			ListenAddr: listen, DataPathAddr: w.o.DataPathAddr})
	})
}

// takesPart tells whether the host's engine is in this swarm already, or about to
// be: of a join that was cut, or has not ended.
func (w *World) takesPart(ctx context.Context, s apply.Shape) (bool, error) {
	info, err := w.account(ctx, s)
	if err != nil {
		return false, err
	}
	other := info.ClusterID != "" && info.ClusterID != s.SwarmID
	switch info.LocalNodeState {
	case "inactive":
		return false, nil
	case "pending":
		return true, nil
	case "active":
		if info.ClusterID == "" { // a worker is not told
			n, err := w.entry(ctx, s, info.NodeID)
			if err != nil {
				return false, err
			}
			other = n == nil
		}
		if !other {
			return true, nil
		}
	}
	text := fmt.Sprintf("Its engine says %s of the swarm", info.LocalNodeState)
	if other {
		text = "Its engine is in another swarm"
	}
	return false, diag.Diagnostic{Severity: diag.Error, Code: diag.WrongCluster, Node: s.Node, Summary: s.Node + " can't join the swarm",
		Detail: text + ", and a host that joins has to be in none. Nothing was changed.",
		Remedy: "Look at it (docker info on " + s.Node + "); if what it has of a swarm is not needed: docker swarm leave --force there, then plan again."}
}

// reachedFrom gives the first manager that answers at its port from the host.
func reachedFrom(ctx context.Context, h *host.Host, s apply.Shape) (apply.Manager, error) {
	var tried []string
	for _, m := range s.Through {
		if m.Address == "" {
			continue
		}
		answer, err := h.DialTCP(ctx, m.Address)
		switch {
		case ctx.Err() != nil:
			return m, err
		case err != nil:
			tried = append(tried, err.Error())
		case answer == host.TCPOpen:
			return m, nil
		default:
			tried = append(tried, fmt.Sprintf("%s at %s: %s", m.Name, m.Address, answer))
		}
	}
	if len(tried) == 0 {
		return apply.Manager{}, fmt.Errorf("%w: no manager's address is known", apply.ErrNoManager)
	}
	return apply.Manager{}, diag.Diagnostic{Severity: diag.Error, Node: s.Node, Summary: "From " + s.Node + " no manager can be connected to",
		Detail: strings.Join(tried, "; ") + ". It was not joined.",
		Remedy: "Let it through to the managers' port (TCP 2377, and TCP and UDP 7946 and UDP 4789 for the networks), then run requeen apply again."}
}

// holdsScript names what of a swarm is in the directory.
const holdsScript = `for f in certificates/swarm-node.crt certificates/swarm-node.key certificates/swarm-root-ca.crt raft docker-state.json; do
	if [ -e "$1/$f" ] || [ -L "$1/$f" ]; then echo "holds=$f"; fi
done`

// stateOn gives what of a swarm lies in the host's swarm directory.
func stateOn(ctx context.Context, h *host.Host, s apply.Shape) ([]string, error) {
	out, err := h.Output(ctx, host.Command{Script: holdsScript, Args: []string{swarmDir(s.Host)}, Root: true})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, line := range strings.Split(out, "\n") {
		if name, ok := strings.CutPrefix(line, "holds="); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

func holdsNothing(ctx context.Context, h *host.Host, s apply.Shape) error {
	names, err := stateOn(ctx, h, s)
	if err != nil || len(names) == 0 {
		return err
	}
	return diag.Diagnostic{Severity: diag.Error, Node: s.Node, Summary: s.Node + " holds state of a swarm",
		Detail: fmt.Sprintf("%s has %s, and a join that fails erases it. It was not joined.", swarmDir(s.Host), strings.Join(names, ", ")),
		Remedy: "If that state is not needed, move the directory aside while the engine is stopped; then run requeen apply again."}
}

// NodeReady goes by the host's own engine for its node ID, and by the swarm's list
// for the rest.
func (w *World) NodeReady(ctx context.Context, s apply.Shape) (ready bool, seen string, err error) {
	info, err := w.account(ctx, s)
	switch {
	case err != nil:
		return false, "", err
	case info.LocalNodeState == "inactive", info.LocalNodeState == "error" && info.NodeID == "":
		return false, "", &apply.NotJoinedError{Node: s.Node, Text: info.SwarmError}
	case info.NodeID == "":
		return false, s.Node + "'s engine has no node ID yet", nil
	}
	n, err := w.entry(ctx, s, info.NodeID)
	switch {
	case err != nil:
		return false, "", err
	case n == nil:
		return false, fmt.Sprintf("the swarm does not list %s as %s yet", s.Node, info.NodeID), nil
	case s.Role == roleWorker:
		if ready, seen = inRole(n, s, roleWorker); ready {
			ready, seen = n.Status == "ready", fmt.Sprintf("the swarm sees %s as %s", s.Node, n.Status)
		}
		return ready, seen, nil
	}
	ready, seen = inRole(n, s, roleManager)
	return ready, seen, nil
}
