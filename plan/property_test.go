package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
	"github.com/requeen/requeen/schema"
)

// literal is the configuration of observed(managers) as Go data.
func literal(managers int, blocks ...string) *schema.Config {
	cfg := &schema.Config{SHA256: "00", Cluster: schema.Cluster{Name: "prod"}}
	for i := 1; i <= managers; i++ {
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: fmt.Sprintf("m%d", i), Address: fmt.Sprintf("10.0.0.1%d", i), Role: schema.RoleManager})
	}
	cfg.Nodes = append(cfg.Nodes, schema.Node{Name: "w1", Address: "10.0.0.21", Role: schema.RoleWorker})
	cfg.Repositories = []schema.Repository{{Name: "local", URL: "file:///srv/backups", Recipients: []string{"age1"}}}
	for _, name := range blocks {
		cfg.Backups = append(cfg.Backups, schema.Backup{Name: name, Repository: "local", MaxAge: 24 * time.Hour, From: schema.FromFollower, Consistency: schema.ConsistencyStopped})
	}
	return cfg
}

// drawWild makes any observation, coherent or not.
func drawWild(t *rapid.T) plan.Input {
	n := rapid.IntRange(1, 5).Draw(t, "managers")
	declared := rapid.IntRange(1, n).Draw(t, "declared")
	cfg, st := literal(declared, "state", "weekly"), observed(n)
	for i := range cfg.Backups {
		cfg.Backups[i].From = rapid.SampledFrom([]string{"follower", "follower", "m1", "m2", "nobody"}).Draw(t, "from")
	}
	cfg.Backups[0].Keep = drawKeep(t)
	cfg.Nodes[0].Connection.Become = rapid.SampledFrom([]string{"", "sudo"}).Draw(t, "become")
	if rapid.Bool().Draw(t, "autolock") {
		autolock(st)
		st.Swarm.UnlockKeyKnown = rapid.Bool().Draw(t, "key known")
	}
	if rapid.Bool().Draw(t, "key configured") {
		cfg.Cluster.UnlockKey = schema.NewSecret("SWMKEY")
	}
	for i := 1; i <= n; i++ {
		harm(t, st, fmt.Sprintf("m%d", i))
	}
	st.Hosts = append(st.Hosts[:declared], st.Hosts[n:]...)
	for range rapid.IntRange(0, 3).Draw(t, "backups") {
		b := drawBackup(t)
		b.ID += fmt.Sprint(len(st.Repositories[0].Backups)) // a repository has an ID once
		st.Repositories[0].Backups = append(st.Repositories[0].Backups, b)
	}
	if rapid.IntRange(0, 7).Draw(t, "no swarm") == 0 {
		silent(st, "nobody answers")
	}
	in := plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test", Backup: rapid.Bool().Draw(t, "asked")}
	if rapid.Bool().Draw(t, "one helper") {
		in.HelperSystems = []string{"linux/amd64"}
	}
	drawParts(t, &in)
	return in
}

// drawKeep draws how many backups stay, most often all.
func drawKeep(t *rapid.T) *schema.Keep {
	if rapid.IntRange(0, 2).Draw(t, "keep") > 0 {
		return nil
	}
	return &schema.Keep{Last: rapid.IntRange(1, 3).Draw(t, "last"), Daily: rapid.IntRange(0, 2).Draw(t, "daily")}
}

// harm changes a manager in some ways, most often in none.
func harm(t *rapid.T, st *state.State, name string) {
	h, m := st.Host(name), member(st, name)
	m.RunningTasks = rapid.IntRange(0, 3).Draw(t, "tasks")
	m.Availability = rapid.SampledFrom([]string{"active", "drain"}).Draw(t, "availability")
	harms := []func(){
		func() { lose(st, name) },
		func() { down(st, name) },
		func() { locked(st, name) },
		func() { drop(st, name) },
		func() { m.Leader = !m.Leader },
		func() { m.Reachability = "" },
		func() { m.Role = "worker" },
		func() { h.SwarmDir.FreeBytes = 1 },
		func() { h.SwarmDir.HasRaft = false },
		func() { h.SwarmDir = state.SwarmDir{} },
		func() { h.SwarmDir = state.SwarmDir{Presence: state.Absent} },
		func() { h.SwarmDir.NodeID = "another" },
		func() { h.Engine.NodeID = idOf("m1") },
		func() { h.MachineID = "machine-m1" },
		func() { abroad(st, name) },
		func() { h.ClockSkew = time.Hour },
		func() { h.System = "linux/arm64" },
		func() { h.Engine.LocalNodeState = "inactive" },
		func() { h.Engine.LocalNodeState = "error" },
		func() { h.Service.ActiveState = "activating" },
		func() { h.Engine.LiveRestore = true },
		func() { m.ID = "anew-" + name },
		func() { m.ManagerAddr, m.Addr = "10.0.0.11:2377", "10.0.0.11" },
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "harms") {
		harms[rapid.IntRange(0, len(harms)-1).Draw(t, "harm")]()
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "runs") {
		h.Runs = append(h.Runs, drawRun(t, name))
	}
}

func drawRun(t *rapid.T, name string) state.HostRun {
	r := cutRun(time.Duration(rapid.IntRange(0, 30).Draw(t, "run's age")) * time.Hour)
	r.ID += name + fmt.Sprint(rapid.IntRange(0, 99999).Draw(t, "run"))
	r.NodeID = idOf(name)
	r.Phase = rapid.SampledFrom([]state.Phase{state.PhasePrepared, state.PhaseStopped, state.PhaseCopied, state.PhaseStarted, state.PhaseUnlocked, state.PhaseFailed}).Draw(t, "phase")
	r.CopyIntact = rapid.Bool().Draw(t, "intact")
	r.UnitActive = rapid.IntRange(0, 5).Draw(t, "unit") == 0
	r.TimerArmed = rapid.Bool().Draw(t, "timer")
	r.Backup = rapid.SampledFrom([]string{"state", "weekly", "gone"}).Draw(t, "run's backup")
	if rapid.Bool().Draw(t, "not started") {
		r.StartedAt = time.Time{}
	}
	return r
}

func drawBackup(t *rapid.T) state.Backup {
	b := aged(time.Duration(rapid.IntRange(-3, 48).Draw(t, "age")) * time.Hour)
	b.Backup = rapid.SampledFrom([]string{"state", "weekly"}).Draw(t, "block")
	switch rapid.IntRange(0, 8).Draw(t, "fault") {
	case 0:
		b.Suspect = []string{"few objects"}
	case 1:
		b.Problem = &state.Problem{Text: "gone"}
	case 2:
		b.Epoch = "later"
	case 3:
		b.Kind = state.KindSafety
	}
	return b
}

// TestEveryPlanKeepsTheRules builds from anything that can be observed.
func TestEveryPlanKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawWild(t)
		in.NoLock = rapid.Bool().Draw(t, "no lock")
		before := must(json.Marshal(in.State))
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Steps {
			if in.NoLock && s.Writes() {
				t.Fatalf("without the lock: %s %s", s.Kind, s.Node)
			}
		}
		if !bytes.Equal(before, must(json.Marshal(in.State))) {
			t.Fatal("Build changed the observation")
		}
		document, digest, err := planfile.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if second, _, _ := planfile.Encode(again); !bytes.Equal(document, second) {
			t.Fatal("the same input gave other bytes")
		}
		if back, same, err := planfile.Decode(document); err != nil || same != digest {
			t.Fatalf("the document does not come back: %v", err)
		} else if second, _, _ := planfile.Encode(back); !bytes.Equal(document, second) {
			t.Fatal("the document is not what it was after a round trip")
		}
		rules(t, in, p)
	})
}

// rules checks a plan against what was observed, apart from the planner's own
// simulation.
func rules(t *rapid.T, in plan.Input, p *plan.Plan) {
	var stopped *plan.Step
	back, adopted := false, map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		if stopped != nil && (s.Node != stopped.Node || s.Backup != stopped.Backup) {
			t.Fatalf("step %d comes between the stop of %s and its verify", s.ID, stopped.Node)
		}
		switch s.Kind {
		case plan.Stop:
			if adopted[s.Backup] {
				t.Fatalf("step %d stops a manager for backup %s, which a cut run's copy meets", s.ID, s.Backup)
			}
			stopped, back = s, false
			mayStop(t, in, *s)
		case plan.Start:
			back = (in.State.Swarm == nil || !in.State.Swarm.Autolock) && !in.State.Host(s.Node).SwarmDir.Locked
		case plan.Unlock:
			back = true
		case plan.Verify:
			if stopped != nil && !back {
				t.Fatalf("%s is verified before it is back", s.Node)
			}
			stopped = nil
			adopted[s.Backup] = s.Run != ""
		}
		if s.Reason == "" || s.TimeoutSeconds <= 0 || s.Risk == "" {
			t.Fatalf("step %d lacks its reason, time-out or risk", s.ID)
		}
	}
	if stopped != nil {
		t.Fatalf("the stop of %s is never followed by a verify", stopped.Node)
	}
	for _, u := range p.Unmet {
		if u.Code == "" || u.Goal == "" || u.Reason == "" || u.Remedy == "" {
			t.Fatalf("an unmet goal is not whole: %+v", u)
		}
	}
	partRules(t, in, p)
}

func mayStop(t *rapid.T, in plan.Input, s plan.Step) {
	voters, up, leads := 0, 0, false
	for _, n := range in.State.Swarm.Nodes {
		if n.Reachability != "" || n.Leader || n.ManagerAddr != "" {
			voters++
			leads = leads || n.Leader && n.ID == s.NodeID
		}
		if n.Reachability == "reachable" {
			up++
		}
	}
	if leads && voters > 1 {
		t.Fatalf("step %d stops the leader of %d", s.ID, voters)
	}
	if s.Margin.Spare < 0 && voters > 1 {
		t.Fatalf("step %d loses the quorum: %+v", s.ID, s.Margin)
	}
	if h := in.State.Host(s.Node); h.SwarmDir.NodeID != s.NodeID || !h.SwarmDir.Complete() {
		t.Fatalf("step %d stops a host whose directory is not whole or not its own", s.ID)
	}
}

// drawTame makes a coherent world in which a backup is due.
func drawTame(t *rapid.T) *model {
	n := rapid.SampledFrom([]int{1, 3, 3, 5}).Draw(t, "managers")
	blocks := rapid.SampledFrom([][]string{{"state"}, {"state", "weekly"}}).Draw(t, "blocks")
	cfg, st := literal(n, blocks...), observed(n)
	for i := 1; i <= n; i++ {
		member(st, fmt.Sprintf("m%d", i)).RunningTasks = rapid.IntRange(0, 3).Draw(t, "tasks")
	}
	if rapid.Bool().Draw(t, "autolock") {
		autolock(st)
		cfg.Cluster.UnlockKey = schema.NewSecret("SWMKEY")
	}
	if rapid.Bool().Draw(t, "old backup") {
		keep(st, dailies(30*time.Hour, rapid.IntRange(1, 5).Draw(t, "old backups"))...)
	}
	cfg.Backups[0].Keep = drawKeep(t)
	if n == 5 && rapid.Bool().Draw(t, "one lost") {
		lose(st, "m5")
	}
	tameParts(t, cfg, st)
	return newModel(cfg, st)
}

func TestAPlanThatRanLeavesNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawTame(t)
		m.run(m.plan(t, rapid.Bool().Draw(t, "asked")), -1)
		finished(t, m)
	})
}

// TestACutPlanReachesTheSameEnd cuts plans anywhere, again and again, each time
// leaving what the steps did on the host, and plans anew from what is seen.
func TestACutPlanReachesTheSameEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawTame(t)
		for range rapid.IntRange(1, 4).Draw(t, "cuts") {
			p := m.plan(t, false)
			m.run(p, rapid.IntRange(0, len(p.Steps)).Draw(t, "cut after"))
			if rapid.Bool().Draw(t, "torn") {
				tear(m)
			}
		}
		if len(m.cfg.Nodes) == 2 { // the only manager has to come back first
			m.run(m.plan(t, false), -1)
		}
		m.run(m.plan(t, false), -1)
		finished(t, m)
	})
}

// tear makes the copies that are left useless, as an engine does that started
// in the middle.
func tear(m *model) {
	for i := range m.st.Hosts {
		for j := range m.st.Hosts[i].Runs {
			m.st.Hosts[i].Runs[j].CopyIntact = false
		}
	}
}

func finished(t *rapid.T, m *model) {
	p := m.plan(t, false)
	if m.late && !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Kind != plan.PruneBackups }) {
		m.run(p, -1)
		p = m.plan(t, false)
	}
	if wrong := m.settled(); wrong != "" {
		t.Fatalf("%s; the plans were: %q; %+v", wrong, m.plans, p.Unmet)
	}
	if len(p.Steps) > 0 || len(p.Unmet) > 0 {
		t.Fatalf("the next plan is not empty; the plans were: %q; %+v", m.plans, p.Unmet)
	}
}
