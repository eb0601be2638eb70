package view

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/requeen/requeen/internal/diag"
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
	if !p.Expires.IsZero() {
		s.labelled("", "Expires:", "the plan replaces data, and may be begun until "+stamp(p.Expires)+", and once")
	}
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
	inWords := s.marginWords(p, kinds, nodes)
	for _, step := range p.Steps {
		margin, node := inWords(step.Margin), plain(onNode(step))
		head := fmt.Sprintf("  %2d. %s %s  ", step.ID, s.paint(cyan, fmt.Sprintf("%-*s", kinds, step.Kind)),
			s.paint(bold, fmt.Sprintf("%-*s", nodes, node)))
		width := stepWidth(max(kinds, len(step.Kind)), max(nodes, utf8.RuneCountInString(node)), len(margin))
		if s.Width >= 20 && width > s.Width {
			s.printf("%s%s\n      %s\n", head, s.risk(step.Risk, 0), s.margin(step.Margin, margin))
		} else {
			s.printf("%s%s  %s\n", head, s.risk(step.Risk, riskWidth), s.margin(step.Margin, margin))
		}
		if len(step.With) > 0 {
			s.paragraph("      ", "side by side with "+strings.Join(step.With, ", "))
		}
		s.paragraph("      ", step.Reason)
		s.pruned(step.Prune)
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

// columns are the widths that all rows of a plan have, where these fit with the
// shorter words for the margin; else those of a plan of backups, and what is longer
// breaks its own row.
func (s Screen) columns(p *plan.Plan) (kinds, nodes int) {
	kinds, nodes = StepWidths(p)
	if !s.rowsFit(p, kinds, nodes, marginShort) {
		return leastKind, leastNode
	}
	return kinds, nodes
}

// rowsFit tells whether every row fits the screen with these words for the margin.
func (s Screen) rowsFit(p *plan.Plan, kinds, nodes int, words func(plan.Margin) string) bool {
	if s.Width < 20 {
		return true
	}
	return !slices.ContainsFunc(p.Steps, func(step plan.Step) bool { return stepWidth(kinds, nodes, len(words(step.Margin))) > s.Width })
}

// marginWords are the words in which every row of a plan says its margin: the
// longest that break no row.
func (s Screen) marginWords(p *plan.Plan, kinds, nodes int) func(plan.Margin) string {
	for _, words := range []func(plan.Margin) string{Margin, marginMiddle} {
		if s.rowsFit(p, kinds, nodes, words) {
			return words
		}
	}
	return marginShort
}

// margin paints what the words of a margin say.
func (s Screen) margin(m plan.Margin, words string) string {
	switch {
	case m.Spare < 0:
		return s.paint(red, words)
	case m.Spare == 0 && m.Managers > 1:
		return s.paint(yellow, words)
	}
	return words
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
		kinds, nodes = max(kinds, len(step.Kind)), max(nodes, utf8.RuneCountInString(plain(onNode(step))))
	}
	return kinds, nodes
}

// Margin says in words how the quorum stands.
func Margin(m plan.Margin) string {
	return fmt.Sprintf("%d of %s up, quorum %d, %s", m.Up, count(m.Managers, "manager", "managers"), m.Quorum, spare(m))
}

// marginMiddle is Margin where the column's head, or the screen, leaves less room.
func marginMiddle(m plan.Margin) string {
	return fmt.Sprintf("%d of %d up, quorum %d, %s", m.Up, m.Managers, m.Quorum, spare(m))
}

// marginShort is Margin in the fewest words.
func marginShort(m plan.Margin) string {
	return fmt.Sprintf("%d of %d up, %s", m.Up, m.Managers, spare(m))
}

// spare says how many more managers may fail.
func spare(m plan.Margin) string {
	switch {
	case m.Spare < 0:
		return "no quorum"
	case m.Spare == 0:
		return "none to spare"
	}
	return fmt.Sprintf("%d to spare", m.Spare)
}

func (s Screen) hazards(p *plan.Plan) {
	if len(p.Hazards) == 0 {
		return
	}
	s.printf("%s\n", s.paint(bold, "Hazards:"))
	for _, h := range p.Hazards {
		head, where := s.paint(yellow, h.Code), ""
		if h.Step > 0 {
			where = fmt.Sprintf(" (step %d)", h.Step)
		}
		asked := approvalNeeded(p, h)
		if asked {
			head, where = s.paint(red, h.Code), where+" needs approval"
		}
		if s.Compact && !asked {
			s.printf("  %s%s %s\n", head, where, s.oneLine(len("   ")+len(h.Code)+len(where), or(title(h.Code), h.Text)))
			continue
		}
		s.printf("  %s%s\n", head, where)
		s.paragraph("      ", h.Text)
		s.labelled("      ", "Remedy:", h.Remedy)
	}
	s.printf("\n")
}

// approvalNeeded tells whether a plan runs only where this hazard was approved: it is
// destructive, or its step is.
func approvalNeeded(p *plan.Plan, h plan.Hazard) bool {
	if row, _ := diag.Lookup(h.Code); row.Class == diag.Destructive {
		return true
	}
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.ID == h.Step && s.Risk == plan.Destructive })
}

// oneLine cuts a text to what is left of a line.
func (s Screen) oneLine(before int, text string) string {
	if s.Width < 20 {
		return plain(text)
	}
	return clip(plain(text), max(20, s.Width-before))
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
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
