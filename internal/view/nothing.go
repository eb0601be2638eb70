package view

import "github.com/requeen/requeen/plan"

// Nothing tells of a plan without steps that was to be carried out: there is nothing to
// do, and what is not reached all the same.
func (s Screen) Nothing(p *plan.Plan) {
	s.partial(p)
	if len(p.Unmet) == 0 {
		s.printf("%s\n", s.paint(green, "Nothing to do: the plan has no steps, and what it is about is there."))
		return
	}
	s.printf("%s\n\n", s.paint(bold, "Nothing was done: the plan has no steps."))
	s.unmet(p)
}
