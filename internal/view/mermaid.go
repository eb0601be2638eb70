package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/plan"
)

// mermaidText is a text from outside within a quoted label: what could be markup of
// mermaid, markdown or HTML is written as mermaid's own character code.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range plain(text) {
		if isWordRune(r) || strings.ContainsRune(" .,:", r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "#%d;", r)
	}
	return b.String()
}

// The looks of boxes, with a contrast that holds on a light and on a dark page.
const mermaidClasses = `  classDef up fill:#d1fadf,stroke:#05603a,color:#05261a
  classDef off fill:#fee4e2,stroke:#b42318,color:#4c0b06,stroke-dasharray:4 3
  classDef out fill:#eaecf0,stroke:#475467,color:#1d2939
  classDef safe fill:#eaecf0,stroke:#475467,color:#1d2939
  classDef interrupts fill:#fef0c7,stroke:#b54708,color:#4a1d02
  classDef destructive fill:#fee4e2,stroke:#b42318,color:#4c0b06,stroke-width:3px
`

// MermaidGraph is a plan's steps, grouped by node, each with the steps that it waits
// for, as a flowchart of mermaid.
func MermaidGraph(p *plan.Plan) string {
	var b strings.Builder
	b.WriteString("flowchart TB\n")
	for i, g := range groups(p) {
		fmt.Fprintf(&b, "  subgraph g%d[\"%s\"]\n", i, mermaidText(clip(g.name, 60)))
		for _, s := range g.steps {
			risk := ""
			if s.Risk != plan.Safe {
				risk = "<br/>" + mermaidText(string(s.Risk))
			}
			fmt.Fprintf(&b, "    s%d[\"%s%s\"]:::%s\n", s.ID, mermaidText(stepLabel(s)), risk, mermaidRisk(s.Risk))
		}
		b.WriteString("  end\n")
	}
	for i, needs := range p.Needs() {
		for _, n := range needs {
			arrow := "-->"
			if n.Why != plan.SameNode {
				arrow = "-.->"
			}
			fmt.Fprintf(&b, "  s%d %s s%d\n", n.Step, arrow, p.Steps[i].ID)
		}
	}
	b.WriteString(mermaidClasses)
	return b.String()
}

func mermaidRisk(r plan.Risk) string {
	switch r {
	case plan.Interrupts, plan.Destructive:
		return string(r)
	}
	return "safe"
}

// mostInPicture is how many boxes one moment has at most in a picture on a page.
const mostInPicture = 16

// mermaidCluster is the cluster before the plan, after the step at which the fewest
// managers may fail, and at the end; moments that look alike are drawn once. It is
// empty for a plan without a picture.
func mermaidCluster(p *plan.Plan) string {
	thin := thinnest(p)
	list := frames(p, func(place int, _ bool) bool { return place == thin || place == len(p.Steps) })
	if len(list) == 0 {
		return ""
	}
	list = slices.CompactFunc(list, func(a, b frame) bool { return mermaidBoxes(a, 0) == mermaidBoxes(b, 0) })
	var b strings.Builder
	b.WriteString("flowchart TB\n")
	for i, f := range list {
		when := f.moment(p)
		if len(list) == 1 && len(p.Steps) > 0 {
			when = "Before and after"
		}
		fmt.Fprintf(&b, "  subgraph t%d[\"%s: %s\"]\n    direction TB\n%s  end\n", i, when, mermaidText(marginShort(f.margin)), mermaidBoxes(f, i))
		if i > 0 {
			fmt.Fprintf(&b, "  t%d --> t%d\n", i-1, i)
		}
	}
	b.WriteString(mermaidClasses)
	return b.String()
}

// mermaidBoxes are the nodes of one moment: managers first.
func mermaidBoxes(f frame, moment int) string {
	var b strings.Builder
	boxes := 0
	box := func(text, class string) {
		if boxes < mostInPicture {
			fmt.Fprintf(&b, "    t%dn%d[\"%s\"]:::%s\n", moment, boxes, text, class)
		}
		boxes++
	}
	for _, part := range []plan.Part{plan.PartManager, plan.PartWorker, plan.PartOutside} {
		for _, n := range f.nodes {
			if n.Part != part {
				continue
			}
			word, class := string(n.Look), "off"
			switch {
			case part == plan.PartOutside:
				class = "out"
			case n.Look == plan.LookUp:
				class = "up"
			}
			if n.Leader {
				word += ", leads"
			}
			box(mermaidText(clip(n.Name, 40))+"<br/>"+mermaidText(string(part)+", "+word), class)
		}
	}
	if text := tally(f.workers); text != "" {
		box(mermaidText(text), "out")
	}
	if boxes > mostInPicture {
		fmt.Fprintf(&b, "    t%dmore[\"%s\"]:::out\n", moment, count(boxes-mostInPicture, "more", "more"))
	}
	return b.String()
}
