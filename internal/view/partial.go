package view

import (
	"strings"

	"github.com/requeen/requeen/plan"
)

// PartialText says of a partial plan what it is about and what that means; "" of a
// whole one.
func PartialText(p *plan.Plan) string {
	if len(p.Targets) == 0 {
		return ""
	}
	return "Only " + strings.Join(p.Targets, ", ") + " was planned for (-target). What else is declared may be due or differ, and this plan does not say so. " +
		"It is for the odd case: plan without -target afterwards."
}

// partial warns above the steps and again below them, where a long plan ends.
func (s Screen) partial(p *plan.Plan) {
	if text := PartialText(p); text != "" {
		s.printf("%s\n", s.paint(yellow, "Warning: this plan is partial"))
		s.paragraph("  ", text)
		s.printf("\n")
	}
}
