package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// entry is a row of a table or an item of a list: the less its weight, the sooner it
// is kept where not all fit.
type entry struct {
	text   string
	weight int
}

// fitting gives the lines that fit into a number of bytes, in their order: those of
// the least weight are taken first.
func fitting(list []entry, room int) (kept []entry) {
	byWeight := make([]int, len(list))
	for i := range list {
		byWeight[i] = i
	}
	slices.SortStableFunc(byWeight, func(a, b int) int { return list[a].weight - list[b].weight })
	keep := map[int]bool{}
	for _, i := range byWeight {
		if room -= len(list[i].text); room < 0 {
			break
		}
		keep[i] = true
	}
	for i, l := range list {
		if keep[i] {
			kept = append(kept, l)
		}
	}
	return kept
}

// table writes a head and the rows that fit, and notes how many do not.
func (m *markdown) table(head string, rows []entry, room int, what string) {
	room = min(room, m.left) - len(head) - 1
	kept := fitting(rows, room)
	if len(kept) > 0 {
		m.add("\n" + head)
		for _, l := range kept {
			m.add(l.text)
		}
	}
	if missing := len(rows) - len(kept); missing > 0 {
		m.cut = append(m.cut, fmt.Sprintf("%d of %d %s", missing, len(rows), what))
	}
}

// riskWeight keeps what destroys before what interrupts, and that before what is safe.
func riskWeight(r plan.Risk) int {
	switch r {
	case plan.Destructive:
		return 0
	case plan.Interrupts:
		return 1
	}
	return 2
}

func (m *markdown) steps(p *plan.Plan) {
	if len(p.Steps) == 0 {
		return
	}
	var rows []entry
	for _, s := range p.Steps {
		risk := prose(string(s.Risk), 60)
		if s.Risk == plan.Destructive {
			risk = "**" + risk + "**"
		}
		rows = append(rows, entry{fmt.Sprintf("| %d | %s | %s | %s | %s | %s |\n", s.ID, prose(string(s.Kind), 60), code(onNodes(s)), risk,
			marginShort(s.Margin), prose(short(s.Reason), 500)), riskWeight(s.Risk)})
	}
	m.table("### Steps\n\n| # | step | node | risk | managers after it | why |\n|--:|---|---|---|---|---|\n", rows, roomSteps, "steps ("+strings.Join(riskCounts(p.Steps), ", ")+" in all)")
}

// hazardWeight keeps what must be approved first.
func (r Review) hazardWeight(h plan.Hazard) int {
	if slices.Contains(r.Approvals, h.Code) {
		return 0
	}
	return 1
}

func (m *markdown) hazards(r Review) {
	var rows []entry
	for _, h := range r.Plan.Hazards {
		step := "-"
		if h.Step > 0 {
			step = fmt.Sprint(h.Step)
		}
		approve := "not needed"
		if slices.Contains(r.Approvals, h.Code) {
			approve = "by the digest, or " + code("-approve="+h.Code)
		}
		rows = append(rows, entry{fmt.Sprintf("| %s | %s | %s | %s |\n", prose(h.Code, 60), step, prose(h.Text, 1200), approve), r.hazardWeight(h)})
	}
	for _, a := range r.Approvals { // a destructive step for which no code speaks
		if _, known := diag.Lookup(a); !known {
			rows = append(rows, entry{fmt.Sprintf("| - | %s | It destroys, and no hazard tells of it. | by the digest, or %s |\n", prose(strings.TrimPrefix(a, "step:"), 60), code("-approve="+a)), 0})
		}
	}
	if len(rows) > 0 {
		m.table("### Hazards\n\n| code | step | what | approval |\n|---|--:|---|---|\n", rows, roomHazards, "hazards")
	}
}

func (m *markdown) unmet(p *plan.Plan) {
	var rows []entry
	for _, u := range p.Unmet {
		rows = append(rows, entry{fmt.Sprintf("| %s | %s | %s | %s |\n", prose(u.Code, 60), prose(goalOf(u), 300), prose(u.Reason, 900), prose(u.Remedy, 600)), 0})
	}
	if len(rows) > 0 {
		m.table("### Not reached by this plan\n\n| code | goal | why | what to do |\n|---|---|---|---|\n", rows, roomUnmet, "goals that are not reached")
	}
}

// goalOf names a goal, and its node where the goal does not.
func goalOf(u plan.Unmet) string {
	if u.Node != "" && !strings.Contains(u.Goal, u.Node) {
		return u.Goal + " (" + u.Node + ")"
	}
	return u.Goal
}
