package view

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/plan"
)

// folded writes a part that opens with a click: the items that fit.
func (m *markdown) folded(title string, items []entry, what string) {
	if len(items) == 0 {
		return
	}
	head, foot := "\n<details>\n<summary>"+title+"</summary>\n\n", "\n</details>\n"
	kept := fitting(items, m.left-len(head)-len(foot))
	if len(kept) > 0 {
		m.add(head)
		for _, l := range kept {
			m.add(l.text)
		}
		m.add(foot)
	}
	if missing := len(items) - len(kept); missing > 0 {
		m.cut = append(m.cut, fmt.Sprintf("%d of %d %s", missing, len(items), what))
	}
}

// reasons are the steps with their whole reasons.
func (m *markdown) reasons(p *plan.Plan) {
	var items []entry
	for _, s := range p.Steps {
		text := fmt.Sprintf("- **%d. %s** %s", s.ID, prose(string(s.Kind), 60), code(onNode(s)))
		if len(s.With) > 0 {
			text += " side by side with " + prose(strings.Join(s.With, ", "), 600)
		}
		if codes := stepHazards(p, s.ID); len(codes) > 0 {
			text += " (" + prose(strings.Join(codes, ", "), 300) + ")"
		}
		text += ": " + prose(s.Reason, 1500)
		if s.Command != "" {
			text += " Command: " + code(s.Command)
		}
		items = append(items, entry{text + "\n", riskWeight(s.Risk)})
	}
	m.folded("Every step with its whole reason", items, "steps' whole reasons")
}

// recovery is the evidence on which a recovery rests.
func (m *markdown) recovery(r *plan.Recovery) {
	if r == nil {
		return
	}
	var items []entry
	for _, v := range r.Survivors {
		word := "chosen"
		if !v.Chosen {
			word = "choosing it would lose " + prose(v.Loses, 400)
		}
		items = append(items, entry{fmt.Sprintf("- survivor %s: term %d, index %d, commit %d; %s\n", code(v.Node), v.Term, v.Index, v.Commit, word), 0})
	}
	for _, u := range r.Unfenced {
		items = append(items, entry{"- can't be fenced: " + prose(unfencedText(u), 500) + "\n", 0})
	}
	for _, c := range r.Containers {
		items = append(items, entry{"- " + prose(endingText(c), 500) + "\n", 1})
	}
	m.folded("What the recovery rests on, and what ends with it", items, "lines about the recovery")
}

// unfencedText says who can't be fenced, and what is known of it.
func unfencedText(u plan.Unfenced) string {
	name, word := u.Node, "nobody has said that it is gone for good"
	if name == "" {
		name = "not declared"
	}
	if u.Acknowledged {
		word = "assumed dead, as declared"
	}
	return fmt.Sprintf("%s (%s): %s; it is probed again before the cluster is forced", name, u.Address, word)
}

// endingText says how a container ends.
func endingText(c plan.Ending) string {
	name := c.Name
	if name == "" {
		name = c.Container[:min(12, len(c.Container))]
	}
	text := fmt.Sprintf("container %s on %s is %s", name, c.Node, c.Fate)
	if c.Restarts {
		text += ", and its service's tasks start again"
	}
	if n := len(c.AnonymousVolumes); n > 0 {
		text += ", with " + count(n, "anonymous volume", "anonymous volumes")
	}
	return text
}

// remedies say what can be done about the hazards.
func (m *markdown) remedies(p *plan.Plan) {
	var items []entry
	seen := map[string]bool{}
	for _, h := range p.Hazards {
		if key := h.Code + h.Remedy; h.Remedy != "" && !seen[key] {
			seen[key] = true
			items = append(items, entry{fmt.Sprintf("- **%s** %s %s\n", prose(h.Code, 60), prose(sentence(title(h.Code)), 200), prose(h.Remedy, 600)), 0})
		}
	}
	m.folded("What can be done about the hazards", items, "remedies")
}

// mostInGraph is how many steps a graph on a page has at most: more can't be read.
const mostInGraph = 40

// graphKey says what the arrows of a graph are.
const graphKey = "A whole arrow: the next step on the same node. A dashed one: managers are touched one after the other, or the swarm has to answer first."

// graph is what each step waits for.
func (m *markdown) graph(p *plan.Plan) {
	if len(p.Steps) < 2 {
		return
	}
	if len(p.Steps) > mostInGraph {
		m.cut = append(m.cut, "the graph of the steps ("+code("requeen graph FILE")+")")
		return
	}
	part := "\n<details>\n<summary>What each step waits for</summary>\n\n" + graphKey + "\n\n```mermaid\n" + MermaidGraph(p) + "```\n\n</details>\n"
	if !m.add(part) {
		m.cut = append(m.cut, "the graph of the steps")
	}
}

// ground is what the plan was made from, for who compares.
func (m *markdown) ground(r Review) {
	var items []entry
	for _, row := range r.facts() {
		items = append(items, entry{"- " + prose(row[0], 300) + ": " + code(row[1]) + "\n", 0})
	}
	m.folded("What the plan was made from", items, "facts")
}

// facts are what the plan was made from, and by which it is found stale.
func (r Review) facts() [][2]string {
	p := r.Plan
	rows := [][2]string{{"planned at", stamp(p.PlannedAt)}, {"requeen", p.ToolVersion}, {"digest", r.Digest}, {"configuration", "sha256:" + p.ConfigSHA256}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	add("swarm", p.SwarmID)
	add("epoch", p.Epoch)
	for _, b := range p.Fingerprint.NewestBackups {
		text := "none"
		if b.ID != "" {
			text = b.ID + ", taken " + stamp(b.TakenAt)
		}
		add("newest backup of "+b.Backup+" in "+b.Repository, text)
	}
	for _, h := range p.Fingerprint.Hosts {
		add("host "+h.Name, "machine "+h.MachineID+", host key "+dash(h.HostKey))
	}
	return rows
}
