package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/plan"
)

// A plan without steps never says that steps were done, and names what it does not reach.
func TestNothing(t *testing.T) {
	var b bytes.Buffer
	s := Screen{Out: &b}
	s.Nothing(&plan.Plan{})
	if got := b.String(); !strings.HasPrefix(got, "Nothing to do: ") {
		t.Errorf("got %q", got)
	}
	b.Reset()
	s.Nothing(&plan.Plan{Unmet: []plan.Unmet{{Code: "RQ209", Goal: "a backup", Reason: "No leader.", Remedy: "Bring it back."}}})
	if got := b.String(); !strings.HasPrefix(got, "Nothing was done: ") || !strings.Contains(got, "RQ209 a backup") || !strings.Contains(got, "Bring it back.") {
		t.Errorf("got %q", got)
	}
}

// A plan that replaces data says until when it may be begun, on a screen and in a review.
func TestExpiresIsTold(t *testing.T) {
	at := time.Date(2025, 3, 10, 4, 0, 0, 0, time.UTC)
	p := &plan.Plan{Cluster: "prod", Expires: at, Steps: []plan.Step{{ID: 1, Kind: plan.RestoreVolume, Node: "w1", Risk: plan.Destructive}}}
	var b bytes.Buffer
	Screen{Out: &b}.Plan(p, "sha256:00")
	if !strings.Contains(b.String(), "may be begun until 2025-03-10 04:00:00 UTC, and once") {
		t.Errorf("got %q", b.String())
	}
	if got := (Review{Plan: p}).expires(); got != "It may be begun until 2025-03-10 04:00:00 UTC, and once." {
		t.Errorf("got %q", got)
	}
}
