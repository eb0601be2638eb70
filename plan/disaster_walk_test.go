package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// walk goes to every world to which plans lead, cut or whole: of each it plans, runs
// the plan to its end, cuts it after every step, and goes on from there. Worlds that
// are alike (disaster.key) come to the same, so one of them is enough; so whatever is
// proved of one cut is proved of any number of cuts, one after the other.
type walk struct {
	from emergency // for what is told of a failure
	f    *failures
	seen map[string]*outcome
	buf  []byte
	cuts int
	deep int // how many plans and cuts, one after the other, have led here
	had  int // worlds that were seen before this emergency
	lost bool
	// noLock is -lock=false of every plan.
	noLock bool
}

// No plan leads on for so long, by cuts and plans one after the other, and none from
// one emergency to so many worlds: 18 and some hundred were the most.
const (
	longWay    = 40
	manyWorlds = 3000
)

// outcome is what comes of a world.
type outcome struct {
	open bool   // it is being found out
	end  string // of all plans, run one after the other
	live bool   // a swarm answers then
	last []plan.Unmet
	// climbs tells that a plan on the way, cut or whole, takes a rung above the
	// first: only that asks whether the configuration allows it.
	climbs bool

	// Of the first plan.
	rung    plan.Rung
	cond    plan.ConditionName
	steps   int
	shapes  bool // none but on the cluster's shape
	summary string
	unmet   []plan.Unmet
	hazards []plan.Hazard
}

func (w *walk) fail(kind, format string, args ...any) {
	w.f.add(kind, w.from, fmt.Sprintf(format, args...))
}

// settle finds out what comes of a world, after a while. The world is left as it is.
func (w *walk) settle(d *disaster, while time.Duration) *outcome {
	w.buf = d.key(w.buf[:0])
	if o, seen := w.seen[string(w.buf)]; seen {
		return o
	}
	if w.lost {
		return &outcome{end: "none"}
	}
	o := &outcome{open: true}
	w.seen[string(w.buf)] = o
	w.deep++
	defer func() { w.deep-- }()
	if w.deep > longWay || len(w.seen) > w.had+manyWorlds {
		if !w.lost {
			w.fail("plans and cuts lead on for ever", "%s", d.end())
		}
		w.lost, o.open, o.end = true, false, "none"
		return o
	}
	d = d.copy()
	d.now = d.now.Add(while)
	var p *plan.Plan
	if failed := caught(func(t fataler) { p = d.plan(t) }); failed != "" {
		w.fail("no plan: "+kindOf(failed), "%s", failed)
		o.open, o.end = false, "no plan"
		return o
	}
	o.rung, o.cond, o.steps, o.summary, o.unmet, o.hazards = rungOf(p), p.Condition.Name, len(p.Steps), p.Summary, p.Unmet, p.Hazards
	o.shapes = !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return !s.Shapes() })
	o.climbs = o.rung == plan.RungForce || o.rung == plan.RungRestore
	if len(p.Steps) > 0 {
		w.through(d, p, o)
		return o
	}
	o.open, o.end, o.live, o.last = false, d.end(), len(d.live()) > 0, p.Unmet
	if wrong := d.rest(p); wrong != "" {
		w.fail("at the end "+kindOf(wrong), "%s", wrong)
	}
	return o
}

// cutting is a world in which a run was cut, and what came of it.
type cutting struct {
	after plan.Step
	how   string
	world *disaster // nil where what came of it is known
	came  *outcome
}

// through runs a plan to its end, and cuts it after every step.
func (w *walk) through(d *disaster, p *plan.Plan, o *outcome) {
	var cuts []cutting
	add := func(s plan.Step, how string, d *disaster) {
		c := cutting{after: s, how: how}
		w.buf = d.key(w.buf[:0])
		if c.came = w.seen[string(w.buf)]; c.came == nil {
			c.world = d.copy()
		}
		cuts = append(cuts, c)
	}
	if half := d.halfRestarted(p.Steps[0]); half != nil {
		add(p.Steps[0], "in the restart, not ", half)
	}
	before := d.facts()
	for i, s := range p.Steps {
		before = d.do(p, s, before)
		w.broke(d, p)
		if d.noLock && s.Writes() {
			w.fail("a step needs the lock: "+string(s.Kind), "%s", p.Summary)
		}
		if i == len(p.Steps)-1 {
			break
		}
		add(s, "", d)
		if !d.unfinished() {
			continue
		}
		for how, run := range map[string]bool{"with the host's timer, ": false, "with the host's own run, ": true} {
			if c := d.copy(); c.alone(run) {
				add(s, how, c)
			}
		}
	}
	next := w.settle(d, time.Minute)
	o.open = false
	if next.open {
		w.fail("there is always more to do", "%s", p.Summary)
		return
	}
	o.end, o.live, o.last, o.climbs = next.end, next.live, next.last, o.climbs || next.climbs
	// What differs from the declared shape is known once a swarm answers.
	if len(p.Unmet) == 0 && next.steps > 0 && !d.noLock && !(p.Recovery != nil && next.shapes) {
		w.fail("a plan that reaches all leaves another", "%s, then %s", p.Summary, next.summary)
	}
	for _, c := range cuts {
		w.cuts++
		if c.world != nil {
			c.came = w.settle(c.world, 3*time.Minute)
		}
		o.climbs = o.climbs || c.came.climbs || c.came.open
		if c.came.end != o.end && !c.came.open && !w.keyless(c.came) && !w.keyless(o) {
			w.fail(fmt.Sprintf("cut %safter %s of %s: another end", c.how, c.after.Kind, o.cond), "after %s: %s, without the cut: %s (%s); then %s, unmet %s",
				c.after.Node, c.came.end, o.end, p.Summary, c.came.summary, unmetWords(c.came.last))
		}
	}
}

// keyless tells whether only the unlock key is missing, which no live manager tells
// any more since the only one was stopped: its own host was handed it for the start.
func (w *walk) keyless(o *outcome) bool {
	return w.from.autolock && !w.from.key && !o.live && slices.ContainsFunc(o.last, func(u plan.Unmet) bool {
		return u.Code == diag.NoUnlockKey || u.Code == diag.NotAllowed && strings.HasPrefix(u.Reason, "Unlocking ")
	})
}

// halfRestarted is the world after a start step that was cut between stopping the
// engines that forgot their swarm and letting them go, or starting them; nil where there
// are none.
func (d *disaster) halfRestarted(s plan.Step) *disaster {
	if i := d.at(s.Node); s.Kind == plan.Start && s.BringsBack() && d.disks[i].forgot {
		c := d.copy()
		c.disks[i].up, c.disks[i].forgot = false, false
		return c
	}
	if s.Kind != plan.Start || s.Recovery == "" {
		return nil
	}
	c, any := d.copy(), false
	for _, name := range append([]string{s.Node}, s.With...) {
		if i := c.at(name); c.disks[i].forgot {
			any = true
			c.hold(i, plan.Step{Kind: plan.Hold, Node: name, Recovery: s.Recovery}, state.RecoveryHeld)
		}
	}
	if !any {
		return nil
	}
	return c
}

// check goes on from an emergency, and holds its first plan and its end against what
// is told of it apart from the planner.
func (w *walk) check(e emergency) *outcome {
	w.from, w.had = e, len(w.seen)
	d := e.world()
	d.noLock = w.noLock
	o := w.settle(d, 0)
	want := e.expected()
	c := e.count()
	switch {
	case o.rung != want:
		w.fail(fmt.Sprintf("rung %q is planned where %q would do", o.rung, want), "%s", unmetWords(o.unmet))
	case (want != "" || c.running >= c.quorum) && !o.live:
		w.fail("no swarm answers at the end", "%s, unmet %s", o.summary, unmetWords(o.last))
	case want == "" && c.running < c.quorum && (o.steps > 0 || len(o.unmet) == 0):
		w.fail("no swarm can be brought back, and the plan does not say so", "%s", o.summary)
	case w.noLock && o.steps > 0 && !slices.ContainsFunc(o.hazards, func(h plan.Hazard) bool { return h.Code == diag.NoSharedLock }):
		w.fail("that there is no lock is not said", "%s", o.summary)
	case o.steps == 0 && len(o.unmet) == 0 && o.cond != plan.Healthy && o.cond != plan.Degraded:
		w.fail("nothing is planned and nothing is said", "%s", o.cond)
	}
	return o
}

// expected is the lowest rung that reaches a leader and is allowed, "" where none
// is: the ladder told apart from the planner's own reasoning.
func (e emergency) expected() plan.Rung {
	c := e.count()
	may := func(word string) bool { return slices.Contains(e.allow, word) }
	openable := e.key || !e.autolock
	restore := may("restore") && e.backup != "" && openable &&
		e.managers[0] != "unreachable" && (e.dead || !slices.Contains(e.managers, "unreachable")) // safety rule 4
	switch {
	case c.running >= c.quorum:
		return ""
	case c.running+c.startable >= c.quorum:
		if c.sealed > 0 && (!e.key || !may("unlock")) || c.down > 0 && !may("start") {
			return ""
		}
		return plan.RungStart
	case c.logs > 0:
		if openable && may("force_new_cluster") {
			return plan.RungForce
		}
	case restore:
		return plan.RungRestore
	}
	return ""
}

func rungOf(p *plan.Plan) plan.Rung {
	if p.Recovery == nil {
		return ""
	}
	return p.Recovery.Rung
}

func unmetText(p *plan.Plan) string { return unmetWords(p.Unmet) }

func unmetWords(list []plan.Unmet) string {
	var words []string
	for _, u := range list {
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
