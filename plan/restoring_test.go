package plan_test

import (
	"slices"
	"testing"

	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// A backup that a plan which was saved here restores is pruned by none, and takes no
// other's place.
func TestPruneKeepsWhatIsToBeRestored(t *testing.T) {
	in, p := pruned(t, 6, schema.Keep{Last: 2})
	asked := p.Steps[0].Prune.Remove[0].ID
	in.Here.Restoring = []string{asked}
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	list := p.Steps[0].Prune
	named := func(j plan.Judged) bool { return j.ID == asked }
	if slices.ContainsFunc(list.Remove, named) || !slices.ContainsFunc(list.Keep, named) || len(list.Remove) != 3 {
		t.Errorf("removed are %v", list.Remove)
	}
}
