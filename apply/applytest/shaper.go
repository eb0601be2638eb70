package applytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// through runs f where one of the change's managers answers; what changes something
// has to be admitted by its host.
func (p *Process) through(port string, s apply.Shape, changes bool, f func() error) error {
	w := p.w
	return w.call(port, "", func() error {
		epoch, _, live := w.live()
		for _, m := range s.Through {
			h := w.host(m.Name)
			if !live || h.epoch != epoch || h.worker || !h.reachable(w.Clock.Now()) {
				continue
			}
			if changes {
				if h.machine != m.MachineID {
					return fmt.Errorf("%s: it is another machine", m.Name)
				}
				if err := h.admit(s.Token); err != nil {
					return err
				}
			}
			return f()
		}
		return fmt.Errorf("%w: of %d", apply.ErrNoManager, len(s.Through))
	})
}

// atHost runs f on the change's own host, which has to admit it.
func (p *Process) atHost(port string, s apply.Shape, f func(*host) error) error {
	return p.w.call(port, s.Node, func() error {
		h := p.w.host(s.Node)
		switch {
		case h.off:
			return fmt.Errorf("%s: connection timed out", s.Node)
		case h.machine != s.Host.MachineID:
			return fmt.Errorf("%s: it is another machine", s.Node)
		}
		if err := h.admit(s.Token); err != nil {
			return err
		}
		return f(h)
	})
}

// entry finds the host whose entry is meant.
func (w *World) entry(s apply.Shape) *host {
	for _, h := range w.hosts {
		if s.Entry != "" && h.nodeID == s.Entry || s.Entry == "" && h.name == s.Node {
			return h
		}
	}
	return nil
}

func (w *World) leftEntry(id string) int {
	return slices.IndexFunc(w.left, func(n state.SwarmNode) bool { return n.ID == id })
}

// ReadyShape tries the key's place.
func (p *Process) ReadyShape(_ context.Context, s apply.Shape) error {
	return p.w.call("ReadyShape", "", func() error { return nil })
}

// JoinNode joins a host.
func (p *Process) JoinNode(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.atHost("JoinNode", s, func(h *host) error {
		epoch, _, live := w.live()
		switch {
		case h.nodeID != "" && h.stateFile:
			return nil // it goes on in the background
		case w.Faults.Walled[s.Node]:
			return fmt.Errorf("from %s no manager can be connected to", s.Node)
		case !live || len(s.Through) == 0:
			return apply.ErrNoManager
		case s.Through[0].Address == "":
			return errors.New("it is not said where to join")
		case h.certificates || h.raft || h.stateFile:
			w.violate("%s joins over the state that it holds", h.name)
		}
		w.joins++
		if w.Faults.JoinFails != "" {
			return nil
		}
		w.onePending(h)
		h.nodeID, h.epoch, h.certificates, h.stateFile = fmt.Sprintf("joined%d", w.joins), epoch, true, true
		h.seenAt = w.Clock.Now().Add(joinTakes)
		h.part = part{worker: true, availability: "active"}
		if s.Role == "manager" {
			h.becomes, h.becomesAt = s.Role, h.seenAt
		}
		return nil
	})
}

// onePending tells of two managers that come or go at once.
func (w *World) onePending(h *host) {
	for _, o := range w.hosts {
		if o != h && o.becomes != "" {
			w.violate("%s changes its role while %s does", h.name, o.name)
		}
	}
}

// NodeReady tells whether a host is in the swarm.
func (p *Process) NodeReady(_ context.Context, s apply.Shape) (ready bool, seen string, err error) {
	w := p.w
	err = w.call("NodeReady", s.Node, func() error {
		h := w.host(s.Node)
		switch {
		case h.off || !h.up:
			return fmt.Errorf("%s: the engine does not answer", s.Node)
		case h.nodeID == "" || h.forgot:
			return &apply.NotJoinedError{Node: s.Node, Text: w.Faults.JoinFails}
		}
		ready, seen = h.ready(w.Clock.Now()) && h.worker == (s.Role == "worker"), "the swarm sees "+s.Node
		return nil
	})
	return ready, seen, err
}

// SetRole lets a node become a manager or a worker.
func (p *Process) SetRole(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.through("SetRole", s, true, func() error {
		h, now := w.entry(s), w.Clock.Now()
		switch {
		case h == nil:
			return fmt.Errorf("no node %s", s.Entry)
		case h.becomes == s.Role, h.becomes == "" && h.worker == (s.Role == "worker"):
			return nil
		}
		w.onePending(h)
		if s.Role == "worker" {
			voters, up := 0, 0
			for _, o := range w.hosts {
				if o != h && slices.Contains(w.epochs[h.epoch], o.nodeID) {
					voters++
					if o.reachable(now) {
						up++
					}
				}
			}
			if up < voters/2+1 {
				w.violate("%s is demoted and the quorum lost: %d of %d others up", h.name, up, voters)
			}
		} else if !h.ready(now) {
			w.violate("%s is promoted while it is not ready", h.name)
		}
		h.becomes, h.becomesAt = s.Role, now.Add(roleTakes)
		return nil
	})
}

// HasRole tells whether it is one.
func (p *Process) HasRole(_ context.Context, s apply.Shape) (has bool, seen string, err error) {
	err = p.through("HasRole", s, false, func() error {
		h, now := p.w.entry(s), p.w.Clock.Now()
		if h == nil {
			return nil
		}
		has = h.becomes == "" && h.worker == (s.Role == "worker") && (h.ready(now) || h.worker)
		if h.worker && now.Before(h.controlsUntil) {
			has = false
		}
		seen = h.name + " is seen"
		return nil
	})
	return has, seen, err
}

// LeaveSwarm takes a host out of the swarm.
func (p *Process) LeaveSwarm(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.atHost("LeaveSwarm", s, func(h *host) error {
		switch now := w.Clock.Now(); {
		case h.nodeID == "":
			return nil
		case !h.worker || now.Before(h.controlsUntil):
			return fmt.Errorf("%s is a manager", s.Node)
		}
		n := state.SwarmNode{ID: h.nodeID, Hostname: h.name, Role: "worker", Status: "ready", Availability: h.availability, Labels: h.labels, Addr: h.address}
		n.ChangedAt = w.Clock.Now().Add(downTakes)
		w.left = append(w.left, n)
		h.disk, h.nodeID, h.part = disk{}, "", part{out: true}
		return nil
	})
}

// settleLeft lets entries whose hosts have left go down.
func (w *World) settleLeft() {
	for i := range w.left {
		if !w.Clock.Now().Before(w.left[i].ChangedAt) {
			w.left[i].Status = "down"
		}
	}
}

// HasLeft tells whether it has.
func (p *Process) HasLeft(_ context.Context, s apply.Shape) (left bool, seen string, err error) {
	err = p.through("HasLeft", s, false, func() error {
		i := p.w.leftEntry(s.Entry)
		left, seen = p.w.host(s.Node).nodeID != s.Entry && (i < 0 || p.w.left[i].Status == "down"), s.Node+" is seen"
		return nil
	})
	return left, seen, err
}

// RemoveNode removes an entry.
func (p *Process) RemoveNode(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.through("RemoveNode", s, true, func() error {
		if i := w.leftEntry(s.Entry); i >= 0 {
			w.left = slices.Delete(w.left, i, i+1)
			return nil
		}
		h := w.entry(s)
		switch {
		case h == nil:
			return nil
		case !h.worker || h.becomes != "":
			return fmt.Errorf("%s is a manager", h.name)
		case h.up && !h.off && (h.availability != "drain" || w.Clock.Now().Before(h.drainedAt)):
			w.violate("the entry of %s, which is in the swarm and not drained, is removed", h.name)
		}
		h.disk, h.nodeID, h.part = disk{}, "", part{out: true}
		return nil
	})
}

// IsRemoved tells whether it is not there.
func (p *Process) IsRemoved(_ context.Context, s apply.Shape) (removed bool, seen string, err error) {
	err = p.through("IsRemoved", s, false, func() error {
		removed, seen = p.w.entry(s) == nil && p.w.leftEntry(s.Entry) < 0, "it is gone"
		return nil
	})
	return removed, seen, err
}

// ChangeNode changes an entry.
func (p *Process) ChangeNode(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.through("ChangeNode", s, true, func() error {
		h := w.entry(s)
		if h == nil {
			return fmt.Errorf("no entry %s of %s", s.Entry, s.Node)
		}
		if s.Labels != nil {
			h.labels = maps.Clone(s.Labels)
		}
		if s.Availability == "drain" && h.availability != "drain" {
			h.drainedAt = w.Clock.Now().Add(drainTakes)
		}
		if s.Availability != "" {
			h.availability = s.Availability
		}
		return nil
	})
}

// NodeHas tells how it is.
func (p *Process) NodeHas(_ context.Context, s apply.Shape) (has bool, tasks int, err error) {
	err = p.through("NodeHas", s, false, func() error {
		h := p.w.entry(s)
		if h == nil {
			return fmt.Errorf("no entry %s of %s", s.Entry, s.Node)
		}
		has = (s.Availability == "" || s.Availability == h.availability) && (s.Labels == nil || maps.Equal(s.Labels, h.labels))
		if has && s.Availability == "drain" && (p.w.Faults.NeverEmpty || p.w.Clock.Now().Before(h.drainedAt)) {
			tasks = h.tasks
		}
		return nil
	})
	return has, tasks, err
}
