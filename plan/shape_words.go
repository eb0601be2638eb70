package plan

import "strings"

// shapeSummary names the steps on the cluster's shape, alike ones together. What gives
// a host that joins its labels is part of its join.
func (p *planner) shapeSummary() string {
	var words, names []string
	kind, seen := Kind(""), map[string]bool{}
	flush := func() {
		if len(names) > 0 {
			words = append(words, kindWords[kind]+" "+few(names))
		}
		names, seen = nil, map[string]bool{}
	}
	for _, s := range p.plan.Steps {
		if !s.Shapes() || s.Kind == UpdateNode && s.Entry == "" {
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
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	flush()
	if len(words) == 0 {
		return ""
	}
	return "the shape: " + strings.Join(words, ", ")
}
