package view_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
)

// hostile are names and texts that try to be something else: markup, mentions,
// references, commands of a forge, and what moves a terminal's cursor.
var hostile = []string{
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "`|`", "a`b``c", "](javascript:alert(1))", "[x](http://evil.example/)", "![x](//evil.example/x.png)",
	"@everyone", "@org/team", "ops@m1.example.com", "#1", "org/repo#12", "GH-12", "!3", "$4", "%5", "~bug", "&6", "http://evil.example/x", "www.evil.example", "HTTPS://EVIL.EXAMPLE",
	"line\nbreak", "line\r\n\r\n# heading", "/close", "\n/merge", "| a | b |", "--> <!-- ", "</details>", "</svg><script>", "\"]\n  click s1 \"javascript:alert(1)\"", "end\n  a-->b",
	"%%{init: {}}%%", "\\\"]; evil [label=\"", "**bold** _it_ ~~no~~", ":tada:", "{{7*7}}", "$(rm -rf /)", "\x1b[2J\x1b]0;title\x07", "\u202egnp.exe", "a\u200bb", "\xff\xfe", "&lt;b&gt;", "&#64;all",
	"```\n\n# x", "***", "- [ ] task", "1. one", "> quote", "$$x$$", "<!--", "]]>", "'\"><b>", "\\|", "\\`", "a\\|b`c|d",
}

// poisoned is a plan in which every text from outside is the same.
func poisoned(text string) *plan.Plan {
	p := forced()
	p.Cluster, p.ToolVersion, p.Summary, p.SwarmID, p.Epoch, p.ConfigSHA256 = text, text, text, text, text, text
	p.Condition.Reason = text + " " + text
	p.Recovery.Node, p.Recovery.Address, p.Recovery.ParentEpoch = text, text, text
	for i := range p.Recovery.Survivors {
		p.Recovery.Survivors[i].Node, p.Recovery.Survivors[i].Loses = text, text
	}
	p.Recovery.Unfenced = append(p.Recovery.Unfenced, plan.Unfenced{Node: text, Address: text})
	p.Recovery.Containers = []plan.Ending{{Node: text, Name: text, Service: text, Fate: plan.Fate(text)}}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Node, s.Reason, s.Backup, s.Service, s.Command, s.With = text, text+" "+text, text, text, text, []string{text, text, text, text + "4"}
	}
	p.Steps[1].Kind, p.Steps[1].Risk = plan.Kind(text), plan.Risk(text)
	p.Hazards = append(p.Hazards, plan.Hazard{Code: text, Step: 1, Node: text, Text: text, Remedy: text})
	p.Unmet = []plan.Unmet{{Code: text, Goal: text, Node: text, Reason: text, Remedy: text}}
	p.Fingerprint.Hosts = []plan.HostPrint{{Name: text, MachineID: text, HostKey: text}}
	p.Fingerprint.NewestBackups = []plan.BackupPrint{{Backup: text, Repository: text, ID: text}}
	p.Picture = &plan.Picture{
		Nodes: []plan.PictureNode{{Name: text, Part: plan.PartManager, Look: plan.Look(text), Zone: text, Leader: true}, {Name: "m1", Part: plan.Part(text), Look: plan.LookUp},
			{Name: "out", Part: plan.PartOutside, Look: plan.LookHeld, Zone: text}},
		Workers: []plan.PictureWorkers{{Zone: text, Look: plan.Look(text), Count: 3}},
		Changes: []plan.PictureChange{{Step: 2, Nodes: []plan.PictureNode{{Name: text, Part: plan.PartManager, Look: plan.LookHeld}}}},
	}
	return p
}

func TestHostileTexts(t *testing.T) {
	for _, text := range hostile {
		isHarmless(t, text)
	}
}

// The same for texts made of what markup is made of.
func TestAnyTextIsHarmless(t *testing.T) {
	letters := []string{"<", ">", "&", "\"", "'", "`", "``", "|", "\\", "[", "]", "(", ")", "!", "@", "#", "$", "%", "~", "/", ":", "http://", "www.", "-", "*", "_", "{", "}", ";", "=", "\n", "\r", "\t", " ",
		"a", "b1", "12", "script", "--", "<!--", "-->", "\x1b[31m", "\u202e", "\u2028", "\x00", "\xff", "é", "…"}
	rapid.Check(t, func(rt *rapid.T) {
		isHarmless(rt, strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 1, 12).Draw(rt, "text"), ""))
	})
}

func isHarmless(t rapid.TB, text string) {
	t.Helper()
	r := view.Review{Plan: poisoned(text), Digest: "sha256:0", File: text, Dir: text, Approvals: []string{"RQ121", text}}
	safeMarkdown(t, text, r.Markdown())
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	wellFormed(t, text, b.String())
	safeMermaid(t, text, view.MermaidGraph(r.Plan))
	safeDot(t, text, view.DotGraph(r.Plan))
	for _, colour := range []bool{false, true} {
		b.Reset()
		view.Screen{Out: &b, Width: 80, Color: colour}.Plan(r.Plan, "sha256:0")
		safeScreen(t, text, b.String())
	}
}

var (
	spans     = regexp.MustCompile("`[^`\n]*`")
	codeTags  = regexp.MustCompile(`<code>(?:[A-Za-z0-9 .,;()=…\x{80}-\x{10ffff}]|&#[0-9]+;|<wbr>)*</code>`)
	character = regexp.MustCompile(`&#[0-9]+;`)
	ownTags   = regexp.MustCompile(`</?details>|</?summary>`)
	risky     = regexp.MustCompile("[<>\\[\\]{}@#$~!&`\\\\^_]|://|(?i:www\\.|http)|^/")
)

// safeMarkdown takes the parts that are ours away from each line and looks at what
// is left: nothing of it may be markup, a mention, a reference or a link.
func safeMarkdown(t rapid.TB, text, page string) {
	t.Helper()
	fence, columns := "", 0
	for i, line := range strings.Split(page, "\n") {
		if fence == "" && strings.HasPrefix(line, "```") {
			fence = line[:len(line)-len(strings.TrimLeft(line, "`"))]
			continue
		}
		if fence != "" {
			if line == fence {
				fence = ""
			}
			continue
		}
		if i == 0 {
			if !regexp.MustCompile(`^<!-- requeen plan [A-Za-z0-9_.]* -->$`).MatchString(line) {
				t.Fatalf("%q: the mark is %s", text, line)
			}
			continue
		}
		rest := character.ReplaceAllString(ownTags.ReplaceAllString(codeTags.ReplaceAllString(spans.ReplaceAllString(line, "x"), "x"), ""), "x")
		rest = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(rest, "> [!CAUTION]"), "> "), "### ")
		rest = strings.TrimPrefix(rest, "## ")
		rest = strings.TrimPrefix(rest, "#") // the head of the steps' column
		if strings.HasPrefix(line, "| # |") {
			rest = strings.Replace(rest, "| # |", "", 1)
		}
		if risky.MatchString(rest) {
			t.Fatalf("%q: a line of markdown has %q: %s", text, risky.FindString(rest), line)
		}
		bars := strings.Count(line, "|") // in a cell a bar counts, whatever is around it
		switch {
		case !strings.HasPrefix(line, "|"):
			if columns = 0; bars > 0 {
				t.Fatalf("%q: a bar outside of a table: %s", text, line)
			}
		case columns == 0:
			columns = bars
		case bars != columns:
			t.Fatalf("%q: a row has %d bars, the head %d: %s", text, bars, columns, line)
		}
	}
	if fence != "" {
		t.Fatalf("%q: a fence is not closed", text)
	}
	for _, part := range strings.Split(page, "```mermaid\n")[1:] {
		drawn, _, _ := strings.Cut(part, "```")
		safeMermaid(t, text, drawn)
	}
}

const label = `(?:[\p{L}\p{N} .,:…]|#[0-9]+;|<br/>)*`

var mermaidLine = regexp.MustCompile(`^(?:flowchart TB|  subgraph [gt][0-9]+\["` + label + `"\]|  end|    direction TB|    (?:s[0-9]+|t[0-9]+n[0-9]+|t[0-9]+more)\["` + label +
	`"\]:::[a-z]+|  [st][0-9]+ (?:-->|-\.->) [st][0-9]+|  classDef [a-z]+ [a-z0-9:#,; -]+|)$`)

// safeMermaid holds every line of a diagram to what this program writes.
func safeMermaid(t rapid.TB, text, diagram string) {
	t.Helper()
	for _, line := range strings.Split(diagram, "\n") {
		if !mermaidLine.MatchString(line) {
			t.Fatalf("%q: a line of mermaid is %q", text, line)
		}
	}
}

var dotLine = func() *regexp.Regexp {
	const quoted = `"(?:[^"\\]|\\["\\n])*"`
	return regexp.MustCompile(`^(?:digraph requeen \{|  subgraph cluster_[0-9]+ \{|  ? ?\}|\}| +[a-z]+ = [A-Za-z]+| +[a-z]+ = ` + quoted +
		`|  (?:node|edge) \[.*\]|    s[0-9]+ \[label = ` + quoted + `, tooltip = ` + quoted + `(?:, color = "#[0-9a-f]+", penwidth = [0-9])?\]|  s[0-9]+ -> s[0-9]+(?: \[style = dashed, tooltip = ` + quoted + `\])?|)$`)
}()

func safeDot(t rapid.TB, text, graph string) {
	t.Helper()
	for _, line := range strings.Split(graph, "\n") {
		if !dotLine.MatchString(line) {
			t.Fatalf("%q: a line of dot is %q", text, line)
		}
	}
}

var painted = regexp.MustCompile(`\x1b\[(?:0|1|2|31|32|33|36)m`)

func safeScreen(t rapid.TB, text, screen string) {
	t.Helper()
	if i := strings.IndexFunc(painted.ReplaceAllString(screen, ""), func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }); i >= 0 {
		t.Fatalf("%q: the screen gets a character that can't be seen: %q", text, screen)
	}
}

// Elements and attributes that the page has; nothing from outside may add one.
var (
	elements   = words("html head meta title style body a header h1 h2 h3 p strong code div nav ul ol li main section figure figcaption svg desc g rect path text table caption thead tbody tr th td span pre details summary dl dt dd footer")
	attributes = words("lang charset http-equiv content name class href id aria-label aria-labelledby viewBox role x y width height rx d text-anchor scope data-head tabindex")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// wellFormed reads the page as strict XML: every element is closed, every attribute
// quoted, nothing is there that the template does not have, nothing is loaded, and
// links lead to places on the page.
func wellFormed(t rapid.TB, text, page string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(page))
	ids, links, style := map[string]bool{}, []string{}, ""
	element := ""
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%q: the page is not well-formed: %v", text, err)
		}
		switch tok := token.(type) {
		case xml.StartElement:
			element = tok.Name.Local
			if !elements[element] {
				t.Fatalf("%q: the page has an element <%s>", text, element)
			}
			for _, a := range tok.Attr {
				name := a.Name.Local
				switch {
				case !attributes[name]:
					t.Fatalf("%q: <%s> has an attribute %s", text, element, name)
				case name == "id" && ids[a.Value]:
					t.Fatalf("%q: two elements have the id %s", text, a.Value)
				case name == "id":
					ids[a.Value] = true
				case name == "href":
					links = append(links, a.Value)
				}
			}
		case xml.EndElement:
			element = ""
		case xml.CharData:
			if element == "style" {
				style += string(tok)
			}
		case xml.Comment, xml.ProcInst:
			t.Fatalf("%q: the page has a comment or an instruction", text)
		}
	}
	for _, l := range links {
		if !strings.HasPrefix(l, "#") || !ids[l[1:]] {
			t.Fatalf("%q: a link leads to %s", text, l)
		}
	}
	sum := sha256.Sum256([]byte(style))
	if policy := "style-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;"; !strings.Contains(page, policy) {
		t.Fatalf("%q: the policy does not allow the page's style", text)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Fatalf("%q: the style loads something", text)
	}
}
