package apply

import (
	"context"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// guardJoin refuses what would make a join fail, for a join that fails erases what
// the host holds of a swarm (safety rule 2). A join that was cut is under way, and
// is only waited for.
func guardJoin(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		h := t.seen.Host(t.s.Node)
		switch e := h.Engine; {
		case e.Answered != state.Present:
			return t.mine(plan.HostGone, "The engine of %s does not answer", t.s.Node)
		case e.LocalNodeState == "active" || e.LocalNodeState == "pending":
			return t.otherJoin(h)
		case e.LocalNodeState != "inactive":
			return t.mine(plan.HostChanged, "The engine of %s says %q of the swarm; it has to be in none. If it holds nothing that is needed: docker swarm leave --force on %s",
				t.s.Node, e.LocalNodeState, t.s.Node)
		case e.LiveRestore:
			return t.mine(plan.HostChanged, "The engine of %s has live-restore, which no swarm takes: take it out of its daemon.json", t.s.Node)
		}
		if list := t.holdsState(h); list != nil {
			return list
		}
		return t.skewed(h)
	})
}

// otherJoin refuses a host that is in another swarm, or in this one in another role.
func (t *task) otherJoin(h *state.Host) []plan.Change {
	if id := swarmOf(h); id != "" && id != t.p.SwarmID {
		return t.mine(plan.HostChanged, "%s is in the swarm %s", t.s.Node, id)
	}
	if n := t.listed(h.Engine.NodeID); n != nil && n.Role != t.s.Join.Role {
		return t.mine(plan.HostChanged, "%s is in the swarm already, as a %s", t.s.Node, n.Role)
	}
	return nil
}

// holdsState refuses a swarm directory that is not bare, or could not be read.
func (t *task) holdsState(h *state.Host) []plan.Change {
	d := h.SwarmDir
	switch {
	case d.Presence == state.Absent, d.Bare():
		return nil
	case d.Presence != state.Present:
		return t.mine(plan.HostChanged, "What the swarm directory of %s holds could not be read (%s), and a join that fails erases it", t.s.Node, or(d.Problem, "no reason was given"))
	}
	whose := "of a swarm"
	if d.ClusterID != "" {
		whose = "of the swarm " + d.ClusterID
	}
	return t.mine(plan.HostChanged, "%s on %s holds state %s, and a join that fails erases it: move the directory aside if that state is not needed", d.Path, t.s.Node, whose)
}

// skewed refuses a host whose clock is too far from this machine's or a manager's:
// a new certificate is valid from an hour before its time.
func (t *task) skewed(h *state.Host) []plan.Change {
	if far(h.ClockSkew) {
		return t.mine(plan.HostChanged, "The clock of %s differs by %s from this machine's; set it right (NTP)", t.s.Node, h.ClockSkew.Round(time.Second))
	}
	for _, m := range t.through() {
		if p := t.seen.Host(m.Name); p != nil && far(h.ClockSkew-p.ClockSkew) {
			return t.mine(plan.HostChanged, "The clocks of %s and the manager %s differ by %s; set them right (NTP)", t.s.Node, m.Name, (h.ClockSkew - p.ClockSkew).Round(time.Second))
		}
	}
	return nil
}

func far(skew time.Duration) bool { return skew > maxSkew || skew < -maxSkew }
