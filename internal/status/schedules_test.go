package status_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/status"
)

// A schedule on a host that is not declared any more needs a hand, with what to type.
func TestStraySchedule(t *testing.T) {
	r := judged(t, "schedule-stray", nil)
	var told []status.Finding
	for _, f := range r.Findings {
		if f.Code == diag.ScheduleStray {
			told = append(told, f)
		}
	}
	if len(told) != 1 || told[0].Severity != status.NeedsHand || told[0].Node != "m9" || !strings.Contains(told[0].Remedy, "systemctl disable --now requeen-schedule-") {
		t.Errorf("found %+v", r.Findings)
	}
}
