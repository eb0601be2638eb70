package view

import (
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

// Diagnostics writes each diagnostic with its place, snippet and remedy, and
// ends with their number where there is more than one.
func (s Screen) Diagnostics(ds diag.Diagnostics) {
	errors, warnings := 0, 0
	for _, d := range ds {
		s.diagnostic(d)
		if d.Severity == diag.Warning {
			warnings++
		} else {
			errors++
		}
	}
	if errors+warnings < 2 {
		return
	}
	var parts []string
	if errors > 0 {
		parts = append(parts, count(errors, "error", "errors"))
	}
	if warnings > 0 {
		parts = append(parts, count(warnings, "warning", "warnings"))
	}
	s.printf("%s\n", strings.Join(parts, ", "))
}

func (s Screen) diagnostic(d diag.Diagnostic) {
	word := s.paint(red, "Error:")
	if d.Severity == diag.Warning {
		word = s.paint(yellow, "Warning:")
	}
	summary := d.Summary
	if d.Node != "" && !strings.Contains(summary, d.Node) {
		summary = d.Node + ": " + summary
	}
	if d.Code != "" {
		summary += " [" + d.Code + "]"
	}
	if s.Compact && d.Severity == diag.Warning {
		if d.Subject != nil {
			summary += " (" + d.Subject.String() + ")"
		}
		s.printf("%s %s\n", word, summary)
		return
	}
	s.printf("%s %s\n", word, s.paint(bold, summary))
	if d.Subject != nil {
		s.printf("\n  on %s:\n", d.Subject)
		s.snippet(d)
	}
	if d.Detail != "" {
		s.printf("\n")
		s.paragraph("  ", d.Detail)
	}
	if d.Remedy != "" {
		s.printf("\n")
		s.labelled("  ", "What to do:", d.Remedy)
	}
	s.printf("\n")
}

func (s Screen) snippet(d diag.Diagnostic) {
	if d.Snippet == "" {
		return
	}
	for i, line := range strings.Split(strings.TrimRight(d.Snippet, "\n"), "\n") {
		s.printf("  %4d | %s\n", d.Subject.Start.Line+i, line)
	}
}
