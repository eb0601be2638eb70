package applytest

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// When a unit reaches its phases, counted from its launch, and how long a
// manager takes to be seen again.
const (
	stopTakes   = 1 * time.Second
	copyTakes   = 3 * time.Second
	startTakes  = 5 * time.Second
	unlockTakes = 8 * time.Second
	seenTakes   = 1 * time.Second
)

type host struct {
	name, nodeID, machine, address string

	leader    bool
	gaveUp    bool // the engine does not try its join again
	up        bool // the engine
	locked    bool
	seenAt    time.Time // a manager that is back is seen from then on
	token     uint64
	runs      map[string]*run
	oldRuns   int
	schedules []schedule
	disk
	part
}

// run is a detached unit: a little machine that moves with the clock.
type run struct {
	state.HostRun
	launched time.Time
	dieAfter state.Phase
	failCopy bool
	failLate bool
	broken   bool
	index    uint64
}

// advance lets every unit and timer do what it would have done by now.
func (w *World) advance() {
	now := w.Clock.Now()
	w.settleLeft()
	for _, h := range w.hosts {
		w.settleRole(h, now)
		for _, id := range h.order() {
			w.step(h, h.runs[id], now)
		}
	}
}

func (h *host) order() []string {
	var ids []string
	for id := range h.runs {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

func (w *World) step(h *host, r *run, now time.Time) {
	due := func(d time.Duration) bool { return r.UnitActive && !now.Before(r.launched.Add(d)) }
	reach := func(p state.Phase) {
		r.Phase = p
		if r.dieAfter == p {
			r.UnitActive = false
		}
	}
	if r.Phase == state.PhasePrepared && due(stopTakes) {
		w.stop(h)
		r.StoppedAt = r.launched.Add(stopTakes)
		r.index = w.Index
		reach(state.PhaseStopped)
	}
	if r.Phase == state.PhaseStopped && due(copyTakes) {
		if r.failCopy {
			r.Failure, r.Phase, r.UnitActive, r.TimerArmed = "cp: no space left on device", state.PhaseFailed, false, false
			r.StartedAt = r.launched.Add(copyTakes)
			w.startHost(h, r.StartedAt)
			return
		}
		r.CopyBytes, r.CopyIntact = 4096, !r.broken
		reach(state.PhaseCopied)
	}
	if r.Phase == state.PhaseCopied && due(startTakes) {
		w.startHost(h, r.launched.Add(startTakes))
		r.StartedAt, r.TimerArmed = r.launched.Add(startTakes), false
		if r.failLate {
			r.Failure, r.Phase, r.UnitActive = "the unlock failed", state.PhaseFailed, false
			return
		}
		reach(state.PhaseStarted)
		if !w.Autolock {
			r.UnitActive = false
		}
	}
	if r.Phase == state.PhaseStarted && w.Autolock && due(unlockTakes) {
		w.unlockHost(h, r.launched.Add(unlockTakes))
		r.Phase, r.UnlockedAt, r.UnitActive = state.PhaseUnlocked, r.launched.Add(unlockTakes), false
	}
	if r.TimerArmed && !r.UnitActive && !r.StoppedAt.IsZero() && !now.Before(r.StoppedAt.Add(w.DownMax)) {
		r.StartedAt = r.StoppedAt.Add(w.DownMax)
		w.startHost(h, r.StartedAt)
		r.TimerArmed = false
		r.Phase, r.Failure = state.PhaseFailed, "the unit ended before its time; the rescue timer started the engine"
	}
}

func (w *World) stop(h *host) {
	h.up = false
	w.stops++
	up, n := 0, len(w.epochs[h.epoch])
	for _, o := range w.hosts {
		if o.up && !o.locked && o.epoch == h.epoch {
			up++
		}
	}
	if n > 1 && up < n/2+1 {
		w.violate("%s was stopped and the quorum lost: %d of %d up", h.name, up, n)
	}
}

func (w *World) startHost(h *host, at time.Time) {
	if h.up {
		return
	}
	h.up, h.locked, h.forgot, h.seenAt = true, w.Autolock && !h.worker, false, at.Add(seenTakes)
}

func (w *World) unlockHost(h *host, at time.Time) {
	if h.locked {
		h.locked, h.seenAt = false, at.Add(seenTakes)
	}
}

// Ready finds the unlock key.
func (p *Process) Ready(_ context.Context, r apply.Run) error {
	return p.w.call("Ready", r.Node, func() error { return nil })
}

// BeginBackup launches a unit.
func (p *Process) BeginBackup(_ context.Context, r apply.Run) error {
	w := p.w
	return w.call("BeginBackup", r.Node, func() error {
		h := w.host(r.Node)
		if err := h.admit(r.Token); err != nil {
			return err
		}
		if h.machine != r.Host.MachineID {
			return diag.Diagnostic{Severity: diag.Error, Code: diag.WrongCluster, Summary: "another machine"}
		}
		if _, ok := h.runs[r.ID]; ok {
			return nil
		}
		if w.Clock.Now().Before(w.sealedAt) {
			w.violate("%s is stopped before its key is sealed with the one that its host is given", h.name)
		}
		f := &w.Faults
		h.runs[r.ID] = &run{launched: w.Clock.Now(), dieAfter: f.DieAfter, failCopy: f.FailCopy, failLate: f.FailStart, broken: f.NotIntact,
			HostRun: state.HostRun{ID: r.ID, Cluster: r.Cluster, Backup: r.Backup, Repository: r.Repository, SwarmID: r.SwarmID,
				NodeID: r.NodeID, Phase: state.PhasePrepared, UnitActive: f.DieAfter != state.PhasePrepared, TimerArmed: true}}
		f.DieAfter, f.FailCopy, f.FailStart, f.NotIntact = "", false, false, false
		return nil
	})
}

// admit refuses a token lower than the highest seen (safety rule 20).
func (h *host) admit(token uint64) error {
	if token < h.token {
		return diag.Diagnostic{Severity: diag.Error, Code: diag.RunTokenRefused,
			Summary: fmt.Sprintf("%s has seen run token %d, got %d", h.name, h.token, token)}
	}
	h.token = token
	return nil
}

// RunStatus tells a unit's phase.
func (p *Process) RunStatus(_ context.Context, node, id string) (st state.HostRun, found bool, err error) {
	err = p.w.call("RunStatus", node, func() error {
		if r, ok := p.w.host(node).runs[id]; ok {
			st, found = r.HostRun, true
		}
		return nil
	})
	return st, found, err
}

// StartEngine starts an engine.
func (p *Process) StartEngine(_ context.Context, r apply.Run) error {
	return p.w.call("StartEngine", r.Node, func() error {
		h := p.w.host(r.Node)
		if err := h.admit(r.Token); err != nil {
			return err
		}
		if h.machine != r.Host.MachineID {
			return fmt.Errorf("%s: it is another machine", h.name)
		}
		now := p.w.Clock.Now()
		switch {
		case r.Restart && !h.forgot && h.up:
			p.w.violate("the engine of %s is restarted, which takes part in its swarm", h.name)
		case r.Restart:
			h.up = false
		}
		p.w.startHost(h, now)
		for _, r := range h.runs {
			if r.UnitActive {
				return fmt.Errorf("%s: run %s is at work", h.name, r.ID)
			}
			if !r.StoppedAt.IsZero() && r.StartedAt.IsZero() {
				r.StartedAt, r.TimerArmed = now, false
				if r.Phase != state.PhaseFailed {
					r.Phase = state.PhaseStarted
				}
			}
		}
		return nil
	})
}

// Unlock unlocks a manager.
func (p *Process) Unlock(_ context.Context, r apply.Run) error {
	return p.w.call("Unlock", r.Node, func() error {
		h := p.w.host(r.Node)
		if !h.up {
			return fmt.Errorf("%s: the engine does not answer", h.name)
		}
		p.w.unlockHost(h, p.w.Clock.Now())
		return nil
	})
}

// Reachable tells whether a manager is back.
func (p *Process) Reachable(_ context.Context, node, nodeID string) (ok bool, seen string, err error) {
	err = p.w.call("Reachable", node, func() error {
		ok = p.w.host(node).reachable(p.w.Clock.Now())
		seen = "the leader sees " + node + " as a reachable manager"
		if p.w.Faults.NeverReady {
			ok, seen = false, "the leader sees "+node+" as down, its manager as reachable"
		}
		return nil
	})
	return ok, seen, err
}

func (h *host) reachable(now time.Time) bool {
	return h.up && !h.locked && !h.forgot && !h.off && h.raft && h.stateFile && !now.Before(h.seenAt)
}

// RemoveRun removes a run.
func (p *Process) RemoveRun(_ context.Context, node, id string, token uint64) error {
	return p.w.call("RemoveRun", node, func() error {
		h := p.w.host(node)
		if err := h.admit(token); err != nil {
			return err
		}
		if r, ok := h.runs[id]; ok && (r.UnitActive || !h.up) {
			p.w.violate("the run %s was removed from %s while it was needed", id, node)
		}
		delete(h.runs, id)
		return nil
	})
}

// KillUnits ends every unit at work, as the loss of a host's init would; the
// rescue timers stay.
func (w *World) KillUnits() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	for _, h := range w.hosts {
		for _, r := range h.runs {
			r.UnitActive = false
		}
	}
}
