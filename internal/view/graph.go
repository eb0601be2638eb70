package view

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/plan"
)

// group are the steps of one node, or of several side by side.
type group struct {
	name  string
	steps []plan.Step
}

// groups are the steps by node, in the order in which the nodes come.
func groups(p *plan.Plan) []*group {
	var list []*group
	byName := map[string]*group{}
	for _, s := range p.Steps {
		name := onNodes(s)
		g := byName[name]
		if g == nil {
			g = &group{name: name}
			byName[name] = g
			list = append(list, g)
		}
		g.steps = append(g.steps, s)
	}
	return list
}

// stepLabel is a step in a graph, whose group says the node.
func stepLabel(s plan.Step) string {
	label := fmt.Sprintf("%d %s", s.ID, plain(string(s.Kind)))
	for _, more := range []string{s.Backup, s.Service} {
		if more != "" {
			return label + " " + clip(plain(more), 40)
		}
	}
	return label
}

// DotGraph is a plan's steps, grouped by node, each with the steps that it waits for,
// in the language of Graphviz.
func DotGraph(p *plan.Plan) string {
	var b strings.Builder
	b.WriteString("digraph requeen {\n  rankdir = TB\n  newrank = true\n")
	fmt.Fprintf(&b, "  label = %s\n  labelloc = t\n  fontname = \"sans-serif\"\n", dotQuoted("Cluster "+clip(plain(p.Cluster), 80)+" is "+plain(string(p.Condition.Name))))
	b.WriteString("  node [shape = box, fontname = \"sans-serif\"]\n")
	for i, g := range groups(p) {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label = %s\n    style = rounded\n", i, dotQuoted(clip(plain(g.name), 80)))
		for _, s := range g.steps {
			fmt.Fprintf(&b, "    s%d [label = %s, tooltip = %s%s]\n", s.ID, dotLabel(s), dotQuoted(clip(plain(s.Reason), 600)), dotRisk(s.Risk))
		}
		b.WriteString("  }\n")
	}
	for i, needs := range p.Needs() {
		for _, n := range needs {
			fmt.Fprintf(&b, "  s%d -> s%d%s\n", n.Step, p.Steps[i].ID, dotWhy(n.Why))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// dotQuoted is a text as a quoted string, in which nothing is an escape of Graphviz.
func dotQuoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// dotLabel is a step's label, with what it may cost below.
func dotLabel(s plan.Step) string {
	label := dotQuoted(stepLabel(s))
	if s.Risk == plan.Safe {
		return label
	}
	return strings.TrimSuffix(label, `"`) + `\n` + strings.TrimPrefix(dotQuoted(plain(string(s.Risk))), `"`)
}

// dotRisk draws what the word of a risk says.
func dotRisk(r plan.Risk) string {
	switch r {
	case plan.Destructive:
		return `, color = "#b42318", penwidth = 3`
	case plan.Interrupts:
		return `, color = "#b54708", penwidth = 2`
	}
	return ""
}

// dotWhy draws what waits for another node's step, and says why on a touch.
func dotWhy(w plan.Why) string {
	if w == plan.SameNode {
		return ""
	}
	return " [style = dashed, tooltip = " + dotQuoted(string(w)) + "]"
}
