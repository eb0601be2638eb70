package apply

import (
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// TestServicesWaitForTheirOwnRestore: where a plan goes on with two restores that were
// cut, what services carry meanwhile names the backup that their own data come out of.
func TestServicesWaitForTheirOwnRestore(t *testing.T) {
	step := func(id, backup, name string, replace bool) plan.Step {
		return plan.Step{Kind: plan.RestoreVolume, Repository: "nas", DataRestore: &plan.DataRestore{ID: id, Backup: backup, Kind: state.DataVolume, Name: name, Replace: replace}}
	}
	p := &plan.Plan{Steps: []plan.Step{step("r1", "b1", "pg", true), step("r1", "b1", "etc", true), step("r2", "b2", "redis", false)}}
	for id, want := range map[string]string{"r1": "r1 b1 nas replace volume.etc,volume.pg", "r2": "r2 b2 nas fill volume.redis", "r3": ""} {
		if got := withheldLabel(p, id); got != want {
			t.Errorf("%s: %q", id, got)
		}
	}
}
