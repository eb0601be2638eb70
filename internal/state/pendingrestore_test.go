package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
)

func TestPendingRestore(t *testing.T) {
	p := state.PendingRestore{ID: "20260102T030405Z-abcdef", Backup: "20260101T030405Z-abcdef", Repository: "offsite", Replace: true, Sources: []string{"volume.b", "directory.a"}}
	got, ok := state.ParsePendingRestore(p.Value())
	p.Sources = []string{"directory.a", "volume.b"}
	if diff := cmp.Diff(p, got); !ok || diff != "" {
		t.Errorf("read again: %v (-want +got):\n%s", ok, diff)
	}
	for _, value := range []string{"", "a b c", "id backup repo perhaps volume.a", "id backup repo fill ", "id  repo fill volume.a"} {
		if _, ok := state.ParsePendingRestore(value); ok {
			t.Errorf("%q is taken", value)
		}
	}
}
