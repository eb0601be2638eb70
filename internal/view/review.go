package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// Review is a plan as it is given to whoever approves it.
type Review struct {
	Plan   *plan.Plan
	Digest string
	// File is the plan file, and Dir the directory of -chdir, as the command that
	// applies it has to name them; Dir is empty where there was none.
	File, Dir string
	// Approvals are what of the plan must be approved, as apply tells it.
	Approvals []string
}

// command is what to type to apply the plan and nothing else.
func (r Review) command() string {
	words := []string{"requeen"}
	if r.Dir != "" {
		words = append(words, "-chdir="+quoted(r.Dir))
	}
	file := r.File
	if strings.HasPrefix(file, "-") { // else it would be read as a flag
		file = "./" + file
	}
	return strings.Join(append(words, "apply", "-digest", r.Digest, quoted(file)), " ")
}

// quoted is a word as a POSIX shell takes it.
func quoted(word string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !harmless(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(plain(word), "'", `'\''`) + "'"
}

// verdict is what the plan comes to, in one line.
func (r Review) verdict() string {
	p := r.Plan
	if len(p.Steps) == 0 {
		if len(p.Unmet) > 0 {
			return "No steps, and " + count(len(p.Unmet), "goal is", "goals are") + " not reached."
		}
		return "Nothing to do: what is declared is there."
	}
	parts := riskCounts(p.Steps)
	text := count(len(p.Steps), "step", "steps") + ": " + strings.Join(parts, ", ") + "."
	if len(p.Unmet) > 0 {
		text += " " + count(len(p.Unmet), "goal is", "goals are") + " not reached."
	}
	return text
}

// riskCounts say how many steps of each risk there are, the worst first.
func riskCounts(steps []plan.Step) []string {
	var parts []string
	for _, risk := range []plan.Risk{plan.Destructive, plan.Interrupts, plan.Safe} {
		n := 0
		for _, s := range steps {
			if s.Risk == risk {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, riskWords[risk]))
		}
	}
	return parts
}

// riskWords go with a number.
var riskWords = map[plan.Risk]string{plan.Destructive: "destructive", plan.Interrupts: "interrupting", plan.Safe: "safe"}

// destroys tells whether anything of the plan must be approved.
func (r Review) destroys() bool { return len(r.Approvals) > 0 }

// stepHazards are the codes of the hazards of a step.
func stepHazards(p *plan.Plan, id int) []string {
	var codes []string
	for _, h := range p.Hazards {
		if h.Step == id && !slices.Contains(codes, h.Code) {
			codes = append(codes, h.Code)
		}
	}
	return codes
}

// onNodes are the node or nodes of a step, as they are called.
func onNodes(s plan.Step) string {
	names := append([]string{onNode(s)}, s.With...)
	if len(names) < 5 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, %s, %s and %d more", names[0], names[1], names[2], len(names)-3)
}

// onNode is what a step is on.
func onNode(s plan.Step) string { return or(s.Where(), "-") }

// title is a code's title; a code that this program does not know has none.
func title(code string) string {
	row, _ := diag.Lookup(code)
	return row.Title
}

// short is the beginning of a text: its first sentences, cut at a word.
func short(text string) string {
	const enough, most = 60, 150
	text = plain(strings.TrimSpace(text))
	for end := 0; ; {
		next := strings.Index(text[end:], ". ")
		if next < 0 {
			break
		}
		if end += next + 1; end >= enough {
			text = text[:end]
			break
		}
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most])
		if blank := strings.LastIndex(text, " "); blank > most/2 {
			text = text[:blank]
		}
		text = strings.TrimRight(text, " ,;:") + " …"
	}
	return text
}
