package apply

import (
	"context"
	"fmt"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// binding tells what about the step's host is not as the plan has it: the
// machine, its key, the node and the swarm (safety rule 17).
func binding(p *plan.Plan, s plan.Step, st *state.State) []Change {
	var list []Change
	add := func(format string, args ...any) { list = append(list, Change{Text: fmt.Sprintf(format, args...)}) }
	h := st.Host(s.Node)
	if h == nil {
		add("%s is not declared any more", s.Node)
		return list
	}
	if h.Looked != state.Present {
		add("%s can't be reached", s.Node)
		return list
	}
	for _, print := range p.Fingerprint.Hosts {
		if print.Name != s.Node {
			continue
		}
		if print.MachineID != h.MachineID {
			add("%s is another machine (machine-id %s, planned %s)", s.Node, h.MachineID, print.MachineID)
		}
		if print.HostKey != "" && h.HostKey != "" && print.HostKey != h.HostKey {
			add("%s shows another host key (%s, planned %s)", s.Node, h.HostKey, print.HostKey)
		}
	}
	for _, id := range []string{h.Engine.NodeID, h.SwarmDir.NodeID} {
		if id != "" && s.NodeID != "" && id != s.NodeID {
			add("%s holds node %s, planned %s", s.Node, id, s.NodeID)
			break
		}
	}
	for _, id := range []string{h.Engine.ClusterID, h.SwarmDir.ClusterID} {
		if id != "" && p.SwarmID != "" && id != p.SwarmID {
			add("%s belongs to swarm %s, planned %s", s.Node, id, p.SwarmID)
			break
		}
	}
	return list
}

// stoppable tells what is in the way of stopping the step's manager now.
func stoppable(p *plan.Plan, s plan.Step, st *state.State) []Change {
	list := binding(p, s, st)
	add := func(format string, args ...any) { list = append(list, Change{Text: fmt.Sprintf(format, args...)}) }
	if st.Swarm == nil {
		add("no manager answers for the swarm")
		return list
	}
	if p.SwarmID != "" && st.Swarm.ID != p.SwarmID {
		add("the swarm is %s, planned %s", st.Swarm.ID, p.SwarmID)
	}
	if st.Swarm.Epoch != p.Epoch {
		add("the swarm is in another epoch (it was forced or restored)")
	}
	if st.Swarm.Autolock != p.Fingerprint.Autolock {
		add("autolock was switched")
	}
	me, managers, up := voters(st.Swarm, s.NodeID)
	switch {
	case me == nil:
		add("%s is not a manager of the swarm any more", s.Node)
		return list
	case me.Reachability != "reachable":
		add("%s is not a reachable manager (%s)", s.Node, me.Reachability)
	case me.Leader && mustNotLead(p, s.NodeID):
		add("%s leads now; the plan stops it as a follower", s.Node)
	}
	alone := managers == 1 && s.Margin.Managers <= 1
	if quorum := managers/2 + 1; up-1 < quorum && !alone {
		add("the quorum would be lost: %d of %d managers are reachable, %d are needed", up, managers, quorum)
	}
	return append(list, otherRuns(p, s, st)...)
}

// otherRuns are runs at work on other hosts: two at once stop two managers.
func otherRuns(p *plan.Plan, s plan.Step, st *state.State) []Change {
	var list []Change
	for _, h := range st.Hosts {
		for _, run := range h.Runs {
			if run.UnitActive && run.Cluster == p.Cluster && h.Name != s.Node {
				list = append(list, Change{Text: "another backup run (" + run.ID + ") is at work on " + h.Name})
			}
		}
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

func mustNotLead(p *plan.Plan, nodeID string) bool {
	for _, m := range p.Fingerprint.Managers {
		if m.NodeID == nodeID {
			return m.MustNotLead
		}
	}
	return false
}

// quorumWithout tells whether the others are a quorum, so that unlocking the
// step's manager can't hang its engine. A single manager is its own quorum.
func (t *task) quorumWithout() bool {
	if len(t.p.Fingerprint.Managers) == 1 {
		return true
	}
	sw := t.seen.Swarm
	if sw == nil {
		return false
	}
	me, managers, up := voters(sw, t.s.NodeID)
	if me != nil && me.Reachability == "reachable" {
		up--
	}
	return up >= managers/2+1
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
	if list := binding(t.p, t.s, t.seen); len(list) > 0 {
		return final{t.stale(list)}
	}
	return nil
}

func (t *task) stale(list []Change) error {
	return &StaleError{Step: t.s.ID, Node: t.s.Node, Changes: list, Begun: t.j.progress.everActed}
}
