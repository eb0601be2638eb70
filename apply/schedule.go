package apply

import (
	"context"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// scheduleKind puts a schedule on its host. What is to be seen afterwards is that it is
// there, whole, and that its timer runs.
var scheduleKind = kind{
	probe: isScheduled,
	guard: guardSchedule,
	act: func(ctx context.Context, t *task) error {
		return t.schedules(ctx, "The schedule of "+t.s.Schedule.Backup+" could not be put on "+t.s.Node, Scheduler.PutSchedule)
	},
	wait: func(ctx context.Context, t *task) (string, error) {
		return t.awaitSchedule(ctx, "the timer of "+t.s.Schedule.Backup+" runs on "+t.s.Node, isScheduled)
	},
}

// awaitSchedule looks until it is as the step was to make it.
func (t *task) awaitSchedule(ctx context.Context, what string, look func(context.Context, *task) (bool, string, error)) (seen string, err error) {
	err = t.poll(ctx, what, func(ctx context.Context) (done bool, err error) {
		done, seen, err = look(ctx, t)
		return done, err
	})
	return seen, err
}

// scheduleThere is the step's schedule as its host has it; nil where it has none.
func (t *task) scheduleThere(ctx context.Context) (*state.HostSchedule, error) {
	if err := t.look(ctx); err != nil {
		return nil, err
	}
	h := t.seen.Host(t.s.Node)
	if h == nil || h.Looked != state.Present {
		return nil, fmt.Errorf("%s can't be looked at", t.s.Node)
	}
	for i := range h.Schedules {
		if s := &h.Schedules[i]; s.Cluster == t.p.Cluster && s.Backup == t.s.Schedule.Backup {
			return s, nil
		}
	}
	return nil, nil
}

func isScheduled(ctx context.Context, t *task) (bool, string, error) {
	s, err := t.scheduleThere(ctx)
	done := err == nil && s != nil && s.Declared == t.s.Schedule.Declared && s.Damage == "" && s.Timer == "active" && len(s.Stale) == 0
	return done, "the timer of " + t.s.Schedule.Backup + " runs on " + t.s.Node, err
}

// guardSchedule refuses another machine than was planned for: keys are put there.
func guardSchedule(ctx context.Context, t *task) error {
	err := t.poll(ctx, t.s.Node+" can be looked at", func(ctx context.Context) (bool, error) {
		_, err := t.scheduleThere(ctx)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	if list := t.otherMachine(); len(list) > 0 {
		return t.stale(list)
	}
	return t.stillHolds(ctx)
}

// schedules has the effect. An error of a lost connection may come after it was had: so
// the step is begun again by the next apply, which sees what is there.
func (t *task) schedules(ctx context.Context, what string, act func(Scheduler, context.Context, ScheduleAt) error) error {
	call, cancel := t.within(ctx)
	defer cancel()
	err := act(t.Scheduler, call, t.scheduleAt())
	if err == nil || ctx.Err() != nil {
		return err
	}
	return stepError(t.s, codeOf(err, diag.HostUnreachable), what, ended(err.Error()),
		"Mend what the message names, then run requeen apply again: it goes on from here.", err)
}

// scheduleAt is what a port is told of the step.
func (t *task) scheduleAt() ScheduleAt {
	d := t.s.Schedule
	s := ScheduleAt{Cluster: t.p.Cluster, Backup: d.Backup, Repository: t.s.Repository, Node: t.s.Node, At: d.At, TimeZone: d.TimeZone,
		EverySeconds: d.EverySeconds, FreshSeconds: d.FreshSeconds, Exported: d.Exported, Textfile: d.Textfile, Declared: d.Declared,
		Version: t.req.ToolVersion, Token: t.token(t.s.Repository)}
	if h := t.seen.Host(t.s.Node); h != nil {
		s.Host = *h
	}
	return s
}

// readySchedules lets the port find what schedules need before the first effect.
func (r *runner) readySchedules(ctx context.Context) error {
	for _, s := range r.p.Steps {
		if s.Kind != plan.PutSchedule || r.j.progress.done(s.ID) {
			continue
		}
		if err := r.Scheduler.ReadySchedule(ctx, r.task(s).scheduleAt()); err != nil {
			return stepError(s, codeOf(err, diag.ScheduleUnplaced), "What the schedule on "+s.Node+" needs is not at hand",
				ended(err.Error())+" No step was begun.", "Mend what the message names, then run requeen apply again.", err)
		}
	}
	return nil
}

// scheduleSequence refuses a step that does not say what it is to do.
func scheduleSequence(s plan.Step) (*sequence, error) {
	if s.Schedule == nil || s.Schedule.Backup == "" || s.Node == "" {
		return nil, fmt.Errorf("step %d (%s) does not say which schedule on which node it is for", s.ID, s.Kind)
	}
	return &sequence{steps: []plan.Step{s}}, nil
}
