package apply

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// recoveryKinds are how the steps of recoveries are run. Their effects can be
// repeated, so that only what would take long or speak to a swarm has a probe.
var recoveryKinds = map[plan.Kind]kind{
	plan.Retain:     {act: retainVolumes},
	plan.Hold:       {guard: guardForce, act: holdEngine},
	plan.Fence:      {act: fenceManager},
	plan.Save:       {act: saveSurvivor},
	plan.Prepare:    {act: prepareDirectory},
	plan.Restore:    {act: swapDirectory},
	plan.Start:      {act: letStart, wait: waitLeader},
	plan.Unlock:     {act: unlockTogether, wait: waitLeader},
	plan.Init:       {probe: probeLeads, guard: guardForce, act: forceCluster, wait: waitForced},
	plan.UpdateNode: {act: takeOver},
	plan.RemoveNode: {act: removeEntry},
	plan.Await:      {wait: waitWorkers},

	plan.RotateJoinTokens: {act: rotateJoinTokens},
	plan.RotateUnlockKey:  {act: rotateUnlockKey, wait: waitResealed},
	plan.Check:            {act: runCheck},
	plan.Join:             {probe: probeJoined, act: joinSwarm, wait: waitJoined},
}

// kindOfStep is how a step is run.
func kindOfStep(s plan.Step) (kind, bool) {
	if s.DataRestore != nil {
		k, ok := dataRestoreKinds[s.Kind]
		return k, ok
	}
	if s.Recovery != "" {
		k, ok := recoveryKinds[s.Kind]
		return k, ok
	}
	if s.Shapes() {
		k, ok := shapeKinds[s.Kind]
		return k, ok
	}
	k, ok := kinds[s.Kind]
	return k, ok
}

// operation is what a port is told of the step, or of another node's part in it.
func (t *task) operation(node string) Operation {
	r := t.p.Recovery
	op := Operation{ID: r.ID, Cluster: t.p.Cluster, SwarmID: t.p.SwarmID, Node: node, Token: t.highestLock(),
		Source: r.Node, Address: r.Address, ListenAddr: r.ListenAddr, DataPathAddr: r.DataPathAddr, Autolock: r.Autolock,
		Repository: r.Repository, Backup: r.Backup, RaftIDs: r.RaftIDs, TermAbove: r.TermAbove,
		FreshIdentity: r.FreshIdentity, ToolVersion: t.req.ToolVersion}
	op.ReplacesLocked = r.Backup != "" && t.seen.Swarm != nil && t.seen.Swarm.Autolock
	op.Withheld = withheld(t.p)
	for _, u := range r.Unfenced {
		op.Unfenced = append(op.Unfenced, u.Address)
	}
	if node == t.s.Node {
		op.NodeID = t.s.NodeID
	}
	if j := t.s.Join; j != nil {
		op.Role, op.Keep, op.Labels, op.Availability = j.Role, j.Keep, j.Labels, j.Availability
	}
	op.Entry, op.Command = t.s.Entry, t.s.Command
	if to := t.s.KeyTo; to != nil {
		op.KeyTo = KeyTo{File: to.File, Repository: to.Repository, Command: to.Command}
	}
	if h := t.seen.Host(node); h != nil {
		op.Host = *h
		if op.NodeID == "" {
			op.NodeID = h.SwarmDir.NodeID
		}
	}
	return op
}

// operations are those of a step on several nodes.
func (t *task) operations() []Operation {
	list := []Operation{t.operation(t.s.Node)}
	for _, name := range t.s.With {
		list = append(list, t.operation(name))
	}
	return list
}

// highestLock is the run token: that of the lock which is held, or the highest that
// a host has seen where there is no repository to lock: then nothing tells two
// runs apart but the hosts' own locks (RQ126).
func (r *runner) highestLock() uint64 {
	highest := r.highestToken()
	for _, h := range r.locks {
		highest = max(highest, h.lock.Number())
	}
	return highest
}

// readyRecovery lets the ports find what the recovery needs before the first
// effect.
func (r *runner) readyRecovery(ctx context.Context) error {
	for _, s := range r.p.Steps {
		if s.Recovery == "" || r.j.progress.done(s.ID) || r.byStep[s.ID].met {
			continue
		}
		op := r.task(s).operation(s.Node)
		op.KeyTo, op.Saves = r.keyTo(), r.saves()
		if err := r.Recoverer.ReadyRecovery(ctx, op); err != nil {
			return notReady(s, err)
		}
		return nil
	}
	return nil
}

// keyTo is where a rotation that is still to come will deliver the key.
func (r *runner) keyTo() KeyTo {
	for _, s := range r.p.Steps {
		if s.KeyTo != nil && !r.j.progress.done(s.ID) {
			return r.task(s).operation(s.Node).KeyTo
		}
	}
	return KeyTo{}
}

// saves tells whether a safety copy is still to be stored.
func (r *runner) saves() bool {
	return slices.ContainsFunc(r.p.Steps, func(s plan.Step) bool { return s.Kind == plan.Save && !r.j.progress.done(s.ID) })
}

// acts runs an effect within the step's time and says where it failed.
func (t *task) acts(ctx context.Context, what string, act func(context.Context) error) error {
	call, cancel := t.within(ctx)
	defer cancel()
	err := act(call)
	if err == nil || ctx.Err() != nil {
		return err
	}
	var run *RunError
	if errors.As(err, &run) {
		return err
	}
	d, _ := diagnosticOf(err)
	detail := strings.TrimSpace(ended(d.Summary) + " " + ended(d.Detail))
	if detail == "" {
		detail = ended(err.Error())
	}
	remedy := d.Remedy
	if remedy == "" {
		remedy = "Mend what the message names, then run requeen apply again: it goes on from here."
	}
	if t.s.BringsBack() {
		remedy += t.leaveDown()
	}
	return stepError(t.s, d.Code, what+" failed"+on(t.name()), strings.TrimSpace(detail+" "+t.standing()), remedy, err)
}

// on says of which node, where there is one.
func on(name string) string {
	if name == "" {
		return ""
	}
	return " on " + name
}

// ended is a sentence with its full stop.
func ended(s string) string {
	if s == "" {
		return ""
	}
	return strings.TrimSuffix(s, ".") + "."
}

// standing says how the host is left when a step of a recovery fails.
func (t *task) standing() string {
	switch t.s.Kind {
	case plan.Prepare:
		if !t.heldAny(t.s.ID) {
			return "Nothing was stopped."
		}
		return stillThere
	case plan.Hold, plan.Save, plan.Restore, plan.Fence:
		return stillThere
	}
	return ""
}

const stillThere = "What was in use is still on the host; an engine that the recovery holds does not start until the recovery lets it."

// heldAny tells whether another step of the recovery was begun, or an earlier run
// holds a host: an engine may be down then.
func (r *runner) heldAny(but int) bool {
	for _, s := range r.p.Steps {
		if s.Recovery != "" && s.ID != but && r.j.progress.intended(s.ID) {
			return true
		}
	}
	for _, h := range r.seen.Hosts {
		if slices.ContainsFunc(h.Recoveries, func(r state.HostRecovery) bool { return r.Held }) {
			return true
		}
	}
	return false
}
