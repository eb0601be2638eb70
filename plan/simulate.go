package plan

import (
	"fmt"
	"maps"
	"slices"
)

// simulation is how the quorum stands while the plan runs.
type simulation struct {
	order    []string // node IDs
	up       map[string]bool
	leader   map[string]bool
	locks    map[string]bool // needs the unlock key after a start
	name     map[string]string
	waits    map[string]bool // its engine takes part and finds no leader: it is up once a quorum is
	stopped  map[string]int  // node ID -> the step that stopped it
	unproved map[string]int  // node name and backup -> the stop whose copy is not verified yet

	held     map[string]bool // by node name: kept from starting by the recovery
	fenced   map[string]bool // by node name: its raft state is set aside
	prepared map[string]bool // by node name: a directory is laid beside
	swapped  map[string]bool // by node name: it is in its place
	byName   map[string]string
	locked   bool // the recovered swarm is auto-locked
	givenUp  bool // a restore was asked for: the quorum that is there is given up
	deposed  bool // the leader was demoted
	rung     Rung // of the recovery
	forced   int  // the step that made a new cluster
	kept     keeping
}

// simulate begins where the observation ends.
func simulate(w *world) *simulation {
	s := &simulation{up: map[string]bool{}, waits: map[string]bool{}, leader: map[string]bool{}, locks: map[string]bool{}, name: map[string]string{},
		stopped: map[string]int{}, unproved: map[string]int{},
		held: map[string]bool{}, fenced: map[string]bool{}, prepared: map[string]bool{}, swapped: map[string]bool{}, byName: map[string]string{}}
	s.recoveries(w)
	s.kept = w.keeping()
	for _, v := range w.voters {
		s.order = append(s.order, v.id)
		// One that is down leads nobody any more, whatever the list still says.
		s.up[v.id], s.leader[v.id], s.name[v.id] = v.up, v.leader && v.up, v.label()
		if v.node != nil {
			s.byName[v.node.cfg.Name] = v.id
		}
		s.locks[v.id] = v.node != nil && w.autolocked(v.node)
		s.waits[v.id] = w.st.Swarm == nil && v.node != nil && !v.up && v.node.state.State == NodeActive && missing(v.node) == ""
	}
	return s
}

func (s *simulation) margin() Margin {
	m := Margin{Managers: len(s.order), Quorum: majority(len(s.order))}
	for _, id := range s.order {
		if s.up[id] {
			m.Up++
		}
	}
	m.Spare = m.Up - m.Quorum
	return m
}

// step does what a step will do, and says which invariant that breaks.
func (s *simulation) step(step Step) error {
	if step.Recovery != "" {
		return s.recovery(step)
	}
	if step.Shapes() {
		return s.shape(step)
	}
	id, proof := step.NodeID, step.Node+"\x00"+step.Backup
	switch step.Kind {
	case Stop:
		if err := s.mayStop(id); err != nil {
			return fmt.Errorf("step %d: %w", step.ID, err)
		}
		s.up[id] = false
		s.stopped[id], s.unproved[proof] = step.ID, step.ID
		if m := s.margin(); m.Managers > 1 && m.Spare < 0 {
			return fmt.Errorf("step %d: stopping %s loses the quorum: %d of %d would be up", step.ID, step.Node, m.Up, m.Managers)
		}
	case Archive:
		if s.stopped[id] == 0 {
			return fmt.Errorf("step %d: %s is copied while it runs", step.ID, step.Node)
		}
	case Start, Unlock:
		if step.Kind == Unlock || !s.locks[id] {
			s.up[id] = true
			delete(s.stopped, id)
		}
	case Verify:
		if s.stopped[id] != 0 {
			return fmt.Errorf("step %d: %s is still down when its copy is verified", step.ID, step.Node)
		}
		delete(s.unproved, proof)
		s.kept.stored++
		s.kept.made(step)
	case CleanUp:
		if s.kept.remove(step.Node, step.Run) {
			return fmt.Errorf("step %d: the copy of the run %s on %s is the last of the state that is known, and is removed", step.ID, step.Run, step.Node)
		}
	case PruneBackups:
		return s.kept.prune(step)
	case CopyBackup:
		return s.kept.copied(step)
	}
	return nil
}

func (s *simulation) mayStop(id string) error {
	if _, known := s.up[id]; !known {
		return fmt.Errorf("%s is stopped, but is no manager", id)
	}
	if !s.up[id] {
		return fmt.Errorf("%s is stopped, but is down already", s.name[id])
	}
	if s.leader[id] && len(s.order) > 1 {
		return fmt.Errorf("%s is stopped, but leads", s.name[id])
	}
	for _, other := range s.order {
		if s.stopped[other] != 0 {
			return fmt.Errorf("%s is stopped while %s is", s.name[id], s.name[other])
		}
	}
	return nil
}

// end tells which manager is left stopped, or which copy unproved.
func (s *simulation) end() error {
	for _, id := range s.order {
		if step := s.stopped[id]; step != 0 {
			return fmt.Errorf("step %d: %s is not brought back by the end", step, s.name[id])
		}
	}
	if len(s.unproved) > 0 {
		return fmt.Errorf("%d copies are never verified", len(s.unproved))
	}
	for _, name := range slices.Sorted(maps.Keys(s.kept.held)) {
		return fmt.Errorf("step %d: %s is held, and not let go by the end", s.kept.held[name], name)
	}
	return nil
}

// checkFrom simulates a finished plan from the observation and compares every
// margin: an error is a mistake of the planner.
func checkFrom(s *simulation, p *Plan, w *world) error {
	if r := p.Recovery; r != nil {
		s.givenUp, s.rung = r.Asked, r.Rung
	}
	if err := checkUnfenced(p, w); err != nil {
		return err
	}
	for i, step := range p.Steps {
		if step.ID != i+1 {
			return fmt.Errorf("step %d stands in place %d", step.ID, i+1)
		}
		if err := s.step(step); err != nil {
			return err
		}
		if m := s.margin(); m != step.Margin {
			return fmt.Errorf("step %d: its margin is %+v, the simulation's %+v", step.ID, step.Margin, m)
		}
		if step.OnRepository() {
			continue // on a repository
		}
		if step.Node == "" && step.Shapes() && step.Entry != "" && w.declaredAs(step.Entry) == nil {
			continue // on an entry that no node block declares
		}
		if w.node(step.Node) == nil || w.node(step.Node).doubt != nil {
			return fmt.Errorf("step %d: %s is in doubt", step.ID, step.Node)
		}
	}
	return s.end()
}
