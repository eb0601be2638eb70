package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/requeen/requeen/internal/state"
)

// recoveries takes over how far a cut recovery has come on the hosts.
func (s *simulation) recoveries(w *world) {
	for _, n := range w.nodes {
		for _, r := range n.host.Recoveries {
			if r.Cluster != w.cfg.Cluster.Name {
				continue
			}
			name := n.cfg.Name
			s.held[name] = s.held[name] || r.Held
			s.fenced[name] = s.fenced[name] || r.Held && r.Phase == state.RecoveryFenced
			s.prepared[name] = s.prepared[name] || r.Staged != ""
			s.swapped[name] = s.swapped[name] || r.Phase == state.RecoverySwapped || r.Phase == state.RecoveryLifted && !livedOn(n, r.ID)
		}
	}
}

// recovery does what a step of a recovery will do, and says which invariant that
// breaks: a manager is forced only out of a prepared directory and while every
// other one is fenced or said to be dead, nothing is replaced before its
// replacement is laid beside it, and nobody joins before somebody leads.
func (s *simulation) recovery(step Step) error {
	name := step.Node
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("step %d: %s", step.ID, fmt.Sprintf(format, args...))
	}
	switch step.Kind {
	case Hold, Fence:
		if id := s.byName[name]; s.up[id] {
			if m := s.margin(); m.Spare >= 0 && !s.givenUp {
				return wrong("%s is held while a quorum is up", name)
			}
			s.up[id] = false
		}
		delete(s.waits, s.byName[name])
		s.held[name], s.kept.held[name] = true, step.ID
		if step.Kind == Fence {
			s.fenced[name], s.kept.raft[name] = true, false // set aside
		}
	case Prepare:
		if s.rung == RungForce && !s.held[name] {
			return wrong("%s's log is read before it is held, so it may not be whole", name)
		}
		s.prepared[name] = true
	case Restore:
		if !s.held[name] || !s.prepared[name] {
			return wrong("%s's directory is replaced before it is held and the new one laid beside it", name)
		}
		s.swapped[name], s.kept.raft[name] = true, true
	case Start, Unlock:
		return s.bringUp(step)
	case Init:
		return s.force(step)
	case Join:
		return s.join(step)
	case RotateUnlockKey, Check:
		if m := s.margin(); m.Spare < 0 {
			return wrong("a %s needs a swarm that answers, and none has a quorum", step.Kind)
		}
	}
	return nil
}

// bringUp starts or unlocks the step's node and those with it.
func (s *simulation) bringUp(step Step) error {
	for _, name := range append([]string{step.Node}, step.With...) {
		s.let(name)
		id, known := s.byName[name]
		if s.margin().Spare >= 0 && s.kept.raft[name] && !s.swapped[name] && !slices.Contains(s.order, id) {
			return fmt.Errorf("step %d: %s holds state of a swarm that was left, and is started beside the one that answers: two clusters with one ID", step.ID, name)
		}
		if !known || s.swapped[name] {
			continue // it comes up in no swarm
		}
		if step.Kind == Unlock || !s.locks[id] {
			s.up[id] = true
		}
	}
	s.gather()
	if m := s.margin(); step.Kind == Unlock && m.Spare < 0 {
		return fmt.Errorf("step %d: an unlock without a quorum hangs the engine", step.ID)
	}
	return nil
}

// gather counts managers that waited for a quorum as up once they are one with
// those that came up.
func (s *simulation) gather() {
	with := s.margin()
	for _, id := range s.order {
		if s.waits[id] && !s.up[id] {
			with.Up++
		}
	}
	if with.Up < with.Quorum {
		return
	}
	for id, waits := range s.waits {
		s.up[id] = s.up[id] || waits
	}
}

// force makes the step's node the only manager.
func (s *simulation) force(step Step) error {
	if !s.swapped[step.Node] || s.held[step.Node] {
		return fmt.Errorf("step %d: %s is forced before its prepared directory is in place and its engine runs", step.ID, step.Node)
	}
	if s.forced != 0 {
		return fmt.Errorf("step %d: %s is forced after step %d has forced another one: two clusters with one ID", step.ID, step.Node, s.forced)
	}
	s.forced = step.ID
	for _, name := range slices.Sorted(maps.Keys(s.kept.fencing)) {
		if s.kept.fencing[name] && name != step.Node && !s.held[name] {
			return fmt.Errorf("step %d: %s is forced while nothing keeps %s from starting: two clusters with one ID", step.ID, step.Node, name)
		}
	}
	for _, id := range s.order {
		if (s.up[id] || s.waits[id]) && id != s.byName[step.Node] {
			return fmt.Errorf("step %d: %s is forced while %s is up: two clusters with one ID", step.ID, step.Node, s.name[id])
		}
	}
	id := or(s.byName[step.Node], "?"+step.Node)
	s.order = []string{id}
	s.up, s.leader = map[string]bool{id: true}, map[string]bool{id: true}
	for _, sealed := range s.locks {
		s.locked = s.locked || sealed
	}
	s.locks = map[string]bool{}
	s.byName[step.Node], s.name[id] = id, step.Node
	return nil
}

// let lets a node's engine start.
func (s *simulation) let(name string) {
	s.held[name] = false
	delete(s.kept.held, name)
}

func (s *simulation) join(step Step) error {
	if m := s.margin(); m.Spare < 0 {
		return fmt.Errorf("step %d: %s joins a swarm without a quorum", step.ID, step.Node)
	}
	if s.kept.raft[step.Node] {
		return fmt.Errorf("step %d: %s joins over state that is not set aside, and a join that fails erases it", step.ID, step.Node)
	}
	s.let(step.Node)
	if step.Join == nil || step.Join.Role != "manager" {
		return nil
	}
	id := or(step.NodeID, "?"+step.Node)
	s.order = append(s.order, id)
	s.up[id], s.name[id], s.locks[id] = true, step.Node, s.locked
	s.byName[step.Node] = id
	return nil
}
