package status_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/status"
)

// Each repository of a block with copies is told, and one that lacks the newest backup,
// or can't be looked at, needs a hand.
func TestCopies(t *testing.T) {
	for name, c := range map[string]struct {
		copies  []status.Copy
		due     bool
		finding string
	}{
		"copies-fresh":   {[]status.Copy{{Repository: "local", Looked: true, Holds: true, Stored: 1}, {Repository: "nas", Looked: true, Holds: true, Stored: 1}}, false, ""},
		"copies-missing": {[]status.Copy{{Repository: "local", Looked: true, Holds: true, Stored: 1}, {Repository: "nas", Looked: true}}, true, "it is in local, and not in nas"},
		"copies-one-down": {[]status.Copy{{Repository: "local", Looked: true, Holds: true, Stored: 1}, {Repository: "nas"}}, true,
			"Repository nas can't be used"},
	} {
		r := judged(t, name, nil)
		if len(r.Backups) != 1 || len(r.Backups[0].Copies) != 2 {
			t.Fatalf("%s: %+v", name, r.Backups)
		}
		b := r.Backups[0]
		if b.Copies[0] != c.copies[0] || b.Copies[1] != c.copies[1] || b.Due != c.due {
			t.Errorf("%s: %+v, due %v", name, b.Copies, b.Due)
		}
		found := c.finding == ""
		for _, f := range r.Findings {
			found = found || strings.Contains(f.Text, c.finding)
		}
		if !found {
			t.Errorf("%s: no finding says %q: %+v", name, c.finding, r.Findings)
		}
	}
}
