package status_test

import (
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/schema"
)

// Where the keys lie without which no backup opens is told, and only where it is so
// (safety rule 24).
func TestKeys(t *testing.T) {
	locked := func(in *status.Input) { in.State.Swarm.Autolock, in.State.Swarm.UnlockKeyKnown = true, true }
	for name, c := range map[string]struct {
		change func(*status.Input)
		code   string
		told   bool
	}{
		"the identity is elsewhere": {nil, diag.IdentityOnNode, false},
		"the identity is on a node": {func(in *status.Input) { in.Here.IdentityOn = map[string]string{"local": "m1"} }, diag.IdentityOnNode, true},
		"not auto-locked":           {nil, diag.UnlockKeyNowhere, false},
		"the live managers' alone":  {locked, diag.UnlockKeyNowhere, true},
		"the key is configured": {func(in *status.Input) {
			locked(in)
			in.Config.Cluster.UnlockKey = schema.NewSecret("SWMKEY-1-x")
		}, diag.UnlockKeyNowhere, false},
		"every backup has it beside": {func(in *status.Input) {
			locked(in)
			for i := range in.Config.Backups {
				in.Config.Backups[i].KeyEscrow = true
			}
			for i := range in.State.Repositories {
				for k := range in.State.Repositories[i].Backups {
					b := &in.State.Repositories[i].Backups[k]
					b.Stored = append(b.Stored, state.StoredObject{Name: "unlock-key.tar.zst.age", Size: 1})
				}
			}
		}, diag.UnlockKeyNowhere, false},
	} {
		told := false
		for _, f := range judged(t, "fresh", c.change).Findings {
			told = told || f.Code == c.code
		}
		if told != c.told {
			t.Errorf("%s: %s is told: %v", name, c.code, told)
		}
	}
}
