package plan

import (
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// recovery compares what a recovery rests on. Once a step has run, the swarm and
// the disks are as the plan itself made them, and only the machines are compared.
func (c *comparison) recovery() {
	c.machines()
	r, f, s := c.plan.Recovery, c.plan.Fingerprint, c.st.Swarm
	if c.done.Steps > 0 || r.Rung == RungStart && c.done.Node != "" {
		return // engines that a cut step has started may lead already, which is what it is for
	}
	c.expired()
	if s != nil && f.SwarmID != "" && s.ID != f.SwarmID {
		c.add(SwarmChanged, "", "The swarm is %s; it was %s", s.ID, f.SwarmID)
	}
	if r.Rung == RungGrow {
		c.swarm()
		return
	}
	if s != nil && !r.Asked {
		for _, n := range s.Nodes {
			if n.Leader {
				c.add(SwarmAnswers, "", "%s leads and answers; there was no leader when the plan was made", or(n.Hostname, n.ID))
				return
			}
		}
	}
	c.survivors()
}

// Recovered tells whether what a plan's recovery is for is there: its swarm answers
// under a leader, in the epoch that the recovery opens where it opens one.
func Recovered(p *Plan, st *state.State) bool {
	r, s := p.Recovery, st.Swarm
	if r == nil || s == nil || p.SwarmID != "" && s.ID != p.SwarmID {
		return false
	}
	if (r.Rung == RungForce || r.Rung == RungRestore) && s.Epoch != r.ID {
		return false
	}
	for _, n := range s.Nodes {
		if n.Leader {
			return true
		}
	}
	return false
}

// survivors compares how far the logs reach. That of the chosen one may have grown in
// its term: until its engine is held, one that still takes itself for the leader writes
// on, and it is the furthest all the more.
func (c *comparison) survivors() {
	for _, was := range c.plan.Fingerprint.Survivors {
		h := c.st.Host(was.Name)
		switch {
		case h == nil || h.SwarmDir.Raft == nil:
			c.add(SurvivorMoved, was.Name, "%s's log can't be read any more", was.Name)
		case was.Name == c.plan.Recovery.Node && h.SwarmDir.Raft.Term == was.Term && h.SwarmDir.Raft.Index > was.Index:
		case h.SwarmDir.Raft.Term != was.Term || h.SwarmDir.Raft.Index != was.Index:
			c.add(SurvivorMoved, was.Name, "%s's log ends in term %d at index %d; it ended in term %d at index %d",
				was.Name, h.SwarmDir.Raft.Term, h.SwarmDir.Raft.Index, was.Term, was.Index)
		}
	}
}

// machines compares the hosts that are still to be touched, by what no step of a
// recovery changes.
func (c *comparison) machines() {
	for _, f := range c.plan.Fingerprint.Hosts {
		touched := false
		for _, s := range c.plan.Steps {
			touched = touched || s.ID > c.done.Steps && (s.Node == f.Name || contains(s.With, f.Name))
		}
		h := c.st.Host(f.Name)
		switch {
		case !touched:
		case h == nil || h.Looked != state.Present:
			c.add(HostGone, f.Name, "%s can't be looked at any more", f.Name)
		case h.MachineID != f.MachineID || h.HostKey != f.HostKey:
			c.add(HostChanged, f.Name, "%s is the machine %s with the host key %s; it was %s with %s", f.Name,
				strings.TrimSpace(h.MachineID), h.HostKey, f.MachineID, f.HostKey)
		}
	}
}
