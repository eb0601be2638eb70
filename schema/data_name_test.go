package schema

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestDataNames: a label that a host could take for what a restore unpacks is refused
// before there is a backup of it that could not be restored.
func TestDataNames(t *testing.T) {
	for name, good := range map[string]bool{"new": true, "part": true, "a.b": true, "news": true, "apart.x": true,
		"a.new": false, "part.x": false, "a.part.x": false} {
		l := &loader{}
		if got := l.goodDataName(name, hcl.Range{}); got != good || (len(l.diags) == 0) != good {
			t.Errorf("%s: %v", name, got)
		}
	}
}
