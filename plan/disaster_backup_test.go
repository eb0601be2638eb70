package plan_test

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// backup does what a step of a backup, or of what a cut run left, does on a host.
func (d *disaster) backup(p *plan.Plan, s plan.Step, i int) {
	h, k := &d.st.Hosts[i], &d.disks[i]
	if s.Kind == plan.Stop {
		if !k.up {
			d.complain("step %d stops %s, which is down", s.ID, s.Node)
		}
		h.Runs = append(h.Runs, state.HostRun{ID: fmt.Sprintf("%s-%06x", d.now.Format("20060102T150405Z"), s.ID), Cluster: p.Cluster, Backup: s.Backup,
			Repository: s.Repository, SwarmID: p.SwarmID, NodeID: h.SwarmDir.NodeID, Phase: state.PhaseStopped, StoppedAt: d.now})
		k.up, k.sealed = false, false
		return
	}
	j := len(h.Runs) - 1
	if s.Run != "" {
		j = slices.IndexFunc(h.Runs, func(r state.HostRun) bool { return r.ID == s.Run })
	}
	if j < 0 {
		d.complain("step %d (%s %s) is of a run that is not there", s.ID, s.Kind, s.Node)
		return
	}
	r := &h.Runs[j]
	switch s.Kind {
	case plan.Archive:
		if k.up {
			d.complain("step %d copies %s while it runs", s.ID, s.Node)
		}
		r.Phase, r.CopyIntact = state.PhaseCopied, true
	case plan.Start:
		k.up, k.sealed, r.StartedAt = true, h.SwarmDir.Locked, d.now
		if r.Phase == state.PhaseCopied {
			r.Phase = state.PhaseStarted
		}
	case plan.Unlock:
		k.sealed, r.UnlockedAt = false, d.now
		if len(d.live()) == 0 {
			d.complain("step %d unlocks without a quorum: the engine hangs", s.ID)
		}
	case plan.Verify:
		if !r.CopyIntact {
			d.complain("step %d verifies a torn copy", s.ID)
		}
		b := aged(0)
		b.ID, b.Backup, b.Node, b.NodeID, b.Address, b.TakenAt, b.UploadedAt, b.VerifiedAt = r.ID, s.Backup, s.Node, r.NodeID, h.Address, r.StoppedAt, d.now, d.now
		b.Epoch, b.ParentEpoch, b.Autolocked = k.log.epoch, d.swarm(k.log.epoch).parent, h.SwarmDir.Locked
		b.Raft = state.RaftReport{Term: 7, Index: k.log.index}
		d.store(s.Repository, b, d.swarm(k.log.epoch).nodes)
		h.Runs = slices.Delete(h.Runs, j, j+1)
	case plan.CleanUp:
		h.Runs = slices.Delete(h.Runs, j, j+1)
	}
}

// unfinished tells whether a cut backup is left on a host.
func (d *disaster) unfinished() bool {
	return slices.ContainsFunc(d.st.Hosts, func(h state.Host) bool { return len(h.Runs) > 0 })
}

// alone lets the hosts finish by themselves what cut backups have stopped: with their
// run, which was handed the unlock key, or where that was killed with their timer. A
// copy that was not whole by then never will be. It is false where there was nothing
// to start.
func (d *disaster) alone(run bool) bool {
	any := false
	for i := range d.st.Hosts {
		h, k := &d.st.Hosts[i], &d.disks[i]
		for j := range h.Runs {
			r := &h.Runs[j]
			if k.off || r.Phase == state.PhaseFailed || !r.UnlockedAt.IsZero() || !r.StartedAt.IsZero() && (!k.sealed || !run) {
				continue
			}
			any = true
			k.up, k.sealed, r.StartedAt = true, h.SwarmDir.Locked && !run, d.now
			switch {
			case run && h.SwarmDir.Locked:
				r.Phase, r.UnlockedAt, r.CopyIntact = state.PhaseUnlocked, d.now, true
			case run:
				r.Phase, r.CopyIntact = state.PhaseStarted, true
			case r.Phase == state.PhaseStopped:
				r.Phase = state.PhaseFailed
			}
		}
	}
	return any
}
