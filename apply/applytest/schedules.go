package applytest

import (
	"context"
	"errors"
	"slices"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.Scheduler = (*Process)(nil)

// schedule is one on a host.
type schedule struct{ backup, declared, version string }

// Scheduling is what goes wrong with schedules.
type Scheduling struct {
	NotAtHand bool // a value that a schedule needs is not there
}

// ReadySchedule is apply.Scheduler's.
func (p *Process) ReadySchedule(_ context.Context, s apply.ScheduleAt) error {
	return p.w.call("ReadySchedule", s.Node, func() error {
		if p.w.Scheduling.NotAtHand {
			return errors.New("AWS_SECRET_ACCESS_KEY is not set")
		}
		return nil
	})
}

// PutSchedule is apply.Scheduler's.
func (p *Process) PutSchedule(_ context.Context, s apply.ScheduleAt) error {
	return p.w.call("PutSchedule", s.Node, func() error {
		h := p.w.host(s.Node)
		if err := h.admit(s.Token); err != nil {
			return err
		}
		p.w.unschedule(h, s.Backup)
		h.schedules = append(h.schedules, schedule{s.Backup, s.Declared, s.Version})
		return nil
	})
}

// TakeSchedule is apply.Scheduler's.
func (p *Process) TakeSchedule(_ context.Context, s apply.ScheduleAt) error {
	return p.w.call("TakeSchedule", s.Node, func() error {
		h := p.w.host(s.Node)
		if err := h.admit(s.Token); err != nil {
			return err
		}
		p.w.unschedule(h, s.Backup)
		return nil
	})
}

func (w *World) unschedule(h *host, backup string) {
	h.schedules = slices.DeleteFunc(h.schedules, func(s schedule) bool { return s.backup == backup })
}

// seenSchedules are a host's schedules as a look tells them.
func seenSchedules(h *host) []state.HostSchedule {
	var list []state.HostSchedule
	for _, s := range h.schedules {
		list = append(list, state.HostSchedule{Cluster: ClusterName, Backup: s.backup, Declared: s.declared, Version: s.version, Timer: "active"})
	}
	return list
}
