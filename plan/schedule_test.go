package plan_test

import (
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// scheduleStep builds and gives the one schedule step; nil where there is none.
func scheduleStep(t *testing.T, in plan.Input) *plan.Step {
	t.Helper()
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Steps {
		if p.Steps[i].Schedules() {
			return &p.Steps[i]
		}
	}
	return nil
}

// TestScheduleSettles: what a step has put there leaves nothing to do, and each thing
// that is not as it would be put now does.
func TestScheduleSettles(t *testing.T) {
	in := caseInput(t, "schedule-new")
	first := scheduleStep(t, in)
	if first == nil {
		t.Fatal("no step")
	}
	settled := func() *state.HostSchedule {
		in.State.Host("m1").Schedules = []state.HostSchedule{{Cluster: "prod", Backup: "state", Declared: first.Schedule.Declared, Version: "0.1.0", Timer: "active"}}
		return &in.State.Host("m1").Schedules[0]
	}
	settled()
	if s := scheduleStep(t, in); s != nil {
		t.Fatalf("it is there, and planned again: %s", s.Reason)
	}
	for name, spoil := range map[string]func(*state.HostSchedule){
		"damage":        func(s *state.HostSchedule) { s.Damage = "the timer's unit was changed" },
		"timer":         func(s *state.HostSchedule) { s.Timer = "inactive" },
		"version":       func(s *state.HostSchedule) { s.Version = "0.0.9" },
		"configuration": func(s *state.HostSchedule) { s.Declared = "other" },
		"values":        func(s *state.HostSchedule) { s.Stale = []string{"UNLOCK_KEY"} },
		"cluster":       func(s *state.HostSchedule) { s.Cluster = "test" },
	} {
		spoil(settled())
		if s := scheduleStep(t, in); s == nil || s.Kind != plan.PutSchedule {
			t.Errorf("%s: nothing is planned", name)
		}
	}
	settled()
	in.ToolVersion = "0.2.0"
	if scheduleStep(t, in) == nil {
		t.Error("a newer requeen plans nothing")
	}
}

// TestSchedulesStayOutOfPartialPlans: a schedule's own run plans its backup alone, and
// must not replace what runs it.
func TestSchedulesStayOutOfPartialPlans(t *testing.T) {
	in := caseInput(t, "schedule-and-due")
	in.Targets = []string{"backup.state"}
	if s := scheduleStep(t, in); s != nil {
		t.Errorf("planned: %+v", s)
	}
}
