package view

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/requeen/requeen/plan"
)

//go:embed page/plan.html.tmpl
var pageText string

//go:embed page/plan.css
var pageStyle string

var pageTemplate = template.Must(template.New("plan").Parse(pageText))

// pagePolicy lets the page use its own style and nothing else: no script, no
// request, no form, no other base.
func pagePolicy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// HTML writes the plan as one page that needs no other file, no network and no
// script, with a picture of the cluster before and after each step.
func (r Review) HTML(w io.Writer) error { return pageTemplate.Execute(w, r.page()) }

// pagePart is a part of the page that its contents name.
type pagePart struct{ ID, Title string }

// pageFigure is a picture with what stands above it.
type pageFigure struct {
	Caption string
	SVG     template.HTML // made by drawing alone, which escapes every text
}

// pageStep is a step as the page shows it.
type pageStep struct {
	ID                                                             int
	Kind, Nodes, With, Risk, Margin, Reason, Command, Codes, Needs string
	Gone, Kept                                                     []string // backups that a prune step removes, and that stay
	Frames                                                         []pageFigure
}

// pageHazard is a hazard with its code's title and the flag that approves it.
type pageHazard struct {
	Code, Title, Text, Remedy, Approve string
	Step                               int
}

// pageUnmet is a goal that is not reached.
type pageUnmet struct{ Code, Goal, Reason, Remedy string }

// page is what the template shows. All texts are plain ones: the template escapes
// them for the place where they stand.
type page struct {
	Policy                                            string
	Style                                             template.CSS
	Cluster, PlannedAt, ToolVersion, Verdict, Summary string
	Condition, Undecided, Recovery                    string
	Digest, Command, Expires, NotDrawn                string
	Approvals                                         []string
	Parts                                             []pagePart
	Overview                                          []pageFigure
	Hazards                                           []pageHazard
	Unmet                                             []pageUnmet
	Steps                                             []pageStep
	Evidence                                          bool
	Survivors                                         []plan.Survivor
	Unfenced, Endings                                 []string
	Facts                                             [][2]string
}

func (r Review) page() *page {
	p := r.Plan
	d := &page{Policy: pagePolicy(), Style: template.CSS(pageStyle), Cluster: plain(p.Cluster), PlannedAt: stamp(p.PlannedAt), ToolVersion: plain(p.ToolVersion),
		Verdict: r.verdict(), Summary: plain(sentence(p.Summary)), Condition: plain(string(p.Condition.Name) + ". " + sentence(p.Condition.Reason)),
		Digest: plain(r.Digest), Command: plain(r.command()), Expires: r.expires()}
	if !p.UndecidedUntil.IsZero() {
		d.Undecided = "whether the quorum is lost can be told from " + stamp(p.UndecidedUntil) + " on."
	}
	for _, a := range r.Approvals {
		d.Approvals = append(d.Approvals, plain(a))
	}
	for _, h := range p.Hazards {
		d.Hazards = append(d.Hazards, r.pageHazard(h))
	}
	for _, u := range p.Unmet {
		d.Unmet = append(d.Unmet, pageUnmet{plain(u.Code), plain(goalOf(u)), plain(u.Reason), plain(u.Remedy)})
	}
	for _, fact := range r.facts() {
		d.Facts = append(d.Facts, [2]string{plain(fact[0]), plain(fact[1])})
	}
	d.evidence(p.Recovery)
	d.Overview = overview(p)
	d.steps(p)
	d.parts()
	return d
}

func (r Review) pageHazard(h plan.Hazard) pageHazard {
	row := pageHazard{Code: plain(h.Code), Title: title(h.Code), Text: plain(h.Text), Remedy: plain(h.Remedy), Step: h.Step}
	if slices.Contains(r.Approvals, h.Code) {
		row.Approve = "-approve=" + plain(h.Code)
	}
	return row
}

// evidence is on what a recovery rests.
func (d *page) evidence(r *plan.Recovery) {
	if r == nil {
		return
	}
	d.Recovery = plain(recoveryText(r))
	for _, v := range r.Survivors {
		v.Node, v.Loses = plain(v.Node), plain(v.Loses)
		d.Survivors = append(d.Survivors, v)
	}
	for _, u := range r.Unfenced {
		d.Unfenced = append(d.Unfenced, plain(unfencedText(u)))
	}
	for _, c := range r.Containers {
		d.Endings = append(d.Endings, plain(endingText(c)))
	}
	d.Evidence = len(d.Survivors)+len(d.Unfenced)+len(d.Endings) > 0
}

// mostDrawn is how many steps are drawn at most: a page with more pictures is too
// large to be looked at.
const mostDrawn = 150

func (d *page) steps(p *plan.Plan) {
	drawn := drawnSteps(p)
	for i, s := range p.Steps {
		step := pageStep{ID: s.ID, Kind: plain(string(s.Kind)), Nodes: plain(onNodes(s)), Risk: plain(string(s.Risk)), Margin: marginShort(s.Margin), Reason: plain(s.Reason),
			Command: plain(s.Command), Codes: plain(strings.Join(stepHazards(p, s.ID), ", ")), Frames: drawn[i+1]}
		if len(s.With) > 3 {
			step.With = plain(strings.Join(s.With, ", "))
		}
		step.pruned(s.Prune)
		d.Steps = append(d.Steps, step)
	}
	for i, needs := range p.Needs() {
		d.Steps[i].Needs = needsText(needs)
	}
	if p.Picture != nil && len(p.Steps) > mostDrawn {
		d.NotDrawn = fmt.Sprintf("Of %d steps only those are drawn that change what is to be seen, %d at most.", len(p.Steps), mostDrawn)
	}
}

// needsText says what a step waits for.
func needsText(needs []plan.Need) string {
	if len(needs) == 0 {
		return "It waits for no other step."
	}
	var parts []string
	for _, n := range needs {
		parts = append(parts, fmt.Sprintf("step %d (%s)", n.Step, n.Why))
	}
	return "It waits for " + strings.Join(parts, " and ") + "."
}

// drawnSteps are the pictures of steps, by the step's place: before and after, or
// one where nothing that is drawn changes.
func drawnSteps(p *plan.Plan) map[int][]pageFigure {
	figures := map[int][]pageFigure{}
	few, changes := len(p.Steps) <= mostDrawn, 0
	last := drawing{}
	for _, f := range frames(p, func(_ int, news bool) bool {
		if news {
			changes++
		}
		return few || news && changes <= mostDrawn
	}) {
		now := draw(f)
		if f.after > 0 {
			acted := actedOn(p.Steps[f.after-1])
			if len(f.changed) == 0 && now.same(last) {
				figures[f.after] = []pageFigure{{"Before and after: nothing that is drawn changes", now.svg(marks{acted: acted})}}
			} else {
				figures[f.after] = []pageFigure{{"Before", last.svg(marks{acted: acted})}, {"After", now.svg(marks{acted, f.changed})}}
			}
		}
		last = now
	}
	return figures
}

// actedOn are the names, as the picture has them, of the nodes that a step is about.
func actedOn(s plan.Step) map[string]bool {
	acted := map[string]bool{s.Node: true}
	if s.Node == "" && s.Entry != "" { // an entry that no node block declares
		acted[fmt.Sprintf("%s (node %s)", s.Host, s.Entry[:min(8, len(s.Entry))])] = true
	}
	for _, name := range s.With {
		acted[name] = true
	}
	return acted
}

// overview are the cluster before, where the fewest managers may fail, and at the end.
func overview(p *plan.Plan) []pageFigure {
	thin := thinnest(p)
	var list []pageFigure
	for _, f := range frames(p, func(place int, _ bool) bool { return place == thin || place == len(p.Steps) }) {
		caption := f.moment(p)
		if f.after == thin && thin > 0 {
			caption += ", where the fewest may fail"
		}
		list = append(list, pageFigure{caption, draw(f).svg(marks{})})
	}
	return list
}

// parts are the page's contents.
func (d *page) parts() {
	add := func(there bool, id, title string) {
		if there {
			d.Parts = append(d.Parts, pagePart{id, title})
		}
	}
	add(len(d.Overview) > 0, "cluster", "The cluster")
	add(len(d.Hazards) > 0, "hazards", fmt.Sprintf("Hazards (%d)", len(d.Hazards)))
	add(len(d.Unmet) > 0, "unmet", fmt.Sprintf("Not reached (%d)", len(d.Unmet)))
	add(len(d.Steps) > 0, "list", fmt.Sprintf("All steps (%d)", len(d.Steps)))
	add(len(d.Steps) > 0, "steps", "Each step")
	add(d.Evidence, "evidence", "What the recovery rests on")
	add(true, "apply", "To apply it")
	add(true, "facts", "What it was made from")
}
