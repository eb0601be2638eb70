package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// How long the steps of a recovery may take, their waits included.
const (
	holdTimeout    = 180 * time.Second
	saveTimeout    = 1800 * time.Second
	prepareTimeout = 1800 * time.Second
	restoreTimeout = 120 * time.Second
	initTimeout    = 120 * time.Second
	joinTimeout    = 180 * time.Second
	nodeTimeout    = 120 * time.Second // two managers may need 45 s and more to elect a leader
	keyTimeout     = 180 * time.Second
	checkTimeout   = 300 * time.Second
)

// recover takes the lowest rung of the ladder that brings a swarm back that has
// no leader, and says why the lower ones do not.
func (p *planner) recover() {
	if p.w.usable() || p.mended() || len(p.busy) > 0 {
		return
	}
	before := len(p.plan.Unmet)
	defer func() { p.judged = len(p.plan.Unmet) > before }()
	switch p.w.cond.Name {
	case Foreign, Forked, Split:
		return
	case Unknown:
		if !p.w.onlyOutOfReach() {
			if !p.restoreCut() {
				p.silent()
			}
			return
		}
	}
	if p.rungStart() {
		return
	}
	if !p.lostForGood() {
		return
	}
	list, one := p.ofNewestEpoch(p.survivors())
	if !one {
		return
	}
	if len(list) == 0 {
		p.rungRestore()
		return
	}
	p.rungForce(list)
}

// begin opens the plan's recovery. Its ID is made of what the plan is made of,
// so that equal inputs give equal plans.
func (p *planner) begin(rung Rung, node string) *Recovery {
	sum := sha256.Sum256([]byte(p.plan.Cluster + "\x00" + p.plan.SwarmID + "\x00" + p.plan.ConfigSHA256 + "\x00" +
		string(rung) + "\x00" + node + "\x00" + p.plan.PlannedAt.Format(time.RFC3339Nano)))
	r := &Recovery{Rung: rung, Node: node,
		ID: p.plan.PlannedAt.Format("20060102T150405Z") + "-" + hex.EncodeToString(sum[:3])}
	if id := p.w.unfinished(); id != "" {
		r.ID = id // what it has done on the hosts is gone on with, not done twice
	}
	p.plan.Recovery, p.sim.rung = r, rung
	return r
}

// allowed tells whether the configuration lets a recovery take a rung. Where it
// says nothing, engines are started and managers unlocked, and no more.
func (w *world) allowed(word string) bool {
	if w.rules().Allow == nil {
		return word == schema.AllowStart || word == schema.AllowUnlock
	}
	return slices.Contains(w.rules().Allow, word)
}

func (p *planner) goalLeader() string {
	return fmt.Sprintf("the cluster %q answers with a leader", p.w.cfg.Cluster.Name)
}

// forbidden says that a rung would serve and is not allowed.
func (p *planner) forbidden(word, what string) {
	p.unmet(Unmet{Code: diag.NotAllowed, Goal: p.goalLeader(),
		Reason: sentence(fmt.Sprintf("%s; recovery.allow does not have %q", what, word)),
		Remedy: fmt.Sprintf("Add %q to recovery { allow } and have that reviewed, then plan again.", word)})
}

// step appends a step of the recovery.
func (p *planner) step(n *node, kind Kind, risk Risk, timeout time.Duration, format string, args ...any) *Step {
	id := p.add(n, Step{Kind: kind, Recovery: p.plan.Recovery.ID, Risk: risk, TimeoutSeconds: seconds(timeout),
		Reason: sentence(fmt.Sprintf(format, args...))})
	return &p.plan.Steps[id-1]
}

// members is how many managers the swarm has, as the furthest log tells, else
// as they are declared.
func (w *world) members() int {
	if best := w.furthest(); best != nil && len(best.host.SwarmDir.Raft.Members) > 0 {
		return len(best.host.SwarmDir.Raft.Members)
	}
	return len(w.managers())
}

// unfinished is the recovery that was cut before its new cluster was made, ""
// where there is none.
func (w *world) unfinished() string {
	over, begun := map[string]bool{}, map[string]bool{}
	for _, n := range w.nodes {
		for _, r := range n.host.Recoveries {
			if r.Cluster != w.cfg.Cluster.Name {
				continue
			}
			begun[r.ID] = true
			over[r.ID] = over[r.ID] || r.Phase == state.RecoveryLifted && livedOn(n, r.ID)
		}
	}
	newest := ""
	for id := range begun {
		if !over[id] {
			newest = max(newest, id)
		}
	}
	return newest
}

// livedOn tells whether a host that a recovery let go shows that the new cluster
// was made: docker-state.json says that it is in a swarm again; a log of another
// epoch or of several members was written since; and what lacks a part, or is
// gone, was lost since, for an engine is let go on a whole directory only.
func livedOn(n *node, id string) bool {
	d := n.host.SwarmDir
	if d.HasStateFile || d.Presence == state.Absent || missing(n) != "" {
		return true
	}
	return d.Raft != nil && (d.Raft.Epoch != id || len(d.Raft.Members) > 1)
}

// phase is how far a recovery has come on a host, "" where it has not been.
func (n *node) phase(id string) state.RecoveryPhase {
	for _, r := range n.host.Recoveries {
		if r.ID == id {
			return r.Phase
		}
	}
	return ""
}

// rules are the recovery block's, empty where there is none.
func (w *world) rules() schema.Recovery {
	if w.cfg.Recovery == nil {
		return schema.Recovery{}
	}
	return *w.cfg.Recovery
}
