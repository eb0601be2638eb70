package main

import (
	"io"
	"strings"
	"testing"

	"github.com/requeen/requeen/plan"
)

// Nobody is asked where nobody can answer, or nobody is to be asked: the error says
// which, and how it is done without a question.
func TestNobodyIsAsked(t *testing.T) {
	p := &plan.Plan{Cluster: "prod", Steps: []plan.Step{{ID: 1, Kind: plan.Stop, Node: "m1", Risk: plan.Interrupts}}}
	s := &session{app: &app{in: strings.NewReader("yes\n"), out: io.Discard, err: io.Discard}}
	for questions, why := range map[bool]string{false: "-input=false says so", true: "not a terminal"} {
		f := applyFlags{configFlags: configFlags{questions: questions}}
		_, err := s.ask(f, p)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "-auto-approve") {
			t.Errorf("questions %t: %v", questions, err)
		}
		f.auto = true
		if _, err := s.ask(f, p); err != nil {
			t.Errorf("-auto-approve: %v", err)
		}
	}
}
