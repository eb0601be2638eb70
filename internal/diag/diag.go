package diag

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Severity tells a diagnostic that stops the run from one that does not.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Pos is a place in a source file; Line and Column start at 1, Byte at 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Range is a stretch of a source file, End exclusive.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// String gives file:line, the form that editors jump to.
func (r Range) String() string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// Diagnostic is one thing to tell the operator: what happened (Summary, a
// fixed sentence a kind), why it matters (Detail) and what to do next (Remedy).
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code,omitempty"` // an RQ code of the table in codes.go, or empty
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail,omitempty"`
	Remedy   string   `json:"remedy,omitempty"`
	Node     string   `json:"node,omitempty"`    // the node's name in the configuration, where it is about one
	Subject  *Range   `json:"subject,omitempty"` // where in the configuration, where it is about that
	Snippet  string   `json:"snippet,omitempty"` // the source line or lines of Subject, without line numbers
}

// Error makes a Diagnostic an error of one line or more.
func (d Diagnostic) Error() string {
	var b strings.Builder
	if d.Subject != nil {
		fmt.Fprintf(&b, "%s: ", d.Subject)
	}
	if d.Node != "" && !strings.Contains(d.Summary, d.Node) {
		fmt.Fprintf(&b, "%s: ", d.Node)
	}
	b.WriteString(d.Summary)
	if d.Detail != "" {
		b.WriteString(": " + d.Detail)
	}
	if d.Remedy != "" {
		b.WriteString(" (" + d.Remedy + ")")
	}
	return b.String()
}

// Diagnostics is a list in the order in which it is to be shown. As an error it
// is all of them, a line each.
type Diagnostics []Diagnostic

// Error joins the diagnostics, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// HasErrors tells whether any of them is an error.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Err is ds as an error if it has one, else nil.
func (ds Diagnostics) Err() error {
	if ds.HasErrors() {
		return ds
	}
	return nil
}

// Sort orders by file, line, column and summary, so that equal mistakes are
// told in the same order in every run; those without a place come last.
func (ds Diagnostics) Sort() {
	sort.SliceStable(ds, func(i, j int) bool {
		a, b := ds[i], ds[j]
		if (a.Subject == nil) != (b.Subject == nil) {
			return a.Subject != nil
		}
		if a.Subject != nil && *a.Subject != *b.Subject {
			if a.Subject.Filename != b.Subject.Filename {
				return a.Subject.Filename < b.Subject.Filename
			}
			return a.Subject.Start.Byte < b.Subject.Start.Byte
		}
		return a.Summary < b.Summary
	})
}

// From finds the diagnostics in an error, or makes one of its text.
func From(err error) Diagnostics {
	if err == nil {
		return nil
	}
	var ds Diagnostics
	if errors.As(err, &ds) {
		return ds
	}
	var d Diagnostic
	if errors.As(err, &d) {
		return Diagnostics{d}
	}
	return Diagnostics{{Severity: Error, Summary: err.Error()}}
}
