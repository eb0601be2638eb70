package apply

import "context"

// unscheduleKind takes a schedule away from its host. A run of it that is under way has
// no lock, since this one has it, and ends before its files go.
var unscheduleKind = kind{
	probe: isUnscheduled,
	guard: guardSchedule,
	act: func(ctx context.Context, t *task) error {
		return t.schedules(ctx, "The schedule of "+t.s.Schedule.Backup+" could not be taken from "+t.s.Node, Scheduler.TakeSchedule)
	},
	wait: func(ctx context.Context, t *task) (string, error) {
		return t.awaitSchedule(ctx, "the schedule of "+t.s.Schedule.Backup+" is gone from "+t.s.Node, isUnscheduled)
	},
}

func isUnscheduled(ctx context.Context, t *task) (bool, string, error) {
	s, err := t.scheduleThere(ctx)
	return err == nil && s == nil, "no schedule of " + t.s.Schedule.Backup + " is on " + t.s.Node, err
}
