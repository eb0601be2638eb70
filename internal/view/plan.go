package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/plan"
)

// Plan writes a plan as a person reviews it: the condition, every step with
// its reason, risk and the quorum's margin after it, the hazards, what can't be
// reached, and, as the last line, the digest to approve.
func (s Screen) Plan(p *plan.Plan, digest string) {
	s.printf("%s %s\n", s.paint(bold, "Cluster "+p.Cluster), s.paint(dim, "planned "+stamp(p.PlannedAt)))
	s.labelled("", "Condition:", fmt.Sprintf("%s. %s", p.Condition.Name, p.Condition.Reason))
	s.printf("\n")
	s.steps(p)
	s.hazards(p)
	s.unmet(p)
	s.labelled("", "Summary:", p.Summary)
	s.printf("Digest: %s\n", digest)
}

func (s Screen) steps(p *plan.Plan) {
	if len(p.Steps) == 0 {
		if len(p.Unmet) == 0 {
			s.printf("%s\n\n", s.paint(green, "Nothing to do: what is declared is there."))
		}
		return
	}
	s.printf("%s\n", s.paint(bold, "Steps:"))
	for _, step := range p.Steps {
		s.printf("  %s %s %s  %s  %s\n", fmt.Sprintf("%2d.", step.ID),
			s.paint(cyan, fmt.Sprintf("%-8s", step.Kind)), s.paint(bold, fmt.Sprintf("%-6s", step.Node)),
			s.risk(step.Risk), Margin(step.Margin))
		s.paragraph("      ", step.Reason)
	}
	s.printf("\n")
}

func (s Screen) risk(r plan.Risk) string {
	text := fmt.Sprintf("%-11s", r)
	switch r {
	case plan.Interrupts:
		return s.paint(yellow, text)
	case plan.Destructive:
		return s.paint(red, text)
	}
	return s.paint(green, text)
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
	for _, u := range p.Unmet {
		title := u.Goal
		if u.Node != "" && !strings.Contains(title, u.Node) {
			title += " (" + u.Node + ")"
		}
		s.printf("  %s %s\n", s.paint(red, u.Code), s.paint(bold, title))
		s.paragraph("      ", u.Reason)
		s.labelled("      ", "What to do:", u.Remedy)
	}
	s.printf("\n")
}

// PlanLines is a plan as line-delimited JSON: a version line, a line for each
// step, hazard and unmet goal, and a summary line with the digest.
func PlanLines(p *plan.Plan, digest string) []any {
	lines := []any{versionLine("plan", p.ToolVersion)}
	lines = append(lines, map[string]any{"type": "condition", "cluster": p.Cluster, "condition": p.Condition.Name, "reason": p.Condition.Reason})
	for _, step := range p.Steps {
		lines = append(lines, struct {
			Type string `json:"type"`
			plan.Step
		}{"planned_step", step})
	}
	for _, h := range p.Hazards {
		lines = append(lines, struct {
			Type string `json:"type"`
			plan.Hazard
		}{"hazard", h})
	}
	for _, u := range p.Unmet {
		lines = append(lines, struct {
			Type string `json:"type"`
			plan.Unmet
		}{"unmet", u})
	}
	return append(lines, map[string]any{"type": "plan_summary", "steps": len(p.Steps), "unmet": len(p.Unmet),
		"hazards": len(p.Hazards), "summary": p.Summary, "plan_digest": digest, "planned_at": p.PlannedAt.UTC().Format(time.RFC3339Nano)})
}

func versionLine(command, tool string) map[string]any {
	return map[string]any{"type": "version", "ui": "1.0", "requeen": tool, "command": command}
}

// ApplyVersionLine is the first line of apply -json.
func ApplyVersionLine(tool string) any { return versionLine("apply", tool) }
