package apply

import (
	"context"
	"fmt"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// moved tells what about the step's host is not as the plan has it: the
// machine, its key, the node and the swarm (safety rule 17).
func (t *task) moved() []plan.Change {
	var list []plan.Change
	for _, c := range plan.Stale(t.p, t.seen, plan.Done{Steps: t.s.ID - 1, Node: t.s.Node}) {
		if c.Kind == plan.HostChanged && c.Node == t.s.Node {
			list = append(list, c)
		}
	}
	return list
}

// unstoppable tells what is in the way of stopping the step's manager now.
func (t *task) unstoppable() []plan.Change {
	list := staleOnly(plan.Stale(t.p, t.seen, plan.Done{Steps: t.s.ID - 1}))
	if t.seen.Swarm == nil {
		return append(list, change(plan.SwarmGone, "", "No manager answers for the swarm"))
	}
	me, managers, up := voters(t.seen.Swarm, t.s.NodeID)
	if me == nil || me.Reachability != "reachable" {
		list = append(list, change(plan.ManagerLost, t.s.Node, "%s is not a reachable manager now", t.s.Node))
	}
	alone := managers == 1 && t.s.Margin.Managers <= 1
	if quorum := managers/2 + 1; up-1 < quorum && !alone {
		list = append(list, change(plan.ManagerLost, t.s.Node,
			"The quorum would be lost: %d of %d managers are reachable and %d are needed", up, managers, quorum))
	}
	return list
}

// voters counts the managers and those that are reachable, and finds one.
func voters(sw *state.Swarm, nodeID string) (me *state.SwarmNode, managers, up int) {
	for i := range sw.Nodes {
		n := &sw.Nodes[i]
		if n.Reachability == "" {
			continue
		}
		managers++
		if n.Reachability == "reachable" {
			up++
		}
		if n.ID == nodeID {
			me = n
		}
	}
	return me, managers, up
}

// quorumWith tells whether the others, with the step's manager, can be a quorum:
// an unlock without one hangs the engine.
func (t *task) quorumWith() bool {
	others, managers := 0, len(t.p.Fingerprint.Managers)
	if sw := t.seen.Swarm; sw != nil {
		me, all, up := voters(sw, t.s.NodeID)
		if me != nil && me.Reachability == "reachable" {
			up--
		}
		others, managers = up, all
	} else {
		for _, m := range t.p.Fingerprint.Managers {
			h := t.seen.Host(m.Name)
			if h != nil && m.NodeID != t.s.NodeID && h.Engine.ControlAvailable {
				others++
			}
		}
	}
	return others+1 >= managers/2+1
}

// reached looks again; its error may pass while the host can't be reached.
func (t *task) reached(ctx context.Context) error {
	if err := t.look(ctx); err != nil {
		return err
	}
	h := t.seen.Host(t.s.Node)
	if h == nil || h.Looked == state.Present {
		return nil
	}
	if h.Problem != nil {
		return fmt.Errorf("%s: %s", t.s.Node, h.Problem.Text)
	}
	return fmt.Errorf("%s can't be reached", t.s.Node)
}

// bound looks again and is a final error when the host is not the plan's.
func (t *task) bound(ctx context.Context) error {
	if err := t.reached(ctx); err != nil {
		return err
	}
	if list := t.moved(); len(list) > 0 {
		return final{t.stale(list)}
	}
	return nil
}

func (t *task) stale(list []plan.Change) error {
	return &StaleError{Step: t.s.ID, Node: t.s.Node, Changes: list, Begun: t.j.progress.everActed}
}
