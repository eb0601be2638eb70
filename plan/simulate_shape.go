package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/requeen/requeen/schema"
)

// shape does what a step on the cluster's shape will do, and says which invariant
// that breaks: the swarm answers before and after, a manager that is up is demoted
// only where the rest is a quorum, the leader after everybody else, and nothing
// leaves or is removed that votes.
func (s *simulation) shape(step Step) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("step %d: %s", step.ID, fmt.Sprintf(format, args...))
	}
	if s.margin().Spare < 0 {
		return wrong("a %s needs a swarm that answers, and none has a quorum", step.Kind)
	}
	name := step.Where()
	switch step.Kind {
	case Join:
		if s.votes(s.byName[name]) {
			return wrong("%s joins, and is a manager already", name)
		}
		if step.Join != nil && step.Join.Role == schema.RoleManager {
			s.enter("?"+name, name)
		}
	case Promote:
		s.enter(step.Entry, name)
	case Demote:
		if err := s.demote(step.Entry); err != nil {
			return wrong("%s is demoted, %v", name, err)
		}
	case Start, Unlock:
		if err := s.comeBack(step); err != nil {
			return wrong("%s %v", name, err)
		}
	case Leave, RemoveNode:
		if s.votes(step.Entry) {
			return wrong("%s counts for the quorum when it is to go (%s)", name, step.Kind)
		}
	}
	if m := s.margin(); m.Spare < 0 {
		return wrong("after %s %s %d of %d managers are up, and %d are needed", step.Kind, name, m.Up, m.Managers, m.Quorum)
	}
	return nil
}

// comeBack lets a node take part again. State of a manager that the swarm does not know
// is not started beside it.
func (s *simulation) comeBack(step Step) error {
	switch id := step.NodeID; {
	case s.held[step.Node]:
		return errors.New("is started, and a recovery holds it")
	case s.kept.raft[step.Node] && !s.votes(id):
		return errors.New("holds state of a swarm that was left, and is started beside the one that answers: two clusters with one ID")
	case s.votes(id) && (step.Kind == Unlock || !s.locks[id]):
		s.up[id] = true
	}
	return nil
}

func (s *simulation) votes(id string) bool { return id != "" && slices.Contains(s.order, id) }

// enter makes a manager a voter that is up.
func (s *simulation) enter(id, name string) {
	if !s.votes(id) {
		s.order = append(s.order, id)
	}
	s.up[id], s.name[id], s.byName[name] = true, name, id
}

// demote takes a voter out.
func (s *simulation) demote(id string) error {
	if !s.votes(id) {
		return errors.New("and is no manager")
	}
	m := s.margin()
	m.Managers--
	if s.up[id] {
		m.Up--
	}
	switch {
	case m.Up == 0:
		return errors.New("and no other manager is up")
	case m.Up < majority(m.Managers):
		return fmt.Errorf("which loses the quorum: %d of %d would be up", m.Up, m.Managers)
	case s.deposed:
		return errors.New("and the leader was before it")
	}
	s.deposed = s.leader[id] && s.up[id] // one that is down leads by an old list alone
	s.order = slices.DeleteFunc(slices.Clone(s.order), func(o string) bool { return o == id })
	if s.byName[s.name[id]] == id {
		delete(s.byName, s.name[id])
	}
	delete(s.up, id)
	delete(s.leader, id)
	return nil
}
