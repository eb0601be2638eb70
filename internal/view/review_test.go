package view_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

// reviewed is one of plan's golden plans as it is given to a reviewer.
func reviewed(t *testing.T, name string, approvals ...string) view.Review {
	t.Helper()
	p, digest, err := planfile.Read(filepath.Join("..", "..", "plan", "testdata", name, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	return view.Review{Plan: p, Digest: digest, File: "tonight.plan", Approvals: approvals}
}

func page(t *testing.T, r view.Review) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is posted on a pull request, opened in a browser, and drawn.
func TestReviews(t *testing.T) {
	for name, r := range map[string]view.Review{
		"due": reviewed(t, "due"), "force": reviewed(t, "force", "RQ120"), "start-and-unlock": reviewed(t, "start-and-unlock"),
		"fresh": reviewed(t, "fresh"), "prune": reviewed(t, "prune"), "shape-labels": reviewed(t, "shape-labels"), "restore-running": reviewed(t, "restore-running", "RQ125", "RQ130"),
	} {
		dir := filepath.Join("testdata", "review", name)
		golden(t, dir+".md", r.Markdown())
		golden(t, dir+".dot", view.DotGraph(r.Plan))
		golden(t, dir+".mmd", view.MermaidGraph(r.Plan))
		text := page(t, r)
		wellFormed(t, name, text)
		if name == "due" || name == "prune" {
			golden(t, dir+".html", text)
		}
	}
}

// A plan of before there were pictures is shown without one.
func TestReviewWithoutPicture(t *testing.T) {
	r := reviewed(t, "due")
	r.Plan.Picture = nil
	if text := r.Markdown(); strings.Contains(text, "### The cluster") || !strings.Contains(text, "apply -digest "+r.Digest) {
		t.Error(text)
	}
	text := page(t, r)
	wellFormed(t, "no picture", text)
	if strings.Contains(text, "<svg") {
		t.Error("a picture of nothing")
	}
}

// The page shows the cluster before and after each step, and the words of each
// picture say what it shows.
func TestPageShowsBeforeAndAfterEachStep(t *testing.T) {
	r := reviewed(t, "force", "RQ120")
	text := page(t, r)
	_, steps, _ := strings.Cut(text, `<ol class="steps">`)
	for i, part := range strings.Split(steps, `<li class="step`)[1:] {
		pictures := strings.Count(part, "<svg ")
		same := strings.Contains(part, "Before and after: nothing")
		if pictures != 2 && !(same && pictures == 1) || strings.Count(part, "<desc>") != pictures {
			t.Errorf("step %d has %d pictures", i+1, pictures)
		}
	}
	for _, want := range []string{"manager m2: up, leads", "m1: outside the swarm, fenced", "manager m1: fenced", "worker w1: waiting", "0 of 3 managers up, quorum 2, no quorum"} {
		if !strings.Contains(text, want) {
			t.Errorf("no picture says %q", want)
		}
	}
}

// The command names the file and directory so that a shell gives them back.
func TestReviewNamesTheCommand(t *testing.T) {
	r := reviewed(t, "due")
	for file, want := range map[string]string{
		"tonight.plan": " tonight.plan\n", "a b.plan": " 'a b.plan'\n", "-x": " ./-x\n", "it's; rm -rf $HOME": ` 'it'\''s; rm -rf $HOME'` + "\n", "a\nb`c": " 'a b`c'\n",
	} {
		r.File = file
		if text := r.Markdown(); !strings.Contains(text, "\nrequeen apply -digest "+r.Digest+want) {
			t.Errorf("%q: %s", file, text)
		}
	}
	r.Dir = "clusters/prod"
	if text := r.Markdown(); !strings.Contains(text, "\nrequeen -chdir=clusters/prod apply -digest ") {
		t.Error(text)
	}
}

// What must be approved is told with what approves it, also where no hazard tells of
// a destructive step.
func TestReviewTellsWhatApproves(t *testing.T) {
	r := reviewed(t, "force", "RQ120", "step:7")
	text := r.Markdown()
	for _, want := range []string{"| by the digest, or `-approve=RQ120` |", "| by the digest, or `-approve=step:7` |", "| RQ103 | 12 |", "> [!CAUTION]"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	r.Approvals = nil
	if text := r.Markdown(); strings.Contains(text, "CAUTION") || strings.Contains(text, "-approve") {
		t.Error("a plan that needs no approval asks for one")
	}
}

// large is a plan of many steps, with everything that a step can have.
func largePlan(steps int, word string) *plan.Plan {
	p := forced()
	p.Steps, p.Hazards = nil, nil
	p.Picture = &plan.Picture{}
	for i := range steps {
		name := "w" + strings.Repeat("0", i%3) + word + string(rune('a'+i%26))
		s := plan.Step{ID: i + 1, Kind: plan.UpdateNode, Node: name, Reason: strings.Repeat("The labels of "+word+" are put back. ", 8), Risk: plan.Safe, Margin: plan.Margin{Managers: 3, Up: 3, Quorum: 2, Spare: 1}}
		switch {
		case i%100 == 7:
			s.Kind, s.Risk = plan.RemoveNode, plan.Destructive
			p.Hazards = append(p.Hazards, plan.Hazard{Code: "RQ121", Step: s.ID, Text: strings.Repeat("It is gone with "+word+". ", 30), Remedy: strings.Repeat("Look at "+word+". ", 20)})
		case i%50 == 3:
			s.Kind, s.Risk = plan.Demote, plan.Interrupts
		}
		p.Steps = append(p.Steps, s)
		p.Picture.Nodes = append(p.Picture.Nodes, plan.PictureNode{Name: name + string(rune('A'+i/26%26)), Part: plan.PartWorker, Look: plan.LookUp})
		p.Picture.Changes = append(p.Picture.Changes, plan.PictureChange{Step: s.ID, Nodes: []plan.PictureNode{{Name: name, Part: plan.PartWorker, Look: plan.LookDown}}})
		p.Unmet = append(p.Unmet, plan.Unmet{Code: "RQ218", Goal: name + " has its labels", Node: name, Reason: "It has " + word, Remedy: "Type docker node update " + word})
	}
	p.Summary = strings.Repeat("update "+word+", ", steps)
	p.Condition.Reason = strings.Repeat(word+" is down; ", steps)
	return p
}

// A comment on a pull request is bounded: it says what it left out, and leaves out
// nothing that must be approved while that fits.
func TestMarkdownIsBounded(t *testing.T) {
	for _, steps := range []int{1, 60, 500, 2000} {
		for _, word := range []string{"x", "@everyone", strings.Repeat("`|<&@#\\", 30)} {
			r := view.Review{Plan: largePlan(steps, word), Digest: "sha256:" + strings.Repeat("ab", 32), File: "large.plan", Approvals: []string{"RQ121"}}
			text := r.Markdown()
			if len(text) > view.MaxMarkdown {
				t.Errorf("%d steps of %.10q: %d bytes", steps, word, len(text))
			}
			if !strings.Contains(text, "\nrequeen apply -digest "+r.Digest+" large.plan\n") {
				t.Errorf("%d steps of %.10q: the command is missing", steps, word)
			}
			if cut := strings.Contains(text, "This page is cut"); cut != (steps > 60 || steps > 1 && len(word) > 20) && steps != 60 {
				t.Errorf("%d steps of %.10q: cut is %v", steps, word, cut)
			}
			if steps == 500 && word == "x" {
				boundedButWhole(t, text)
			}
			if strings.Count(text, "```")%2 != 0 || strings.Count(text, "<details>") != strings.Count(text, "</details>") {
				t.Errorf("%d steps of %.10q: a part is not closed", steps, word)
			}
			safeMarkdown(t, word, text)
		}
	}
}

// boundedButWhole looks for every step that destroys or interrupts, and the counts of
// the others.
func boundedButWhole(t *testing.T, text string) {
	t.Helper()
	if n := strings.Count(text, "| **destructive** |"); n != 5 {
		t.Errorf("%d of 5 destructive steps are shown", n)
	}
	if n := strings.Count(text, "| interrupts |"); n != 10 {
		t.Errorf("%d of 10 interrupting steps are shown", n)
	}
	for _, want := range []string{"of 500 steps (5 destructive, 10 interrupting, 485 safe in all)", "of 500 goals that are not reached", "the graph of the steps", "requeen show FILE"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// A page of many steps draws a part of them, and says so.
func TestPageIsBounded(t *testing.T) {
	text := page(t, view.Review{Plan: largePlan(2000, "x"), Digest: "sha256:0", File: "large.plan"})
	wellFormed(t, "large", text)
	if n := strings.Count(text, "<svg "); n > 320 || !strings.Contains(text, "Of 2000 steps only those are drawn") {
		t.Errorf("%d pictures", n)
	}
	if len(text) > 16<<20 {
		t.Errorf("%d bytes", len(text))
	}
}
