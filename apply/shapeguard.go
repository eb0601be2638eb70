package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// maxSkew is how far clocks may differ: a certificate that is not valid yet makes a
// join fail (safety rule 25).
const maxSkew = 5 * time.Minute

// guarded looks again and refuses where the swarm or the node's machine is not the
// plan's, where check says so, and where the lock is another's. A swarm without a
// leader is waited for: the step before may have let it elect one.
func (t *task) guarded(ctx context.Context, check func() []plan.Change) error {
	err := t.poll(ctx, "a manager answers for the swarm", func(ctx context.Context) (bool, error) {
		if err := t.look(ctx); err != nil {
			return false, err
		}
		if t.seen.Swarm == nil {
			return false, errors.New(or(t.seen.SwarmProblem, "no manager answers for the swarm"))
		}
		if h := t.seen.Host(t.s.Node); t.touchesHost() && (h == nil || h.Looked != state.Present) {
			return false, fmt.Errorf("%s can't be reached", t.s.Node)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	list := append(t.otherSwarm(), t.otherMachine()...)
	if len(list) == 0 {
		list = check()
	}
	if len(list) > 0 {
		return t.stale(list)
	}
	return t.stillHolds(ctx)
}

func or(p *state.Problem, otherwise string) string {
	if p == nil || p.Text == "" {
		return otherwise
	}
	return p.Text
}

// touchesHost tells whether the step is one for the node's own engine.
func (t *task) touchesHost() bool {
	return t.s.Kind == plan.Join || t.s.Kind == plan.Leave || t.s.Kind == plan.RestoreVolume || t.s.BringsBack()
}

func (t *task) otherSwarm() []plan.Change {
	switch sw := t.seen.Swarm; {
	case sw.ID != t.p.SwarmID:
		return []plan.Change{change(plan.SwarmChanged, "", "The swarm is %s; it was %s", sw.ID, t.p.SwarmID)}
	case sw.Epoch != t.p.Epoch && !t.opens(sw.Epoch):
		return []plan.Change{change(plan.SwarmChanged, "", "The swarm is in epoch %q; it was in %q: it was recovered meanwhile", sw.Epoch, t.p.Epoch)}
	}
	return nil
}

// otherMachine compares what no step changes of a host (safety rule 17).
func (t *task) otherMachine() []plan.Change { return t.otherMachineOf(t.s.Node) }

func (t *task) otherMachineOf(node string) []plan.Change {
	h := t.seen.Host(node)
	if h == nil || h.Looked != state.Present {
		return nil
	}
	for _, f := range t.p.Fingerprint.Hosts {
		if f.Name == h.Name && f.MachineID != "" && (h.MachineID != f.MachineID || h.HostKey != f.HostKey) {
			return t.mine(plan.HostChanged, "%s is the machine %s with the host key %s; it was %s with %s",
				h.Name, h.MachineID, h.HostKey, f.MachineID, f.HostKey)
		}
	}
	return nil
}

// mine is the one refusal, as a list. It may begin with a node's name, which is not
// to be written with a capital.
func (t *task) mine(kind plan.ChangeKind, format string, args ...any) []plan.Change {
	c := change(kind, t.s.Node, "")
	c.Text = fmt.Sprintf(format, args...) + "."
	return []plan.Change{c}
}

func guardPromote(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		switch n := t.listed(t.entry()); {
		case n == nil:
			return t.mine(plan.HostChanged, "The swarm has no node %s any more", t.entry())
		case n.Status != "ready":
			return t.mine(plan.HostGone, "%s is %s and not ready: as a manager it would count for the quorum and not help it", t.name(), n.Status)
		}
		return nil
	})
}

// guardDemote counts by itself, apart from the planner: of those that remain, a
// quorum must be up, and one at least.
func guardDemote(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		n := t.listed(t.entry())
		if n == nil {
			return t.mine(plan.VotersChanged, "The swarm has no node %s any more", t.entry())
		}
		managers, up := 0, 0
		for _, m := range t.seen.Swarm.Nodes {
			if m.Reachability == "" || m.ID == n.ID || m.Role != "manager" {
				continue // a voter that is being demoted will not count either
			}
			managers++
			if m.Leader || m.Reachability == "reachable" && m.Status == "ready" {
				up++
			}
		}
		if need := managers/2 + 1; managers == 0 || up < need {
			return t.mine(plan.ManagerLost, "Demoting %s would lose the quorum: %d of the %d other managers are up, and they need %d", t.name(), up, managers, need)
		}
		return nil
	})
}

// guardLeave refuses a manager: it would take its vote along without the others'
// consent.
func guardLeave(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		h, n := t.seen.Host(t.s.Node), t.listed(t.entry())
		switch {
		case h.Engine.LocalNodeState == "inactive":
			return nil
		case h.Engine.ControlAvailable || n != nil && (n.Reachability != "" || n.Role == "manager"):
			return t.mine(plan.VotersChanged, "%s is a manager: it has to be demoted before it leaves", t.s.Node)
		case swarmOf(h) != "" && swarmOf(h) != t.p.SwarmID:
			return t.mine(plan.HostChanged, "%s is in the swarm %s", t.s.Node, swarmOf(h))
		case h.Engine.NodeID != "" && h.Engine.NodeID != t.entry():
			return t.mine(plan.HostChanged, "%s is the node %s now; it was %s", t.s.Node, h.Engine.NodeID, t.entry())
		}
		return nil
	})
}

// guardRemove refuses a manager's entry, and one under which the declared host takes
// part: it would be put out of the swarm with its tasks running on.
// A manager by its role alone, which counts for no quorum, is removed as it is: an
// engine demotes nobody who has no vote.
func guardRemove(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		n := t.listed(t.entry())
		if n == nil {
			return nil
		}
		if n.Reachability != "" {
			return t.mine(plan.VotersChanged, "%s is a manager: it has to be demoted before its entry is removed", t.name())
		}
		if h := t.seen.Host(t.s.Node); h != nil && h.Looked == state.Present && h.Engine.NodeID == n.ID && h.Engine.LocalNodeState == "active" {
			return t.mine(plan.HostChanged, "%s takes part in the swarm under the entry that was to be removed", h.Name)
		}
		return nil
	})
}

// swarmOf is the ID of the swarm that a host is in, by its engine or its disk.
func swarmOf(h *state.Host) string {
	if h.Engine.ClusterID != "" {
		return h.Engine.ClusterID
	}
	return h.SwarmDir.ClusterID
}
