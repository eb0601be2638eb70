package effects

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/raftdir"
)

func TestPreparedTextCountsTheOthers(t *testing.T) {
	for n, want := range map[int]string{0: "; 0 others are on", 1: "; 1 other is on", 2: "; 2 others are on"} {
		op := apply.Operation{Node: "m1", Address: "10.0.0.11:2377"}
		done := raftdir.Prepared{OldAddress: op.Address, Removed: make([]string, n)}
		if have := preparedText(op, done); !strings.Contains(have, want+" the list of removed members") {
			t.Errorf("%d: %s", n, have)
		}
	}
}
