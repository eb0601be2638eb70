package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// TestARestoreThatIsAskedFor goes back in time, of swarms that are well and of such
// that are not. Cut after any step, both the same request and a plan without it
// bring a swarm back.
func TestARestoreThatIsAskedFor(t *testing.T) {
	var f failures
	planned, cuts := 0, 0
	all := terms{backup: "fresh", allow: allowances()[15]}
	for managers := 1; managers <= 3; managers++ {
		for _, workers := range [][]string{{}, {"up"}} {
			w := &walk{f: &f, seen: map[string]*outcome{}}
			for _, ms := range tuples(managerStates, managers) {
				for _, dead := range []bool{false, true} {
					on := all
					on.dead = dead
					for _, e := range emergencies(ms, workers, on) {
						if n := w.asked(e); n > 0 {
							planned, cuts = planned+1, cuts+n
						}
					}
				}
			}
		}
	}
	t.Logf("%d plans, %d cuts", planned, cuts)
	f.report(t)
}

// asked asks for the latest backup, and cuts what is planned after every step. It
// gives how many cuts there were.
func (w *walk) asked(e emergency) (cuts int) {
	w.from, w.had = e, len(w.seen)
	d := e.world()
	d.ask = "latest"
	var p *plan.Plan
	if failed := caught(func(t fataler) { p = d.plan(t) }); failed != "" {
		w.fail("no plan: "+kindOf(failed), "%s", failed)
		return 0
	}
	if len(p.Steps) == 0 && len(p.Unmet) == 0 {
		w.fail("nothing is planned and nothing is said", "")
	}
	facts := d.facts()
	for _, s := range p.Steps {
		facts = d.do(p, s, facts)
		w.broke(d, p)
		for _, again := range []string{"", "latest"} {
			w.askedCut(d.copy(), s, again)
			cuts++
		}
	}
	return cuts
}

func (w *walk) broke(d *disaster, p *plan.Plan) {
	for _, b := range d.broken {
		w.fail(kindOf(b), "%s (%s)", b, p.Summary)
	}
	d.broken = nil
}

func (w *walk) askedCut(d *disaster, s plan.Step, again string) {
	where := fmt.Sprintf("cut after %s, asked again: %v: ", s.Kind, again != "")
	d.now = d.now.Add(3 * time.Minute)
	if again != "" {
		d.ask = again
		var next *plan.Plan
		if failed := caught(func(t fataler) { next = d.plan(t) }); failed != "" {
			w.fail(where+"no plan: "+kindOf(failed), "%s", failed)
			return
		}
		if len(next.Steps) == 0 && len(next.Unmet) == 0 {
			w.fail(where+"nothing is planned and nothing is said", "%s", s.Node)
		}
		d.run(next, -1)
		w.broke(d, next)
	}
	d.ask = ""
	o := w.settle(d, time.Minute)
	if again == "" && slices.ContainsFunc(o.last, func(u plan.Unmet) bool { return u.Code == diag.LeftoverStuck }) ||
		slices.Contains(w.from.managers, "unreachable") && !w.from.dead && len(o.last) > 0 {
		return // what is left to do is said
	}
	switch {
	case !o.live:
		w.fail(where+"no swarm answers at the end", "after %s, unmet %s", s.Node, unmetWords(o.last))
	case strings.Contains(o.end, "is held"):
		w.fail(where+"a host is left held", "after %s: %s, unmet %s", s.Node, o.end, unmetWords(o.last))
	}
}

// TestEveryEmergencyWithoutTheLock: -lock=false changes nothing of how a swarm comes
// back, but that nothing is written to a repository.
func TestEveryEmergencyWithoutTheLock(t *testing.T) {
	var f failures
	for managers := 1; managers <= 3; managers++ {
		for _, backup := range []string{"", "stale", "fresh"} {
			for lock := range 3 {
				for _, allow := range usual() {
					w := &walk{f: &f, seen: map[string]*outcome{}, noLock: true}
					g := group{managers: managers, workers: []string{"up"}, terms: terms{autolock: lock > 0, key: lock > 1, backup: backup}}
					for _, e := range g.emergencies(allow) {
						w.check(e)
					}
				}
			}
		}
	}
	f.report(t)
}

// TestManagersAreAlike: of every lot of up to three managers comes what comes of the
// canonical one that it is a renaming of, so that of four and five the canonical ones
// are enough.
func TestManagersAreAlike(t *testing.T) {
	different := 0
	for managers := 2; managers <= 3; managers++ {
		for _, backup := range []string{"", "fresh"} {
			for lock := range 3 {
				w := &walk{f: &failures{}, seen: map[string]*outcome{}}
				on := terms{autolock: lock > 0, key: lock > 1, backup: backup, allow: []string{schema.AllowStart, schema.AllowUnlock, schema.AllowForceNewCluster, schema.AllowRestore}, dead: true}
				for _, ms := range tuples(managerStates, managers) {
					e := emergency{managers: ms, ahead: -1, terms: on}
					if slices.Contains(ms, "locked") && !on.autolock {
						continue
					}
					other := e
					other.managers = slices.Clone(ms)
					from := 0
					if backup != "" {
						from = 1
					}
					slices.SortFunc(other.managers[from:], func(a, b string) int { return slices.Index(managerStates, a) - slices.Index(managerStates, b) })
					if slices.Equal(other.managers, ms) {
						continue
					}
					different++
					if have, want := e.told(w.check(e)), other.told(w.check(other)); have != want {
						t.Errorf("%s: %s\n%s: %s", e, have, other, want)
					}
				}
				w.f.report(t)
			}
		}
	}
	t.Logf("%d lots of managers that are renamings of another", different)
}

// told is what came of an emergency with the states of managers for their names.
func (e emergency) told(o *outcome) string {
	end := o.end
	for i, what := range e.managers {
		name := fmt.Sprintf("m%d", i+1)
		end = strings.ReplaceAll(end, name+" as "+idOf(name), what+" with its own ID")
		end = strings.ReplaceAll(end, name+" ", what+" ")
	}
	words, rest, _ := strings.Cut(end, ";")
	list := strings.Split(words, ", ")
	slices.Sort(list)
	var codes []string
	for _, u := range o.unmet {
		codes = append(codes, u.Code)
	}
	slices.Sort(codes)
	return fmt.Sprintf("%s %q by %d steps, unmet %v; at the end %v%s", o.cond, o.rung, o.steps, codes, list, rest)
}
