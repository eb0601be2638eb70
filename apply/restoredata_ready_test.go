package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// TestDataThatIsNotReady: who can't be made ready for a restore is told in its words, and
// that nothing was stopped.
func TestDataThatIsNotReady(t *testing.T) {
	s := plan.Step{ID: 3, Node: "w1", DataRestore: &plan.DataRestore{Kind: "volume", Name: "pg"}}
	for _, tt := range []struct {
		err              error
		code, word, next string
	}{
		{errors.New("w1: /srv is a mount point"), "", "/srv is a mount point", "-exclude=volume.pg"},
		{&DataUsedError{Node: "w1", Source: "volume.pg", Containers: []string{"psql"}, Strangers: []string{"psql"}}, diag.DataUsed, "psql", ""},
		{diag.Diagnostic{Code: diag.DataUnfit, Summary: "of another driver", Remedy: "unpack it yourself"}, diag.DataUnfit, "No service was stopped", "unpack it yourself"},
	} {
		var run *RunError
		if !errors.As(dataNotReady(s, tt.err), &run) {
			t.Fatalf("%v is no error of the run", tt.err)
		}
		if d := run.Diag; d.Code != tt.code || d.Node != "w1" || !strings.Contains(d.Detail, tt.word) || !strings.HasSuffix(". "+d.Detail, ". No service was stopped for it.") || !strings.Contains(d.Remedy, tt.next) || d.Remedy == "" {
			t.Errorf("%v is told as %+v", tt.err, d)
		}
	}
}
