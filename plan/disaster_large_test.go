package plan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawEmergency makes a cluster of any states.
func drawEmergency(t *rapid.T, managers, workers int) emergency {
	e := emergency{ahead: -1, terms: terms{
		autolock: rapid.Bool().Draw(t, "autolock"),
		backup:   rapid.SampledFrom([]string{"", "stale", "fresh"}).Draw(t, "backup"),
		allow:    rapid.SampledFrom(allowances()).Draw(t, "allow"),
		dead:     rapid.Bool().Draw(t, "dead"),
	}}
	e.key = e.autolock && rapid.Bool().Draw(t, "key")
	for range managers {
		e.managers = append(e.managers, rapid.SampledFrom(managerStates).Draw(t, "manager"))
	}
	for range workers {
		e.workers = append(e.workers, rapid.SampledFrom(workerStates).Draw(t, "worker"))
	}
	e.autolock = e.autolock || slices.Contains(e.managers, "locked")
	e.leads = rapid.IntRange(0, managers-1).Draw(t, "leads")
	if rapid.Bool().Draw(t, "one is ahead") {
		e.ahead = rapid.IntRange(0, managers-1).Draw(t, "ahead")
	}
	return e
}

// straight plans, and runs to the end or to a cut, again and again, until nothing is
// left to do: without the walk, and without taking worlds for alike.
func straight(t *rapid.T, e emergency, cuts int) *disaster {
	d := e.world()
	for range cuts + 6 {
		p := d.plan(t)
		if len(p.Steps) == 0 {
			if wrong := d.rest(p); wrong != "" {
				t.Fatalf("%s: at the end %s", e, wrong)
			}
			return d
		}
		n := len(p.Steps)
		if cuts > 0 {
			cuts--
			n = rapid.IntRange(0, n).Draw(t, "cut after")
		}
		d.run(p, n)
		if len(d.broken) > 0 {
			t.Fatalf("%s: %s (%s)", e, d.broken[0], p.Summary)
		}
		if rapid.Bool().Draw(t, "hosts go on") {
			d.alone(true)
		}
		d.now = d.now.Add(3 * time.Minute)
	}
	t.Fatalf("%s: there is always more to do", e)
	return nil
}

// sameEnd compares ends with and without cuts. Where the only manager was stopped and
// nobody has the key, it may be left locked, and the plan says so.
func sameEnd(t *rapid.T, e emergency) *disaster {
	whole := straight(t, e, 0)
	for range 2 {
		d := straight(t, e, rapid.IntRange(1, 4).Draw(t, "cuts"))
		if have, want := d.end(), whole.end(); have != want && !(e.autolock && !e.key && (have == "no swarm" || want == "no swarm")) {
			t.Fatalf("%s: cut: %s, not cut: %s", e, have, want)
		}
	}
	return whole
}

// TestWorldsThatAreAlike: what the walk says of an emergency is what comes of it.
func TestWorldsThatAreAlike(t *testing.T) {
	walks := map[string]*walk{}
	rapid.Check(t, func(t *rapid.T) {
		e := drawEmergency(t, rapid.IntRange(1, 4).Draw(t, "managers"), rapid.IntRange(0, 2).Draw(t, "workers"))
		on := e.terms
		on.dead = false
		of := fmt.Sprint(len(e.managers), e.workers, on)
		if walks[of] == nil {
			walks[of] = &walk{f: &failures{}, seen: map[string]*outcome{}}
		}
		o := walks[of].check(e)
		if end := sameEnd(t, e).end(); end != o.end {
			t.Fatalf("%s: %s, and the walk says %s", e, end, o.end)
		}
		for kind, list := range walks[of].f.shown {
			t.Fatalf("%s: %s", kind, list)
		}
	})
}

// TestALargerEmergency: what holds of every small cluster holds of larger ones.
func TestALargerEmergency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEmergency(t, rapid.IntRange(5, 7).Draw(t, "managers"), rapid.SampledFrom([]int{0, 3, 40, 200}).Draw(t, "workers"))
		first := rungOf(e.world().plan(t))
		if want := e.expected(); first != want {
			t.Fatalf("%s: rung %q is planned where %q would do", e, first, want)
		}
		if d := sameEnd(t, e); first != "" && len(d.live()) == 0 {
			t.Fatalf("%s: no swarm answers at the end", e)
		}
	})
}
