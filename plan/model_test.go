package plan_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// model is a small world in which plans run: hosts and repositories as they
// are, and the swarm that shows itself where a quorum is up.
type model struct {
	cfg   *schema.Config
	st    state.State
	swarm state.Swarm
	now   time.Time
	plans []string // what was planned so far, for what is told of a failure
	// late tells that a repository held backups of which none counts: what of them no
	// rule keeps goes by a plan of its own, once one that counts is there.
	late bool
	parts
}

func newModel(cfg *schema.Config, st *state.State) *model {
	m := &model{cfg: cfg, st: copied(st), swarm: *st.Swarm, now: st.ObservedAt}
	for _, r := range st.Repositories {
		for _, block := range cfg.Backups {
			list := slices.DeleteFunc(slices.Clone(r.Backups), func(b state.Backup) bool { return b.Backup != block.Name })
			m.late = m.late || len(list) > 0 && !slices.ContainsFunc(list, func(b state.Backup) bool { return b.Problem == nil && b.SwarmID == swarmID })
		}
	}
	return m
}

func copied(st *state.State) (c state.State) {
	data, err := json.Marshal(st)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		panic(err)
	}
	return c
}

// fataler is a test, rapid's or testing's.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// observe is what a look at the model gives.
func (m *model) observe() *state.State {
	st := copied(&m.st)
	st.ObservedAt = m.now
	swarm := m.swarm
	swarm.Nodes, swarm.Services = slices.Clone(m.swarm.Nodes), slices.Clone(m.swarm.Services)
	up, voters := 0, 0
	for i := range swarm.Nodes {
		n := &swarm.Nodes[i]
		if n.Role != "manager" {
			continue
		}
		voters++
		if h := hostOf(&st, n.ID); h != nil && h.Looked == state.Present && h.Engine.LocalNodeState != "active" {
			n.Reachability, n.Status = "unreachable", "down"
		}
		if n.Reachability == "reachable" {
			up++
		}
	}
	st.Swarm = &swarm
	if up < voters/2+1 {
		st.Swarm, st.SwarmProblem = nil, &state.Problem{Text: "no manager answers"}
	}
	return &st
}

func hostOf(st *state.State, id string) *state.Host {
	for i := range st.Hosts {
		if st.Hosts[i].SwarmDir.NodeID == id {
			return &st.Hosts[i]
		}
	}
	return nil
}

func (m *model) plan(t fataler, backup bool) *plan.Plan {
	t.Helper()
	st := m.observe()
	p, err := plan.Build(plan.Input{Config: m.cfg, State: st, Now: m.now, ToolVersion: "test", Backup: backup})
	if err != nil {
		t.Fatalf("%v\n%s", err, must(json.MarshalIndent(st, "", " ")))
	}
	m.plans = append(m.plans, p.Summary)
	return p
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// run does the first steps of a plan, all of them if n is negative. A cut run
// leaves what it did; its unit is dead.
func (m *model) run(p *plan.Plan, n int) {
	m.begin()
	for i, s := range p.Steps {
		if i == n {
			return
		}
		m.now = m.now.Add(5 * time.Second)
		m.step(p, s)
	}
}

func (m *model) step(p *plan.Plan, s plan.Step) {
	if s.Kind == plan.PruneBackups {
		repo := m.st.Repository(s.Repository)
		repo.Backups = slices.DeleteFunc(repo.Backups, func(b state.Backup) bool {
			return slices.ContainsFunc(s.Prune.Remove, func(j plan.Judged) bool { return j.ID == b.ID })
		})
		return
	}
	if m.partStep(p, s) {
		return
	}
	h := m.st.Host(s.Node)
	if h.SwarmDir.NodeID != s.NodeID {
		panic(fmt.Sprintf("step %d is for node %s, %s is %s", s.ID, s.NodeID, s.Node, h.SwarmDir.NodeID))
	}
	if s.BringsBack() {
		m.comeBack(s, h)
		return
	}
	run := s.Run
	if s.Kind == plan.Stop {
		run = fmt.Sprintf("%s-%06x", m.now.Format("20060102T150405Z"), s.ID)
		h.Runs = append(h.Runs, state.HostRun{ID: run, Cluster: p.Cluster, Backup: s.Backup, Repository: s.Repository, SwarmID: p.SwarmID,
			NodeID: s.NodeID, Phase: state.PhaseStopped, StoppedAt: m.now})
		h.Service.ActiveState = "inactive"
		h.Engine = state.Engine{Answered: state.Absent}
		return
	}
	if run == "" {
		run = h.Runs[len(h.Runs)-1].ID
	}
	r := &h.Runs[slices.IndexFunc(h.Runs, func(r state.HostRun) bool { return r.ID == run })]
	switch s.Kind {
	case plan.Archive:
		r.Phase, r.CopyIntact = state.PhaseCopied, true
	case plan.Start:
		r.StartedAt = m.now
		if r.Phase == state.PhaseCopied {
			r.Phase = state.PhaseStarted
		}
		h.Service.ActiveState = "active"
		h.Engine = state.Engine{Answered: state.Present, LocalNodeState: "locked"}
		if !h.SwarmDir.Locked {
			m.activate(h)
		}
	case plan.Unlock:
		r.UnlockedAt = m.now
		m.activate(h)
	case plan.Verify:
		m.store(p, s, r)
		fallthrough
	case plan.CleanUp:
		h.Runs = slices.DeleteFunc(h.Runs, func(r state.HostRun) bool { return r.ID == run })
	}
}

// comeBack starts an engine that no run has stopped, or unlocks one.
func (m *model) comeBack(s plan.Step, h *state.Host) {
	h.Service.ActiveState = "active"
	h.Engine = state.Engine{Answered: state.Present, LocalNodeState: "locked"}
	if s.Kind == plan.Unlock || !h.SwarmDir.Locked {
		m.activate(h)
	}
}

func (m *model) activate(h *state.Host) {
	h.Engine = state.Engine{Answered: state.Present, LocalNodeState: "active", ControlAvailable: true, NodeID: h.SwarmDir.NodeID, ClusterID: m.swarm.ID}
}

func (m *model) store(p *plan.Plan, s plan.Step, r *state.HostRun) {
	if !r.CopyIntact {
		panic("a torn copy is verified")
	}
	repo := m.st.Repository(s.Repository)
	repo.Backups = append([]state.Backup{m.holding(state.Backup{ID: r.ID, Kind: state.KindRegular, Cluster: p.Cluster, Backup: s.Backup, SwarmID: p.SwarmID,
		Epoch: m.swarm.Epoch, TakenAt: r.StoppedAt, UploadedAt: m.now, Verified: "raft", VerifiedAt: m.now, Recipients: []string{"age1"}})}, repo.Backups...)
}

// settled tells what is not as it should be at the end: "" if all is.
func (m *model) settled() string {
	for _, h := range m.st.Hosts {
		if len(h.Runs) > 0 {
			return "a run is left on " + h.Name
		}
		if h.Looked == state.Present && h.SwarmDir.Role == "manager" && h.Engine.LocalNodeState != "active" {
			return h.Name + " is left down or locked"
		}
	}
	for _, b := range m.cfg.Backups {
		list := m.st.Repository(b.Repository).Backups
		if !slices.ContainsFunc(list, func(have state.Backup) bool { return have.Backup == b.Name && m.now.Sub(have.TakenAt) < b.MaxAge }) {
			return "backup " + b.Name + " is not fresh"
		}
	}
	return m.partsSettled()
}
