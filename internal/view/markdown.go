package view

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/plan"
)

// MaxMarkdown is how many bytes the markdown of a plan has at most. A comment on
// GitHub may have 65536 characters; the rest is left to the workflow that posts it.
const MaxMarkdown = 60000

// How many bytes the parts may take; what a part leaves is for those below it.
const (
	roomSteps   = 20000
	roomHazards = 12000
	roomUnmet   = 6000
	roomPicture = 7000
)

// Markdown is the plan as CI posts it on a pull request: what it comes to, the
// condition, the steps, the hazards with what approves them, what is not reached, a
// picture, the digest with the command that applies exactly this plan, and folded
// details. It never is longer than MaxMarkdown, and says what it left out.
func (r Review) Markdown() string {
	p := r.Plan
	m := &markdown{left: MaxMarkdown}
	foot := r.markdownApproval()
	m.left -= len(foot) + roomLeftOut
	m.add(r.markdownHead())
	m.steps(p)
	m.hazards(r)
	m.unmet(p)
	m.picture(p)
	details := m.left
	m.left += len(foot)
	m.add(foot)
	m.left = details
	m.pruned(p)
	m.reasons(p)
	m.recovery(p.Recovery)
	m.remedies(p)
	m.graph(p)
	m.ground(r)
	m.leftOut(r)
	return m.b.String()
}

// markdown is a page of markdown that is being written.
type markdown struct {
	b    strings.Builder
	left int      // bytes that may still be written
	cut  []string // what was left out
}

// add writes a whole part, or leaves it out where it does not fit.
func (m *markdown) add(part string) bool {
	if len(part) > m.left {
		return false
	}
	m.b.WriteString(part)
	m.left -= len(part)
	return true
}

// roomLeftOut is for the paragraph that says what was left out.
const roomLeftOut = 1200

// leftOut says what does not fit. It stands at the end, and is never left out.
func (m *markdown) leftOut(r Review) {
	if len(m.cut) == 0 {
		return
	}
	fmt.Fprintf(&m.b, "\n> **This page is cut to %d bytes.** Left out: %s. Look at the whole plan before you approve it: %s shows it.\n",
		MaxMarkdown, strings.Join(m.cut, "; "), code("requeen show FILE"))
}

func (r Review) markdownHead() string {
	p := r.Plan
	var b strings.Builder
	// The mark is for the workflow that looks for its earlier comment.
	fmt.Fprintf(&b, "<!-- requeen plan %s -->\n", marked(p.Cluster))
	fmt.Fprintf(&b, "## requeen plan: %s\n\n", code(p.Cluster))
	fmt.Fprintf(&b, "**%s** %s\n\n", r.verdict(), prose(sentence(p.Summary), 3000))
	if r.destroys() {
		fmt.Fprintf(&b, "> [!CAUTION]\n> This plan destroys something (%s). It runs only where its digest or these codes are approved.\n\n", codes(r.Approvals))
	}
	fmt.Fprintf(&b, "**Condition:** %s. %s\n", prose(string(p.Condition.Name), 200), prose(sentence(p.Condition.Reason), 2500))
	if !p.UndecidedUntil.IsZero() {
		fmt.Fprintf(&b, "\n**Undecided:** whether the quorum is lost can be told from %s on.\n", stamp(p.UndecidedUntil))
	}
	if p.Recovery != nil {
		fmt.Fprintf(&b, "\n**Recovery:** %s\n", prose(recoveryText(p.Recovery), 2500))
	}
	return b.String()
}

// marked is a name for an HTML comment, which it can't end.
func marked(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isWordRune(r) || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, clip(name, 80))
}

// codes lists words as code, as many as a sentence takes.
func codes(words []string) string {
	const most = 20
	var list []string
	for _, w := range words[:min(most, len(words))] {
		list = append(list, code(w))
	}
	if more := len(words) - most; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// markdownApproval is how this very plan is applied.
func (r Review) markdownApproval() string {
	p := r.Plan
	var b strings.Builder
	b.WriteString("\n### To apply it\n\n")
	if len(p.Steps) == 0 {
		fmt.Fprintf(&b, "There is nothing to apply. The plan's digest is %s.\n", code(r.Digest))
		return b.String()
	}
	command := clip(r.command(), 600)
	fence := "```"
	for strings.Contains(command, fence) {
		fence += "`"
	}
	fmt.Fprintf(&b, "The digest approves all of this plan, and no other plan:\n\n%ssh\n%s\n%s\n\n", fence, command, fence)
	b.WriteString("It is refused where what it rests on has changed since: then plan and review again.")
	if e := r.expires(); e != "" {
		b.WriteString(" " + e)
	}
	b.WriteString("\n")
	return b.String()
}

// expires says until when a plan may be begun, where that is bounded.
func (r Review) expires() string {
	if until := r.Plan.BegunUntil(); !until.IsZero() {
		return "It may be begun until " + stamp(until) + ", and once."
	}
	return ""
}

// picture draws the cluster before, at its thinnest and at the end.
func (m *markdown) picture(p *plan.Plan) {
	drawn := mermaidCluster(p)
	if drawn == "" {
		return
	}
	part := "\n### The cluster\n\n```mermaid\n" + drawn + "```\n"
	if len(part) > min(roomPicture, m.left) || !m.add(part) {
		m.cut = append(m.cut, "the picture of the cluster")
	}
}
