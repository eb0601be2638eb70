package plan

import (
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// ran tells whether a step has come to its end, by the run's journal.
func (c *comparison) ran(s Step) bool { return s.ID <= c.done.Steps }

// begun tells whether a step has run or is the one in hand, which may have had its
// effect before it was cut: its outcome is not known yet.
func (c *comparison) begun(s Step) bool {
	return c.ran(s) || s.ID == c.done.Steps+1 && (c.done.Steps > 0 || c.done.Node != "") && (s.Node == "" || s.Node == c.done.Node)
}

// any tells whether a step on the shape that was begun fits.
func (c *comparison) any(fits func(Step) bool) bool {
	for _, s := range c.plan.Steps {
		if s.Shapes() && c.begun(s) && fits(s) {
			return true
		}
	}
	return false
}

// demoted tells whether the plan itself took a manager out of the quorum.
func (c *comparison) demoted(id string) bool {
	return c.any(func(s Step) bool { return s.Kind == Demote && s.Entry == id })
}

// made tells whether the plan itself made a node a manager: it was promoted, or it is
// what a host has become that joined.
func (c *comparison) made(m *state.SwarmNode) bool {
	return c.any(func(s Step) bool {
		switch {
		case s.Kind == Promote:
			return s.Entry == m.ID
		case s.Kind != Join || s.Join == nil || s.Join.Role != schema.RoleManager:
			return false
		}
		h := c.st.Host(s.Node)
		if h == nil {
			return false
		}
		n := node{host: *h}
		return n.nodeID() == m.ID || h.Looked != state.Present && sameAddress(h.Address, m)
	})
}

// removes tells whether the plan has taken an entry out of the list, and with it
// perhaps the newest object.
func (c *comparison) removes() bool { return c.any(func(s Step) bool { return s.Kind == RemoveNode }) }

// autolock is what the swarm's auto-lock may be, by the steps that were begun.
func (c *comparison) autolock(is bool) bool {
	want := c.plan.Fingerprint.Autolock
	for _, s := range c.plan.Steps {
		switch {
		case !s.Shapes() || s.Settings == nil || s.Settings.Autolock == nil:
		case c.ran(s):
			want = *s.Settings.Autolock
		case c.begun(s) && is == *s.Settings.Autolock:
			return true
		}
	}
	return is == want
}

// identity of a host in a swarm. A host that has joined has a node ID that no plan
// can know before.
type hostIdentity struct {
	nodeID, clusterID string
	new               bool
}

func (i hostIdentity) fits(n node) bool {
	if i.new {
		return n.nodeID() != "" && n.clusterID() == i.clusterID
	}
	return n.nodeID() == i.nodeID && n.clusterID() == i.clusterID
}

// identities are what a host may be after the steps that were begun; nil where no
// step on the shape changes it.
func (c *comparison) identities(f HostPrint) []hostIdentity {
	is := []hostIdentity{{nodeID: f.NodeID, clusterID: f.ClusterID}}
	changed := false
	for _, s := range c.steps[f.Name] {
		if !s.Shapes() || !c.begun(s) {
			continue
		}
		var next hostIdentity
		switch s.Kind {
		case Leave:
		case Join:
			next = hostIdentity{clusterID: c.plan.SwarmID, new: true}
		default:
			continue
		}
		if changed = true; c.ran(s) {
			is = nil
		}
		is = append(is, next)
	}
	if !changed {
		return nil
	}
	return is
}

// needsHost tells whether a step that is still to run does something on a host. What
// changes an entry of the swarm's list does not.
func (c *comparison) needsHost(name string) bool {
	for _, s := range c.steps[name] {
		if !c.ran(s) && (!s.Shapes() || s.Kind == Join || s.Kind == Leave || s.BringsBack()) {
			return true
		}
	}
	return false
}

// entries compares the entries of the steps on the shape that are still to run.
func (c *comparison) entries() {
	if c.st.Swarm == nil {
		return
	}
	now := map[string]*state.SwarmNode{}
	for i := range c.st.Swarm.Nodes {
		now[c.st.Swarm.Nodes[i].ID] = &c.st.Swarm.Nodes[i]
	}
	waiting := map[string]bool{}
	for _, s := range c.plan.Steps {
		if s.Shapes() && s.Entry != "" && !c.ran(s) && !(s.Kind == RemoveNode && c.begun(s)) {
			waiting[s.Entry] = true
		}
	}
	for _, f := range c.plan.Fingerprint.Entries {
		name, m := or(f.Name, f.NodeID), now[f.NodeID]
		switch {
		case !waiting[f.NodeID]:
		case m == nil:
			c.add(EntryGone, f.Name, "The swarm does not list %s (node %s) any more", name, f.NodeID)
		case f.Down && !lost(m):
			c.add(EntryBack, f.Name, "%s (node %s) was down, and is %s now; the plan removes it as one that is gone", name, f.NodeID, m.Status)
		}
	}
}
