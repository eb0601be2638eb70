package schema

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/requeen/requeen/internal/diag"
)

const oneALine = "Write one attribute a line; a block with several attributes goes over several lines."

// remedies are for what HCL itself says, by its summary.
var remedies = map[string]string{
	"Attribute redefined":                        "Remove one of the two.",
	"Missing newline after argument":             oneALine,
	"Invalid single-argument block definition":   oneALine,
	"Missing newline after block definition":     "Begin the next block on a line of its own.",
	"Invalid argument name":                      "Remove the quotes around the name.",
	"Unclosed configuration block":               "Add the closing brace } of this block.",
	"Unclosed configuration body":                "Add what is missing at the end of the file.",
	"Argument or block definition required":      "Write NAME = VALUE or NAME { … } here.",
	"Invalid block definition":                   "Write NAME \"label\" { at the start of a block, without an equals sign.",
	"Invalid expression":                         "Write a value here; a text stands in double quotes.",
	"Missing expression":                         "Write a value here.",
	"Invalid character":                          "Remove or replace this character.",
	"Invalid character encoding":                 "Store the file as UTF-8.",
	"Invalid multi-line string":                  "Close the quotes on the same line, or use <<EOT for text of several lines.",
	"Unterminated template string":               "Add the closing double quote.",
	"Unterminated string literal":                "Add the closing double quote.",
	"Unterminated function call":                 "Add the closing parenthesis.",
	"Unterminated tuple constructor expression":  "Add the closing bracket ].",
	"Unterminated object constructor expression": "Add the closing brace }.",
	"Missing item separator":                     "Put a comma between the items.",
	"Missing attribute separator":                "Put a comma or a new line between the items.",
	"Missing argument separator":                 "Put a comma between the function's arguments.",
	"Missing closing parenthesis":                "Add the closing parenthesis.",
	"Variables not allowed":                      "Write the value itself here.",
	"Function calls not allowed":                 "Write the value itself here.",
	"Not enough function arguments":              "Give the function all its arguments.",
	"Too many function arguments":                "Remove the arguments that are too many.",
	"Unsupported attribute":                      "Use an attribute that the value has, or try(…, default).",
	"Invalid index":                              "Use a key that exists, or lookup(map, key, default).",
	"Invalid template interpolation value":       "Use a text or number here; join() and jsonencode() make text of lists and maps.",
	"Inconsistent conditional result types":      "Let both results have the same type.",
	"Invalid escape sequence":                    "Write \\\\ for a backslash.",
	"Iteration over null value":                  "Use coalesce(…, []) or give it a value.",
	"Invalid type specification":                 "Write a type such as string, number, bool, list(string) or map(string).",
}

// typesOnly are the summaries under which HCL speaks of types and names in the
// source, never of values; those of functions are guarded by functions.go.
var typesOnly = map[string]bool{
	"Invalid operand": true, "Incorrect condition type": true, "Not enough function arguments": true, "Too many function arguments": true,
	"Error in function call": true, "Invalid function argument": true, "Invalid template interpolation value": true,
}

// addEval is addHCL for what the evaluation of an expression gave: where a
// sensitive value took part, no more is told than can't be made of it.
func (l *loader) addEval(ds hcl.Diagnostics, expr hcl.Expression, ctx *hcl.EvalContext) {
	if ds.HasErrors() && touchesSensitive(expr, ctx) {
		for _, d := range ds {
			if !typesOnly[d.Summary] {
				d.Detail = "The reason is not shown, because it could tell a sensitive value that this expression uses."
			}
		}
	}
	l.addHCL(ds)
}

// addHCL takes over what HCL says, with the lines concerned and a remedy.
func (l *loader) addHCL(ds hcl.Diagnostics) {
	for _, d := range ds {
		out := diag.Diagnostic{Severity: diag.Error, Summary: strings.TrimSuffix(d.Summary, "."), Detail: d.Detail, Remedy: remedies[d.Summary], Node: l.node}
		if d.Severity == hcl.DiagWarning {
			out.Severity = diag.Warning
		}
		if out.Remedy == "" {
			out.Remedy = "Correct this expression."
		}
		if strings.HasPrefix(d.Summary, "Error in function call") || strings.HasPrefix(d.Summary, "Invalid function argument") {
			out.Remedy = "Give the function a value that it can work on, or try(…, default)."
		}
		if strings.Contains(d.Detail, errOutside.Error()) {
			out.Remedy = "Move or copy the file into the configuration's directory."
		}
		if d.Subject != nil {
			l.place(&out, *d.Subject)
		}
		l.diags = append(l.diags, out)
	}
}

func (l *loader) err(at hcl.Range, summary, detail, remedy string) {
	l.report(diag.Error, at, summary, detail, remedy)
}

func (l *loader) warn(at hcl.Range, summary, detail, remedy string) {
	l.report(diag.Warning, at, summary, detail, remedy)
}

func (l *loader) report(s diag.Severity, at hcl.Range, summary, detail, remedy string) {
	d := diag.Diagnostic{Severity: s, Summary: summary, Detail: detail, Remedy: remedy, Node: l.node}
	l.place(&d, at)
	l.diags = append(l.diags, d)
}

// errHidden is err for a place whose text must not be shown.
func (l *loader) errHidden(at hcl.Range, summary, detail, remedy string) {
	l.err(at, summary, detail, remedy)
	l.diags[len(l.diags)-1].Snippet = redacted
}

// errFile is an error about a file or directory as a whole.
func (l *loader) errFile(name, summary, detail, remedy string) {
	d := diag.Diagnostic{Severity: diag.Error, Summary: summary, Detail: detail, Remedy: remedy}
	if name != "" {
		start := diag.Pos{Line: 1, Column: 1}
		d.Subject = &diag.Range{Filename: name, Start: start, End: start}
	}
	l.diags = append(l.diags, d)
}

func (l *loader) place(d *diag.Diagnostic, at hcl.Range) {
	r := toRange(at)
	d.Subject = &r
	d.Snippet = snippet(l.src[at.Filename], r)
	if l.hidden[at.Filename] {
		d.Snippet = redacted
	}
}

func toRange(r hcl.Range) diag.Range {
	pos := func(p hcl.Pos) diag.Pos { return diag.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }
	return diag.Range{Filename: r.Filename, Start: pos(r.Start), End: pos(r.End)}
}

// place is a range in a sentence, as editors jump to it.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

const (
	snippetLines = 6
	snippetWidth = 200
)

// snippet cuts the lines of a range out of a file.
func snippet(src []byte, r diag.Range) string {
	if len(src) == 0 || r.Start.Line < 1 {
		return ""
	}
	lines := bytes.Split(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\n"))
	last := max(r.End.Line, r.Start.Line)
	if r.End.Column == 1 && last > r.Start.Line {
		last-- // the range ends with the newline of the line before
	}
	var out []string
	for n := r.Start.Line; n <= min(last, len(lines)); n++ {
		if len(out) == snippetLines {
			out = append(out, "…")
			break
		}
		out = append(out, shorten(string(bytes.TrimRight(lines[n-1], "\r"))))
	}
	return strings.Join(out, "\n")
}

func shorten(line string) string {
	if r := []rune(line); len(r) > snippetWidth {
		line = string(r[:snippetWidth]) + "…"
	}
	return printable(line)
}

// printable keeps what a terminal would act on out of a text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

// finish puts the diagnostics into their order, each once, and takes out what
// is known to be sensitive.
func (l *loader) finish() diag.Diagnostics {
	type key struct {
		at              diag.Range
		summary, detail string
	}
	seen := map[key]int{}
	var out diag.Diagnostics
	for _, d := range l.diags {
		d.Summary, d.Detail, d.Remedy = l.scrub(d.Summary), l.scrub(d.Detail), l.scrub(d.Remedy)
		d.Snippet = l.scrub(d.Snippet)
		k := key{summary: d.Summary, detail: d.Detail}
		if d.Subject != nil {
			k.at = *d.Subject
		}
		if i, again := seen[k]; again {
			if out[i].Node != d.Node {
				out[i].Node = "" // it holds for several instances of a node block
			}
			continue
		}
		seen[k] = len(out)
		out = append(out, d)
	}
	out.Sort()
	return out
}

// scrub is the second line of defence: the first is that no sensitive value is
// ever written into a diagnostic. Short values are left, for they would cut up
// sentences that have nothing to do with them.
func (l *loader) scrub(s string) string {
	for _, v := range l.secrets {
		if len(v) >= 8 && !l.shown[v] {
			s = strings.ReplaceAll(s, v, redacted)
		}
	}
	return printable(s)
}
