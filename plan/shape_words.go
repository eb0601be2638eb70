package plan

import "strings"

// shapeSummary names the steps on the cluster's shape, alike ones together.
func (p *planner) shapeSummary() string {
	var words, names []string
	kind := Kind("")
	flush := func() {
		if len(names) > 0 {
			words = append(words, kindWords[kind]+" "+few(names))
		}
		names = nil
	}
	for _, s := range p.plan.Steps {
		if !s.Shapes() {
			continue
		}
		name := s.Where()
		switch m := p.w.entryOf(s.Entry); {
		case s.Service != "":
			name = s.Service
		case s.Node == "" && m != nil:
			name = p.w.called(m, nil)
		}
		if s.Kind != kind {
			flush()
			kind = s.Kind
		}
		if !contains(names, name) {
			names = append(names, name)
		}
	}
	flush()
	if len(words) == 0 {
		return ""
	}
	return "the shape: " + strings.Join(words, ", ")
}
