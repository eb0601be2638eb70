package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/diag"
)

func TestDiagnosticsShowPlaceSnippetAndRemedy(t *testing.T) {
	var b strings.Builder
	Screen{Out: &b, Width: 60}.Diagnostics(diag.Diagnostics{
		{Severity: diag.Error, Summary: "Unknown attribute", Detail: "node blocks have no attribute \"adress\".", Remedy: "Did you mean \"address\"? It is the static address that the node advertises.",
			Subject: &diag.Range{Filename: "a.rq.hcl", Start: diag.Pos{Line: 7}}, Snippet: "  adress = 1\n"},
		{Severity: diag.Warning, Code: "RQ401", Summary: "An earlier run is unfinished", Node: "m2"},
	})
	want := `Error: Unknown attribute

  on a.rq.hcl:7:
     7 |   adress = 1

  node blocks have no attribute "adress".

  What to do: Did you mean "address"? It is the static
              address that the node advertises.

Warning: m2: An earlier run is unfinished [RQ401]

1 error, 1 warning
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}
