package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// emergency is one state of a cluster before its recovery, with what the
// configuration allows.
type emergency struct {
	states             []string
	autolock, key      bool
	backup, assumeDead bool
	allow              []string
}

func (e emergency) String() string {
	return fmt.Sprintf("%s, autolock=%v, key=%v, backup=%v, dead=%v, allow=%s", strings.Join(e.states, " "), e.autolock, e.key, e.backup, e.assumeDead, strings.Join(e.allow, "+"))
}

func (e emergency) world() *disaster {
	cfg := literal(len(e.states), "state")
	cfg.Repositories[0].Identity = "/root/identity.txt"
	rotate := true
	cfg.Recovery = &schema.Recovery{Allow: e.allow, Verify: []string{"true"}, RotateUnlockKey: &rotate, UnlockKeyTo: schema.UnlockKeyTo{Command: "cat >/dev/null"}}
	if e.key {
		cfg.Cluster.UnlockKey = schema.NewSecret("SWMKEY")
	}
	for i, what := range e.states {
		if what == "unreachable" && e.assumeDead {
			cfg.Recovery.AssumeDead = append(cfg.Recovery.AssumeDead, fmt.Sprintf("m%d", i+1))
		}
	}
	d := newDisaster(cfg, e.states, e.autolock)
	if e.backup {
		b := aged(time.Hour)
		b.Node, b.NodeID, b.Address, b.Autolocked, b.OpenedAt = "m1", idOf("m1"), "10.0.0.11", e.autolock, observedAt
		b.Raft = *d.report(d.st.Host("m1"), &disk{})
		b.Raft.Index, b.Raft.NodeID, b.Raft.RaftID = 900, idOf("m1"), "f"+idOf("m1")
		b.Raft.ManagerNodes = nil
		for _, m := range d.swarms[""].members {
			b.Raft.ManagerNodes = append(b.Raft.ManagerNodes, m)
		}
		d.st.Repositories[0].Backups = append(d.st.Repositories[0].Backups, b)
	}
	return d
}

var allowances = [][]string{
	{schema.AllowStart, schema.AllowUnlock},
	{schema.AllowStart, schema.AllowUnlock, schema.AllowForceNewCluster},
	{schema.AllowStart, schema.AllowUnlock, schema.AllowRestore},
	{schema.AllowStart, schema.AllowUnlock, schema.AllowForceNewCluster, schema.AllowRestore},
}

// emergencies are all that there are of clusters of so many managers.
func emergencies(managers int) []emergency {
	var list []emergency
	var fill func(states []string)
	fill = func(states []string) {
		if len(states) < managers {
			for _, s := range managerStates {
				fill(append(states[:len(states):len(states)], s))
			}
			return
		}
		text := strings.Join(states, " ")
		for _, autolock := range []bool{false, true} {
			if strings.Contains(text, "locked") && !autolock {
				continue
			}
			for _, key := range []bool{false, true} {
				if key && !autolock {
					continue
				}
				for _, backup := range []bool{false, true} {
					for _, dead := range []bool{false, true} {
						if dead && !strings.Contains(text, "unreachable") {
							continue
						}
						for _, allow := range allowances {
							list = append(list, emergency{states, autolock, key, backup, dead, allow})
						}
					}
				}
			}
		}
	}
	fill(nil)
	return list
}

// failures keeps the first states of each kind of failure, so that one mistake
// does not hide the others.
type failures struct {
	count map[string]int
	shown map[string][]string
}

func (f *failures) add(kind string, where fmt.Stringer, text string) {
	if f.count == nil {
		f.count, f.shown = map[string]int{}, map[string][]string{}
	}
	f.count[kind]++
	if len(f.shown[kind]) < 2 {
		f.shown[kind] = append(f.shown[kind], where.String()+": "+text)
	}
}

func (f *failures) report(t *testing.T) {
	t.Helper()
	for kind, n := range f.count {
		t.Errorf("%d times: %s\n\t%s", n, kind, strings.Join(f.shown[kind], "\n\t"))
	}
}

// building turns a failed Build into a failure of its state.
type building struct{ err string }

func (b *building) Helper() {}

func (b *building) Fatalf(format string, args ...any) {
	b.err, _, _ = strings.Cut(fmt.Sprintf(format, args...), "\n")
	panic(b)
}

// caught runs f and gives what a plan that could not be built said.
func caught(f func(t fataler)) (failed string) {
	defer func() {
		if v := recover(); v != nil {
			b, ok := v.(*building)
			if !ok {
				panic(v)
			}
			failed = b.err
		}
	}()
	f(&building{})
	return ""
}

// TestEveryEmergency plans and runs recoveries of every cluster of one to three
// managers, each in any state. A plan either reaches a swarm that answers or says
// what it does not reach; it breaks no rule of the hosts on the way; and cut after
// any step, what is planned anew from the hosts alone ends the same.
func TestEveryEmergency(t *testing.T) {
	var f failures
	states, cuts := 0, 0
	for managers := 1; managers <= 3; managers++ {
		for _, e := range emergencies(managers) {
			states++
			cuts += e.check(&f)
		}
	}
	t.Logf("%d states, %d cuts", states, cuts)
	f.report(t)
}

func (e emergency) check(f *failures) (cuts int) {
	whole := e.world()
	var first, last *plan.Plan
	if failed := caught(func(t fataler) {
		first = whole.plan(t)
		last = whole.copyInto(t)
	}); failed != "" {
		f.add("no plan: "+kindOf(failed), e, failed)
		return 0
	}
	if rung := rungOf(first); rung != e.expected() {
		f.add(fmt.Sprintf("rung %q is planned where %q would do", rung, e.expected()), e, unmetText(first))
	}
	if len(first.Steps) == 0 {
		if len(first.Unmet) == 0 && first.Condition.Name != plan.Healthy && first.Condition.Name != plan.Degraded {
			f.add("nothing is planned and nothing is said", e, string(first.Condition.Name))
		}
		return 0
	}
	e.judge(f, "", whole, last)
	if first.Recovery == nil {
		return 0
	}
	want := whole.end()
	if s := first.Steps[0]; s.Kind == plan.Start && e.halfRestarted(s) != nil {
		cuts++
		d := e.halfRestarted(s)
		if failed := caught(func(t fataler) { last = d.settle(t) }); failed != "" {
			f.add("cut in the restart: no plan: "+kindOf(failed), e, failed)
			return cuts
		}
		e.judge(f, "cut in the restart: ", d, last)
		if have := d.end(); have != want {
			f.add("cut in the restart: another end", e, fmt.Sprintf("%s, without the cut: %s; last plan: %s, unmet %s", have, want, last.Summary, unmetText(last)))
		}
	}
	for cut := 1; cut < len(first.Steps); cut++ {
		cuts++
		d := e.world()
		where := fmt.Sprintf("cut after %s %s", first.Steps[cut-1].Kind, first.Steps[cut-1].Node)
		failed := caught(func(t fataler) {
			d.run(d.plan(t), cut)
			d.now = d.now.Add(3 * time.Minute)
			last = d.settle(t)
		})
		if failed != "" {
			f.add(where+": no plan: "+kindOf(failed), e, failed)
			continue
		}
		e.judge(f, where+": ", d, last)
		if have := d.end(); have != want {
			f.add(fmt.Sprintf("%s of %s: another end", first.Steps[cut-1].Kind, first.Recovery.Rung), e,
				fmt.Sprintf("%s: %s, without the cut: %s (%s); last plan: %s, unmet %s", where, have, want, stepsOf(first), last.Summary, unmetText(last)))
		}
	}
	return cuts
}

func rungOf(p *plan.Plan) plan.Rung {
	if p.Recovery == nil {
		return ""
	}
	return p.Recovery.Rung
}

// expected is the lowest rung that reaches a leader and is allowed, "" where none
// is: the ladder told apart from the planner's own reasoning.
func (e emergency) expected() plan.Rung {
	quorum, running, startable, sealed, logs := len(e.states)/2+1, 0, 0, 0, 0
	for _, s := range e.states {
		if s != "empty" && s != "unreachable" {
			logs++
		}
		switch s {
		case "active":
			running++
		case "stopped", "orphaned":
			startable++
			if e.autolock {
				sealed++
			}
		case "locked":
			startable++
			sealed++
		}
	}
	openable := e.key || !e.autolock
	restore := slices.Contains(e.allow, schema.AllowRestore) && e.backup && openable &&
		e.states[0] != "unreachable" && (e.assumeDead || !slices.Contains(e.states, "unreachable")) // safety rule 4
	switch {
	case running >= quorum:
		return ""
	case running+startable >= quorum:
		if sealed > 0 && !e.key {
			return ""
		}
		return plan.RungStart
	case logs > 0:
		if openable && slices.Contains(e.allow, schema.AllowForceNewCluster) {
			return plan.RungForce
		}
	case restore:
		return plan.RungRestore
	}
	return ""
}

// halfRestarted is the world after a start step that was cut between stopping the
// engines that forgot their swarm and letting them go; nil where there are none.
func (e emergency) halfRestarted(s plan.Step) *disaster {
	d, any := e.world(), false
	for _, name := range append([]string{s.Node}, s.With...) {
		if h := d.st.Host(name); h.Engine.SwarmError == "forgot" {
			any = true
			d.hold(h, plan.Step{Kind: plan.Hold, Node: name, Recovery: s.Recovery}, state.RecoveryHeld)
		}
	}
	if !any {
		return nil
	}
	d.now = d.now.Add(3 * time.Minute)
	return d
}

// copyInto runs the plan to the end of all plans.
func (d *disaster) copyInto(t fataler) *plan.Plan { return d.settle(t) }

// judge looks at a world in which nothing is left to do.
func (e emergency) judge(f *failures, where string, d *disaster, last *plan.Plan) {
	for _, b := range d.broken {
		f.add(kindOf(where+b), e, where+b)
	}
	if len(d.live()) == 0 {
		f.add(kindOf(where)+"no swarm answers at the end", e, where+unmetText(last))
	}
	if last.Recovery != nil {
		f.add("a recovery is still planned", e, where+last.Summary)
	}
}

// TestARestoreThatIsAskedFor goes back in time, of swarms that are well and of such
// that are not. Cut after any step, both the same request and a plan without it
// bring a swarm back.
func TestARestoreThatIsAskedFor(t *testing.T) {
	var f failures
	planned, cuts := 0, 0
	for managers := 1; managers <= 3; managers++ {
		for _, e := range emergencies(managers) {
			if !e.backup || len(e.allow) < 4 || e.autolock {
				continue
			}
			d := e.world()
			d.ask = "latest"
			var first *plan.Plan
			if failed := caught(func(t fataler) { first = d.plan(t) }); failed != "" {
				f.add("no plan: "+kindOf(failed), e, failed)
				continue
			}
			if len(first.Steps) == 0 {
				if len(first.Unmet) == 0 {
					f.add("nothing is planned and nothing is said", e, "")
				}
				continue
			}
			planned++
			for cut := 1; cut <= len(first.Steps); cut++ {
				for _, again := range []string{"", "latest"} {
					cuts++
					e.askedCut(&f, cut, again)
				}
			}
		}
	}
	t.Logf("%d plans, %d cuts", planned, cuts)
	f.report(t)
}

func (e emergency) askedCut(f *failures, cut int, again string) {
	d := e.world()
	where, last := "", (*plan.Plan)(nil)
	failed := caught(func(t fataler) {
		d.ask = "latest"
		p := d.plan(t)
		where = fmt.Sprintf("cut after %s %s, asked again: %v: ", p.Steps[cut-1].Kind, p.Steps[cut-1].Node, again != "")
		d.run(p, cut)
		d.now = d.now.Add(3 * time.Minute)
		if d.ask = again; again != "" && cut < len(p.Steps) {
			next := d.plan(t)
			if len(next.Steps) == 0 && len(next.Unmet) == 0 {
				d.complain("asked again, nothing is planned and nothing is said")
			}
			d.run(next, -1)
			d.now = d.now.Add(3 * time.Minute)
		}
		d.ask = ""
		last = d.settle(t)
	})
	if failed != "" {
		f.add(kindOf(where)+"no plan: "+kindOf(failed), e, failed)
		return
	}
	if again == "" && strings.Contains(unmetText(last), "RQ217") || slices.Contains(e.states, "unreachable") && !e.assumeDead && len(last.Unmet) > 0 {
		return // what is left to do is said
	}
	e.judge(f, where, d, last)
	for _, h := range d.st.Hosts {
		for _, r := range h.Recoveries {
			if r.Held {
				f.add(kindOf(where)+"a host is left held", e, h.Name+": "+last.Summary+" "+unmetText(last))
			}
		}
	}
}

func unmetText(p *plan.Plan) string {
	var words []string
	for _, u := range p.Unmet {
		words = append(words, u.Code+" "+u.Reason)
	}
	return strings.Join(words, " / ")
}

// kindOf takes numbers and names out of a text, so that alike failures are one.
func kindOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}
