package plan

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// lostThree is a world of managers m1, m2 and m3 that hold raft state and of which
// none is up.
func lostThree() *world {
	w := three(false)
	for i, n := range w.nodes {
		n.cfg.Role = schema.RoleManager
		n.host = state.Host{Name: n.cfg.Name, Looked: state.Present, Service: state.Service{Unit: "docker.service"},
			SwarmDir: state.SwarmDir{Presence: state.Present, NodeID: n.cfg.Name, HasKey: true, HasRootCA: true, HasRaft: true}}
		w.voters[i].up, w.voters[i].leader = false, false
	}
	return w
}

func recoveryStep(kind Kind, node string) Step {
	return Step{Kind: kind, Node: node, NodeID: node, Recovery: "r"}
}

func joins(node string, keep bool) Step {
	s := recoveryStep(Join, node)
	s.Join = &JoinAs{Role: schema.RoleManager, Keep: keep}
	return s
}

// forced is a whole plan that forces m1.
func forced() []Step {
	return []Step{recoveryStep(Hold, "m1"), recoveryStep(Prepare, "m1"), recoveryStep(Fence, "m2"), recoveryStep(Fence, "m3"), recoveryStep(Restore, "m1"),
		recoveryStep(Start, "m1"), recoveryStep(Init, "m1"), joins("m2", true), joins("m3", true), recoveryStep(Check, "m1")}
}

// leftOut leaves a step out.
func leftOut(steps []Step, i int) []Step {
	return append(append([]Step{}, steps[:i]...), steps[i+1:]...)
}

// putIn adds a step in a place.
func putIn(steps []Step, i int, s Step) []Step {
	return append(append(append([]Step{}, steps[:i]...), s), steps[i:]...)
}

// judged simulates hand-made steps as a plan and gives what checkFrom says.
func judged(steps []Step, w *world, r *Recovery) error {
	p := &Plan{Recovery: r}
	s := simulate(w)
	if r != nil {
		s.rung, s.givenUp = r.Rung, r.Asked
	}
	for i, step := range steps {
		step.ID = i + 1
		_ = s.step(step) // what is wrong is for checkFrom to find
		step.Margin = s.margin()
		p.Steps = append(p.Steps, step)
	}
	return checkFrom(simulate(w), p, w)
}

// TestTheSimulationRefusesBadRecoveries: each of these breaks an invariant of every
// plan, which the error names.
func TestTheSimulationRefusesBadRecoveries(t *testing.T) {
	out := func(w *world, name string) *world {
		w.node(name).host = state.Host{Name: name, Looked: state.Absent}
		return w
	}
	whole, force := forced(), func() *Recovery { return &Recovery{ID: "r", Rung: RungForce, Node: "m1"} }
	unfenced := force()
	unfenced.Unfenced = []Unfenced{{Node: "m3", Address: "10.0.0.13:2377"}}
	alone := leftOut(leftOut(whole, 8), 3) // nothing of m3
	running := lostThree()
	running.voters[1].up = true
	waiting := lostThree()
	waiting.nodes[1].state.State = NodeActive
	loose := lostThree()
	loose.nodes[2].host.Service.Unit = "" // nothing can hold it
	well := three(true)
	for name, c := range map[string]struct {
		steps []Step
		world *world
		r     *Recovery
		want  string // "" for a plan that is right
	}{
		"whole":               {whole, lostThree(), force(), ""},
		"one is out of reach": {alone, out(lostThree(), "m3"), unfenced, ""},
		"restored over":       {putIn(leftOut(whole, 0), 1, recoveryStep(Hold, "m1")), lostThree(), &Recovery{ID: "r", Rung: RungRestore, Node: "m1"}, ""},

		"held while a quorum is up":        {[]Step{recoveryStep(Hold, "m2")}, well, force(), "held while a quorum is up"},
		"fenced while a quorum is up":      {[]Step{recoveryStep(Fence, "m1")}, well, force(), "held while a quorum is up"},
		"read before it is held":           {leftOut(whole, 0), lostThree(), force(), "before it is held"},
		"not prepared":                     {leftOut(whole, 1), lostThree(), force(), "the new one laid beside it"},
		"a fence is left out":              {leftOut(whole, 3), lostThree(), force(), "nothing keeps m3 from starting: two clusters with one ID"},
		"the swap is left out":             {leftOut(whole, 4), lostThree(), force(), "before its prepared directory is in place"},
		"the start is left out":            {leftOut(whole, 5), lostThree(), force(), "and its engine runs"},
		"joined before anybody leads":      {leftOut(whole, 6), lostThree(), force(), "a swarm without a quorum"},
		"never let go":                     {leftOut(whole, 8), lostThree(), force(), "m3 is held, and not let go by the end"},
		"a manager runs":                   {leftOut(whole, 2), running, force(), "nothing keeps m2 from starting"},
		"a manager waits for a quorum":     {leftOut(whole, 2), waiting, force(), "nothing keeps m2 from starting"},
		"not probed":                       {alone, out(lostThree(), "m3"), force(), "m3 can't be fenced, and is not probed"},
		"forced twice":                     {putIn(whole, 7, recoveryStep(Init, "m1")), lostThree(), force(), "two clusters with one ID"},
		"an old manager is started beside": {putIn(alone, 6, recoveryStep(Start, "m3")), loose, unfenced, "two clusters with one ID"},
		"a check before anybody leads":     {putIn(whole, 0, recoveryStep(Check, "m1")), lostThree(), force(), "needs a swarm that answers"},
		"unlocked without a quorum":        {[]Step{recoveryStep(Unlock, "m1")}, lostThree(), &Recovery{ID: "r", Rung: RungStart}, "hangs the engine"},
	} {
		err := judged(c.steps, c.world, c.r)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// answering is a swarm of m1 and m2 that answers, beside which m3 holds state of
// before.
func answering() *world {
	w := lostThree()
	w.st.Swarm = &state.Swarm{Epoch: "later"}
	w.voters = w.voters[:2]
	w.voters[0].up, w.voters[0].leader, w.voters[1].up = true, true, true
	return w
}

// TestTheSimulationRefusesBadReturns: into a swarm that answers nobody comes with
// state that it does not know, and none is left held.
func TestTheSimulationRefusesBadReturns(t *testing.T) {
	grow := &Recovery{ID: "r", Rung: RungGrow}
	for name, c := range map[string]struct {
		steps []Step
		want  string
	}{
		"whole":              {[]Step{recoveryStep(Fence, "m3"), joins("m3", true)}, ""},
		"over its state":     {[]Step{joins("m3", true)}, "joins over state that is not set aside"},
		"only held":          {[]Step{recoveryStep(Hold, "m3"), joins("m3", true)}, "joins over state that is not set aside"},
		"started as it is":   {[]Step{recoveryStep(Start, "m3")}, "two clusters with one ID"},
		"left held":          {[]Step{recoveryStep(Fence, "m3")}, "m3 is held, and not let go by the end"},
		"a member is fenced": {[]Step{recoveryStep(Fence, "m2"), joins("m2", true)}, "held while a quorum is up"},
	} {
		err := judged(c.steps, answering(), grow)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestTheSimulationKeepsTheLastCopy: what a cut run has copied is removed only where
// the state lies elsewhere too.
func TestTheSimulationKeepsTheLastCopy(t *testing.T) {
	cleaned := Step{Kind: CleanUp, Node: "m2", NodeID: "m2", Backup: "state", Run: "one"}
	other := cleaned
	other.Run = "two"
	for name, c := range map[string]struct {
		edit  func(w *world)
		steps []Step
		want  string
	}{
		"the last":             {func(*world) {}, []Step{cleaned}, "the last of the state that is known"},
		"the last of two":      {func(w *world) { copiedBy(w, "two") }, []Step{cleaned, other}, "the run two on m2 is the last"},
		"one of two":           {func(w *world) { copiedBy(w, "two") }, []Step{cleaned}, ""},
		"not whole":            {func(w *world) { w.nodes[1].host.Runs[0].CopyIntact = false }, []Step{cleaned}, ""},
		"a directory is whole": {func(w *world) { w.nodes[2].host = lostThree().nodes[2].host }, []Step{cleaned}, ""},
		"a backup is there": {func(w *world) {
			w.st.Repositories = []state.Repository{{Backups: []state.Backup{{Cluster: w.cfg.Cluster.Name, Verified: "raft"}}}}
		}, []Step{cleaned}, ""},
		"a backup is damaged": {func(w *world) {
			w.st.Repositories = []state.Repository{{Backups: []state.Backup{{Cluster: w.cfg.Cluster.Name, Verified: "raft", Problem: &state.Problem{}}}}}
		}, []Step{cleaned}, "the last of the state that is known"},
		"a manager answers": {func(w *world) { w.st.Swarm = &state.Swarm{} }, []Step{cleaned}, ""},
	} {
		w := three(false)
		copiedBy(w, "one")
		c.edit(w)
		err := judged(c.steps, w, nil)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func copiedBy(w *world, run string) {
	w.nodes[1].host.Runs = append(w.nodes[1].host.Runs, state.HostRun{ID: run, CopyIntact: true})
}
