package applytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// onHost runs an effect on a host, which must be there and has to admit the run.
func (p *Process) onHost(port string, op apply.Operation, f func(*host) error) error {
	return p.w.call(port, op.Node, func() error {
		h := p.w.host(op.Node)
		if h.off {
			return fmt.Errorf("%s: connection timed out", op.Node)
		}
		if h.machine != op.Host.MachineID {
			return fmt.Errorf("%s: it is another machine", op.Node)
		}
		if err := h.admit(op.Token); err != nil {
			return err
		}
		return f(h)
	})
}

func (h *host) recovery(id string) *state.HostRecovery {
	for i := range h.recoveries {
		if h.recoveries[i].ID == id {
			return &h.recoveries[i]
		}
	}
	return nil
}

func (h *host) open(op apply.Operation) (*state.HostRecovery, error) {
	if h.held != "" && h.held != op.ID {
		return nil, fmt.Errorf("%s: recovery %s holds the engine", h.name, h.held)
	}
	if h.recovery(op.ID) == nil {
		h.recoveries = append(h.recoveries, state.HostRecovery{ID: op.ID, Cluster: op.Cluster, Phase: state.RecoveryBegun})
	}
	r := h.recovery(op.ID)
	if r.Phase == state.RecoveryLifted {
		return nil, fmt.Errorf("%s: recovery %s is over on this host", h.name, op.ID)
	}
	return r, nil
}

func (h *host) hold(op apply.Operation) (*state.HostRecovery, error) {
	r, err := h.open(op)
	if err != nil {
		return nil, err
	}
	h.held, h.up, h.locked, r.Held = op.ID, false, false, true
	if r.Phase == state.RecoveryBegun {
		r.Phase = state.RecoveryHeld
	}
	return r, nil
}

// ReadyRecovery finds what is needed.
func (p *Process) ReadyRecovery(_ context.Context, op apply.Operation) error {
	return p.w.call("ReadyRecovery", op.Node, func() error { return nil })
}

// Retain notes which volumes are held.
func (p *Process) Retain(_ context.Context, op apply.Operation, container string, volumes []string) (held string, err error) {
	err = p.onHost("Retain", op, func(h *host) error {
		if !h.up {
			return fmt.Errorf("%s: the engine does not run", op.Node)
		}
		held = "requeen-" + op.ID + "-" + container
		return nil
	})
	return held, err
}

// Hold holds an engine.
func (p *Process) Hold(_ context.Context, op apply.Operation) error {
	return p.onHost("Hold", op, func(h *host) error {
		_, err := h.hold(op)
		return err
	})
}

// Fence holds an engine and sets its raft state aside.
func (p *Process) Fence(_ context.Context, op apply.Operation) (aside string, err error) {
	err = p.onHost("Fence", op, func(h *host) error {
		r, err := h.hold(op)
		if err != nil {
			return err
		}
		h.raft, h.stateFile = false, false
		r.Phase, r.Aside = state.RecoveryFenced, "/var/lib/docker/swarm.requeen-"+op.ID
		aside = r.Aside
		return nil
	})
	return aside, err
}

// Save stores a safety copy.
func (p *Process) Save(_ context.Context, op apply.Operation, progress func(apply.StoreProgress)) (b state.Backup, err error) {
	progress(apply.StoreProgress{Stage: apply.StageStore})
	err = p.onHost("Save", op, func(h *host) error {
		if h.held != op.ID {
			p.w.violate("%s is copied while it is not held", h.name)
		}
		now := p.w.Clock.Now()
		b = state.Backup{ID: now.Format("20060102T150405Z") + "-5afe00", FormatVersion: 1, Kind: state.KindSafety, Cluster: op.Cluster, SwarmID: SwarmID, Epoch: h.epoch,
			Node: h.name, NodeID: h.nodeID, Address: h.address, TakenAt: now, UploadedAt: now, Verified: "raft", VerifiedAt: now, Raft: *p.w.log(h)}
		p.w.repos[op.Repository].backups[b.ID] = b
		return nil
	})
	return b, err
}

// Prepare lays a prepared directory beside.
func (p *Process) Prepare(_ context.Context, op apply.Operation, progress func(apply.StoreProgress)) (seen string, err error) {
	progress(apply.StoreProgress{Stage: "prove"})
	err = p.onHost("Prepare", op, func(h *host) error {
		if op.Backup == "" && h.held != op.ID {
			p.w.violate("%s is read while it is not held", h.name)
		}
		if op.Backup != "" {
			if _, ok := p.w.repos[op.Repository].backups[op.Backup]; !ok {
				return fmt.Errorf("backup %s is not there any more", op.Backup)
			}
		}
		progress(apply.StoreProgress{Stage: apply.StageStore})
		r, err := h.open(op)
		if err != nil {
			return err
		}
		if r.Phase != state.RecoverySwapped {
			h.staged, r.Staged, r.Phase = op.ID, "/var/lib/docker/swarm.requeen-"+op.ID+".new", state.RecoveryStaged
		}
		if p.prepared == nil {
			p.prepared = map[string]bool{}
		}
		p.prepared[op.ID] = true
		return nil
	})
	return op.Node + " is the sole member", err
}

// Swap puts a prepared directory in place.
func (p *Process) Swap(_ context.Context, op apply.Operation) (aside string, err error) {
	w := p.w
	err = p.onHost("Swap", op, func(h *host) error {
		r := h.recovery(op.ID)
		if r == nil || h.held != op.ID || h.staged != op.ID && r.Phase != state.RecoverySwapped {
			return fmt.Errorf("%s: nothing is staged, or it is not held", h.name)
		}
		aside = "/var/lib/docker/swarm.requeen-" + op.ID
		if r.Phase == state.RecoverySwapped {
			return nil
		}
		if op.Backup != "" {
			h.nodeID = w.repos[op.Repository].backups[op.Backup].NodeID
		}
		h.staged, h.epoch, h.certificates, h.raft, h.stateFile = "", op.ID, true, true, false
		r.Staged, r.Phase, r.Aside = "", state.RecoverySwapped, aside
		return nil
	})
	return aside, err
}

func (h *host) lift(w *World, op apply.Operation) error {
	r := h.recovery(op.ID)
	switch {
	case h.held == "" && h.up && (r == nil || r.Phase == state.RecoveryLifted):
		return nil
	case r == nil:
		return fmt.Errorf("%s: recovery %s has not begun on this host", h.name, op.ID)
	case h.held != "" && h.held != op.ID:
		return fmt.Errorf("%s: recovery %s holds the engine", h.name, h.held)
	}
	h.held, h.up, r.Held, r.Phase = "", true, false, state.RecoveryLifted
	h.locked = w.Autolock && h.raft && h.stateFile
	return nil
}

// named says on which of several hosts something failed.
func named(op apply.Operation, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op.Node, err)
}

// newest is the epoch that was opened last.
func (w *World) newest() string {
	last := ""
	for e := range w.epochs {
		last = max(last, e)
	}
	return last
}

// Lift lets an engine start.
func (p *Process) Lift(_ context.Context, op apply.Operation) error {
	return p.onHost("Lift", op, func(h *host) error { return h.lift(p.w, op) })
}

// StartEngines starts engines.
func (p *Process) StartEngines(_ context.Context, ops []apply.Operation) error {
	var errs []error
	for _, op := range ops {
		errs = append(errs, named(op, p.onHost("StartEngines", op, func(h *host) error {
			if h.held != "" {
				return h.lift(p.w, op)
			}
			p.w.startHost(h, p.w.Clock.Now())
			return nil
		})))
	}
	return errors.Join(errs...)
}

// UnlockEngines unlocks managers that are a quorum together.
func (p *Process) UnlockEngines(_ context.Context, ops []apply.Operation) error {
	var errs []error
	for _, op := range ops {
		errs = append(errs, named(op, p.onHost("UnlockEngines", op, func(h *host) error {
			p.w.unlockHost(h, p.w.Clock.Now())
			return nil
		})))
	}
	return errors.Join(errs...)
}

// Answering probes.
func (p *Process) Answering(_ context.Context, op apply.Operation) (answers []string, err error) {
	err = p.w.call("Answering", op.Node, func() error {
		for _, a := range op.Unfenced {
			if slices.Contains(p.w.Faults.Answers, a) {
				answers = append(answers, a)
			}
		}
		return nil
	})
	return answers, err
}

// Force makes the new cluster. Whoever else runs in an old one is evicted by it.
func (p *Process) Force(_ context.Context, op apply.Operation) error {
	w := p.w
	return w.call("Force", op.Node, func() error {
		h := w.host(op.Node)
		switch {
		case !h.up || h.epoch != op.ID:
			return fmt.Errorf("%s: the engine does not answer", h.name)
		case h.stateFile:
			return nil
		}
		for _, o := range w.hosts {
			if o != h && o.epoch != op.ID && o.reachable(w.Clock.Now()) {
				w.violate("%s is forced while %s runs", h.name, o.name)
			}
		}
		w.epochs[op.ID] = []string{h.nodeID}
		h.stateFile, h.seenAt = true, w.Clock.Now().Add(seenTakes)
		return nil
	})
}

// Leads tells who leads.
func (p *Process) Leads(_ context.Context, op apply.Operation) (leads bool, seen string, err error) {
	err = p.w.call("Leads", op.Node, func() error {
		h := p.w.host(op.Node)
		if !h.up || h.off {
			return fmt.Errorf("%s: the engine does not answer", h.name)
		}
		for _, n := range p.w.nodes() {
			if n.Leader && h.reachable(p.w.Clock.Now()) {
				leads, seen = n.ID == h.nodeID, op.Node+" says that "+n.Hostname+" leads"
			}
		}
		return nil
	})
	return leads, seen, err
}

func (w *World) nodes() []state.SwarmNode {
	if sw := w.swarm(); sw != nil {
		return sw.Nodes
	}
	return nil
}

// Missing compares with what this process has prepared.
func (p *Process) Missing(_ context.Context, op apply.Operation) (missing string, compared bool, err error) {
	err = p.w.call("Missing", op.Node, func() error { return nil })
	return p.w.Faults.Lacks, p.prepared[op.ID], err
}

// JoinSwarm joins a host.
func (p *Process) JoinSwarm(_ context.Context, op apply.Operation) error {
	w := p.w
	return p.onHost("JoinSwarm", op, func(h *host) error {
		epoch, _, live := w.live()
		switch {
		case h.up && h.raft && h.stateFile && slices.Contains(w.epochs[h.epoch], h.nodeID) && h.epoch == w.newest():
			return nil // it goes on in the background
		case !live:
			return errors.New("no manager gives its tokens")
		case h.raft || h.stateFile:
			w.violate("%s joins with old raft state in place", h.name)
		}
		if err := h.lift(w, op); err != nil {
			return err
		}
		if h.gaveUp = w.Faults.JoinsGivenUp > 0; h.gaveUp {
			w.Faults.JoinsGivenUp--
			return nil // the engine says later that it got no certificate
		}
		if !op.Keep {
			h.nodeID = fmt.Sprintf("anew%s", h.name[1:])
		}
		h.certificates, h.raft, h.stateFile, h.locked, h.epoch, h.seenAt = true, true, true, false, epoch, w.Clock.Now().Add(2*time.Second)
		if !slices.Contains(w.epochs[epoch], h.nodeID) {
			w.epochs[epoch] = append(w.epochs[epoch], h.nodeID)
		}
		return nil
	})
}

// Joined tells whether a node is a reachable manager.
func (p *Process) Joined(_ context.Context, op apply.Operation) (joined bool, seen string, err error) {
	err = p.w.call("Joined", op.Node, func() error {
		epoch, _, live := p.w.live()
		h := p.w.host(op.Node)
		if h.gaveUp {
			return &apply.NotJoinedError{Node: op.Node, Text: "The swarm does not have a leader"}
		}
		joined = live && h.epoch == epoch && h.reachable(p.w.Clock.Now())
		seen = op.Source + " sees " + op.Node
		return nil
	})
	return joined, seen, err
}

// NotReady names the hosts that are not in the swarm that answers.
func (p *Process) NotReady(_ context.Context, ops []apply.Operation) (names []string, err error) {
	err = p.w.call("NotReady", ops[0].Source, func() error {
		epoch, _, live := p.w.live()
		for _, op := range ops {
			if h := p.w.host(op.Node); !live || h.epoch != epoch || !h.reachable(p.w.Clock.Now()) {
				names = append(names, op.Node)
			}
		}
		return nil
	})
	return names, err
}

// TakeOver puts labels back.
func (p *Process) TakeOver(_ context.Context, op apply.Operation) error {
	return p.w.call("TakeOver", op.Node, p.w.asksLeader)
}

// RotateJoinTokens makes the tokens anew.
func (p *Process) RotateJoinTokens(_ context.Context, op apply.Operation) error {
	return p.w.call("RotateJoinTokens", op.Node, p.w.asksLeader)
}

// RemoveEntry removes an old entry.
func (p *Process) RemoveEntry(_ context.Context, op apply.Operation) error {
	return p.w.call("RemoveEntry", op.Node, func() error {
		if err := p.w.asksLeader(); err != nil {
			return err
		}
		for _, h := range p.w.hosts {
			if h.nodeID == op.Entry && h.reachable(p.w.Clock.Now()) {
				p.w.violate("the entry of %s, which is in the swarm, is removed", h.name)
			}
		}
		return nil
	})
}

// asksLeader is what a call finds that only a leader carries out.
func (w *World) asksLeader() error {
	if w.Faults.NoLeader > 0 {
		w.Faults.NoLeader--
		return fmt.Errorf("%w: the swarm has no leader", apply.ErrNoManager)
	}
	return nil
}
