package view

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/requeen/requeen/plan"
)

// Plan writes a plan as a person reviews it: the condition, every step with
// its reason, risk and the quorum's margin after it, the hazards, what can't be
// reached, and, as the last line, the digest to approve.
func (s Screen) Plan(p *plan.Plan, digest string) {
	s.printf("%s %s\n", s.paint(bold, "Cluster "+p.Cluster), s.paint(dim, "planned "+stamp(p.PlannedAt)))
	s.labelled("", "Condition:", fmt.Sprintf("%s. %s", p.Condition.Name, p.Condition.Reason))
	if !p.UndecidedUntil.IsZero() {
		s.labelled("", "Undecided:", "whether the quorum is lost can be told from "+stamp(p.UndecidedUntil)+" on; plan waits until then")
	}
	s.recovery(p.Recovery)
	s.printf("\n")
	s.partial(p)
	s.steps(p)
	s.hazards(p)
	s.unmet(p)
	if len(p.Steps)+len(p.Unmet) > 0 {
		s.partial(p)
	}
	s.labelled("", "Summary:", p.Summary)
	s.printf("Digest: %s\n", digest)
}

func (s Screen) steps(p *plan.Plan) {
	if len(p.Steps) == 0 {
		if len(p.Unmet) == 0 && len(p.Targets) == 0 {
			s.printf("%s\n\n", s.paint(green, "Nothing to do: what is declared is there."))
		}
		return
	}
	s.printf("%s\n", s.paint(bold, "Steps:"))
	kinds, nodes := s.columns(p)
	for _, step := range p.Steps {
		margin := Margin(step.Margin)
		head := fmt.Sprintf("  %2d. %s %s  ", step.ID, s.paint(cyan, fmt.Sprintf("%-*s", kinds, step.Kind)),
			s.paint(bold, fmt.Sprintf("%-*s", nodes, step.Where())))
		if s.Width >= 20 && stepWidth(max(kinds, len(step.Kind)), max(nodes, len(step.Where())), len(margin)) > s.Width {
			s.printf("%s%s\n      %s\n", head, s.risk(step.Risk, 0), margin)
		} else {
			s.printf("%s%s  %s\n", head, s.risk(step.Risk, riskWidth), margin)
		}
		if len(step.With) > 0 {
			s.paragraph("      ", "side by side with "+strings.Join(step.With, ", "))
		}
		s.paragraph("      ", step.Reason)
	}
	s.printf("\n")
}

// riskWidth is that of the longest word.
const riskWidth = len(plan.Destructive)

func (s Screen) risk(r plan.Risk, width int) string {
	text := fmt.Sprintf("%-*s", width, r)
	switch r {
	case plan.Interrupts:
		return s.paint(yellow, text)
	case plan.Destructive:
		return s.paint(red, text)
	}
	return s.paint(green, text)
}

// columns are the widths that all rows of a plan have, where these fit; else those
// of a plan of backups, and what is longer breaks its own row.
func (s Screen) columns(p *plan.Plan) (kinds, nodes int) {
	kinds, nodes = StepWidths(p)
	for _, step := range p.Steps {
		if s.Width >= 20 && stepWidth(kinds, nodes, len(Margin(step.Margin))) > s.Width {
			return leastKind, leastNode
		}
	}
	return kinds, nodes
}

// stepWidth is what a row takes: number, kind, node, risk and margin.
func stepWidth(kind, node, margin int) int {
	return len("  12. ") + kind + 1 + node + 2 + riskWidth + 2 + margin
}

// The widths that the columns of kinds and nodes have at least.
const leastKind, leastNode = 8, 6

// StepWidths are how wide the kinds and the nodes of a plan's steps are, each at
// least as wide as those of a plan of backups.
func StepWidths(p *plan.Plan) (kinds, nodes int) {
	kinds, nodes = leastKind, leastNode
	for _, step := range p.Steps {
		kinds, nodes = max(kinds, len(step.Kind)), max(nodes, utf8.RuneCountInString(step.Where()))
	}
	return kinds, nodes
}

// Margin says in words how the quorum stands.
func Margin(m plan.Margin) string {
	text := fmt.Sprintf("%d of %s up, quorum %d", m.Up, count(m.Managers, "manager", "managers"), m.Quorum)
	switch {
	case m.Spare < 0:
		return text + ", no quorum"
	case m.Spare == 0:
		return text + ", none to spare"
	}
	return fmt.Sprintf("%s, %d to spare", text, m.Spare)
}

func (s Screen) hazards(p *plan.Plan) {
	if len(p.Hazards) == 0 {
		return
	}
	s.printf("%s\n", s.paint(bold, "Hazards:"))
	for _, h := range p.Hazards {
		where := ""
		if h.Step > 0 {
			where = fmt.Sprintf(" (step %d)", h.Step)
		}
		s.printf("  %s%s\n", s.paint(yellow, h.Code), where)
		s.paragraph("      ", h.Text)
		s.labelled("      ", "Remedy:", h.Remedy)
	}
	s.printf("\n")
}

func (s Screen) unmet(p *plan.Plan) {
	if len(p.Unmet) == 0 {
		return
	}
	s.printf("%s\n", s.paint(red, "Not reached by this plan:"))
	s.goals(p.Unmet)
	s.printf("\n")
}

func (s Screen) goals(list []plan.Unmet) {
	for _, u := range list {
		title := u.Goal
		if u.Node != "" && !strings.Contains(title, u.Node) {
			title += " (" + u.Node + ")"
		}
		s.printf("  %s %s\n", s.paint(red, u.Code), s.paint(bold, title))
		s.paragraph("      ", u.Reason)
		s.labelled("      ", "What to do:", u.Remedy)
	}
}
