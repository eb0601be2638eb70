package plan

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// Room for the copy: what the directory takes, two log segments that the
// engine preallocates, a snapshot and some to spare; and the inodes of a few
// hundred files (safety rule 25). Negative numbers say that the file system
// does not count.
const (
	extraRoom  = 160 * 1000 * 1000
	freeInodes = 1024
)

// obstacle is why a manager can't be the one to stop.
type obstacle struct{ code, text string }

// obstacles are asked in this order; the first that is in the way is named.
var obstacles = []func(*planner, *voter) obstacle{
	notDeclared, notLooked, notRunning, notReachable, notWhole, noRoom, noClock, noSwarmMode, noHelper,
}

// obstacle is the first thing in the way of stopping a manager, the zero value
// if nothing is. Whether it leads is not asked here.
func (p *planner) obstacle(v *voter) obstacle {
	for _, ask := range obstacles {
		if o := ask(p, v); o.code != "" {
			return o
		}
	}
	return obstacle{}
}

func notDeclared(_ *planner, v *voter) obstacle {
	switch {
	case v.node == nil:
		return obstacle{diag.UndeclaredManager, "is no declared node"}
	case !v.node.manager():
		return obstacle{diag.NoCandidate, "is declared a " + v.node.cfg.Role}
	case v.node.doubt != nil:
		return obstacle{v.node.doubt.Code, "is in doubt (" + v.node.doubt.Code + ")"}
	}
	return obstacle{}
}

func notLooked(_ *planner, v *voter) obstacle {
	h := v.node.host
	switch {
	case h.Looked == state.Present && h.Problem == nil:
		return obstacle{}
	case h.Problem != nil:
		return obstacle{or(h.Problem.Code, diag.HostUnreachable), "can't be used: " + h.Problem.Text}
	}
	return obstacle{diag.HostUnreachable, "was not looked at"}
}

func notRunning(_ *planner, v *voter) obstacle {
	if v.restored {
		return obstacle{}
	}
	e, s := v.node.host.Engine, v.node.host.Service
	switch {
	case v.node.state.State != NodeActive:
		return obstacle{diag.NoCandidate, fmt.Sprintf("is %s: %s", v.node.state.State, v.node.state.Reason)}
	case !e.ControlAvailable:
		return obstacle{diag.NoCandidate, "has no working control plane"}
	case s.Unit == "" || s.ActiveState != "active":
		return obstacle{diag.NoCandidate, fmt.Sprintf("has an engine that systemd does not run (%s is %s)", or(s.Unit, "its unit"), or(s.ActiveState, "unknown"))}
	}
	return obstacle{}
}

func notReachable(_ *planner, v *voter) obstacle {
	if v.up {
		return obstacle{}
	}
	return obstacle{diag.NoCandidate, "is not reachable for the other managers"}
}

func notWhole(_ *planner, v *voter) obstacle {
	d, id := v.node.host.SwarmDir, v.node.host.Engine.NodeID
	switch {
	case d.Problem != nil:
		return obstacle{or(d.Problem.Code, diag.DiskUnread), "has a swarm directory that could not be read: " + d.Problem.Text}
	case d.Presence != state.Present:
		return obstacle{diag.DiskUnread, "has no swarm directory that could be read"}
	case !d.Complete():
		return obstacle{diag.NoCandidate, "has a swarm directory that lacks " + or(missing(v.node), "a part")}
	case id != "" && id != d.NodeID || v.member != nil && v.member.ID != d.NodeID:
		return obstacle{diag.DiskUnread, fmt.Sprintf("is node %s, but %s holds node %s", or(id, v.id), d.Path, d.NodeID)}
	}
	return obstacle{}
}

func noRoom(_ *planner, v *voter) obstacle {
	d := v.node.host.SwarmDir
	switch need := d.Bytes + extraRoom; {
	case d.FreeBytes >= 0 && d.FreeBytes < need:
		return obstacle{diag.NoRoom, fmt.Sprintf("has %s free; the copy needs %s", room(d.FreeBytes), room(need))}
	case d.FreeInode >= 0 && d.FreeInode < freeInodes:
		return obstacle{diag.NoRoom, fmt.Sprintf("has %d free inodes; the copy needs %d", d.FreeInode, freeInodes)}
	}
	return obstacle{}
}

func noClock(_ *planner, v *voter) obstacle {
	skew := v.node.host.ClockSkew
	switch {
	case skew > maxSkew:
		return obstacle{diag.ClockSkew, "has a clock that is " + span(skew) + " ahead of this machine's"}
	case skew < -maxSkew:
		return obstacle{diag.ClockSkew, "has a clock that is " + span(skew) + " behind this machine's"}
	}
	return obstacle{}
}

func noSwarmMode(_ *planner, v *voter) obstacle {
	if v.node.host.Engine.LiveRestore {
		return obstacle{diag.LiveRestore, "has live-restore, with which an engine does not start in swarm mode"}
	}
	return obstacle{}
}

// noHelper asks for a helper of the host's system where one is needed: for the
// API of a host that is reached with become, and to hand over the unlock key.
func noHelper(p *planner, v *voter) obstacle {
	have := p.in.HelperSystems
	if have == nil || v.node.cfg.Connection.Become == "" && !p.w.autolocked(v.node) || slices.Contains(have, v.node.host.System) {
		return obstacle{}
	}
	return obstacle{diag.HelperMissing, fmt.Sprintf("needs a helper for %s, and there is one for %s only",
		or(v.node.host.System, "its system, which is not known"), or(listing(have), "nothing"))}
}
