package view_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
)

// -compact-warnings: a hazard takes a line, but for what must be approved: that is
// read in full before it is approved.
func TestCompactHazards(t *testing.T) {
	var b bytes.Buffer
	view.Screen{Out: &b, Width: 60, Compact: true}.Plan(reviewed(t, "force", "RQ120").Plan, "sha256:0")
	text := b.String()
	for _, want := range []string{"  RQ120 (step 6) needs approval\n      m2 alone becomes the swarm.", "  RQ103 (step 12) No further manager may fail meanwhile\n\nSummary:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Run five managers") {
		t.Error("the remedy of a hazard that needs no approval is shown")
	}
}

// The same for warnings; errors stay whole.
func TestCompactWarnings(t *testing.T) {
	var b bytes.Buffer
	view.Screen{Out: &b, Width: 60, Compact: true}.Diagnostics(diag.Diagnostics{
		{Severity: diag.Warning, Code: "RQ401", Summary: "An earlier run is unfinished", Node: "m2", Detail: "Its journal is there.", Remedy: "Apply."},
		{Severity: diag.Warning, Summary: "Old", Subject: &diag.Range{Filename: "a.rq.hcl", Start: diag.Pos{Line: 7}}},
		{Severity: diag.Error, Summary: "No", Detail: "Why.", Remedy: "Do."},
	})
	want := "Warning: m2: An earlier run is unfinished [RQ401]\nWarning: Old (a.rq.hcl:7)\nError: No\n\n  Why.\n\n  What to do: Do.\n\n1 error, 2 warnings\n"
	if b.String() != want {
		t.Errorf("have\n%s, want\n%s", b.String(), want)
	}
}
