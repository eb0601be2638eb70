package applytest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// ChangeSwarm gives the swarm its settings.
func (p *Process) ChangeSwarm(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.through("ChangeSwarm", s, true, func() error {
		if on := s.Settings.Autolock; on != nil && *on != w.Autolock {
			w.Autolock = *on
			if *on {
				w.key, w.sealedAt = w.key+1, w.Clock.Now().Add(resealTakes)
			}
			if *on && s.KeyTo != (apply.KeyTo{}) {
				w.keyFor = s.ID
			}
		}
		take(&w.settings.TaskHistoryLimit, s.Settings.TaskHistoryLimit)
		take(&w.settings.CertExpiry, s.Settings.CertExpiry)
		take(&w.settings.SnapshotInterval, s.Settings.SnapshotInterval)
		take(&w.settings.LogEntriesForSlowFollowers, s.Settings.LogEntriesForSlowFollowers)
		take(&w.settings.HeartbeatTick, s.Settings.HeartbeatTick)
		take(&w.settings.ElectionTick, s.Settings.ElectionTick)
		take(&w.settings.DispatcherHeartbeat, s.Settings.DispatcherHeartbeat)
		return nil
	})
}

func take[T any](value, wanted *T) {
	if wanted != nil {
		*value = *wanted
	}
}

func is[T comparable](value T, wanted *T) bool { return wanted == nil || *wanted == value }

// SwarmHas tells whether it has them.
func (p *Process) SwarmHas(_ context.Context, s apply.Shape) (has bool, err error) {
	w := p.w
	err = p.through("SwarmHas", s, false, func() error {
		v, want := w.settings, s.Settings
		has = is(w.Autolock, want.Autolock) && is(v.TaskHistoryLimit, want.TaskHistoryLimit) && is(v.CertExpiry, want.CertExpiry) &&
			is(v.SnapshotInterval, want.SnapshotInterval) && is(v.LogEntriesForSlowFollowers, want.LogEntriesForSlowFollowers) &&
			is(v.HeartbeatTick, want.HeartbeatTick) && is(v.ElectionTick, want.ElectionTick) && is(v.DispatcherHeartbeat, want.DispatcherHeartbeat)
		if s.KeyTo != (apply.KeyTo{}) && w.keyFor == s.ID {
			has = has && w.key == w.delivered
		}
		return nil
	})
	return has, err
}

// DeliverKey keeps which key was delivered.
func (p *Process) DeliverKey(_ context.Context, s apply.Shape) (string, error) {
	err := p.through("DeliverKey", s, false, func() error {
		if p.w.Faults.Undelivered {
			return errors.New("the key's place can't be written")
		}
		p.w.delivered = p.w.key
		return nil
	})
	return "the new key is in its place", err
}

// Sealed tells whether the managers had time to seal their keys.
func (p *Process) Sealed(_ context.Context, s apply.Shape, hosts []state.Host) (all bool, seen string, err error) {
	err = p.through("Sealed", s, false, func() error {
		all, seen = len(hosts) > 0 && !p.w.Clock.Now().Before(p.w.sealedAt), "every key is sealed"
		return nil
	})
	return all, seen, err
}

// ForceService updates a service with force.
func (p *Process) ForceService(_ context.Context, s apply.Shape) error {
	w := p.w
	return p.through("ForceService", s, true, func() error {
		v := w.services[s.Service]
		switch {
		case v == nil:
			return &apply.NoServiceError{Service: s.Service}
		case s.Mark == "":
			return errors.New("no mark was given")
		case len(v.marks) > 0 && v.marks[len(v.marks)-1] == s.Mark:
			return nil
		case slices.Contains(v.marks, s.Mark):
			w.violate("%s is updated with force twice for %s", s.Service, s.Mark)
		}
		for name, o := range w.services {
			if w.Clock.Now().Before(o.convergesAt) {
				w.violate("%s is updated while %s is", s.Service, name)
			}
		}
		v.marks, v.convergesAt, v.stopped = append(v.marks, s.Mark), w.Clock.Now().Add(forceTakes), w.Faults.UpdateStops
		return nil
	})
}

// Converged tells whether its update is over.
func (p *Process) Converged(_ context.Context, s apply.Shape) (converged bool, seen string, err error) {
	w := p.w
	err = p.through("Converged", s, false, func() error {
		v := w.services[s.Service]
		switch {
		case v == nil:
			return &apply.NoServiceError{Service: s.Service}
		case len(v.marks) == 0 || v.marks[len(v.marks)-1] != s.Mark:
			return nil
		case v.stopped != "":
			return &apply.UpdateStoppedError{Service: s.Service, State: v.stopped, Text: "a task did not start"}
		}
		converged, seen = !w.Clock.Now().Before(v.convergesAt), fmt.Sprintf("%s runs anew", s.Service)
		return nil
	})
	return converged, seen, err
}
