package plan_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

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

// take adds what another one has gathered.
func (f *failures) take(o *failures) {
	if f.count == nil {
		f.count, f.shown = map[string]int{}, map[string][]string{}
	}
	for kind, n := range o.count {
		f.count[kind] += n
		if len(f.shown[kind]) < 2 {
			f.shown[kind] = append(f.shown[kind], o.shown[kind]...)
		}
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

// seed chooses which terms larger clusters with workers are tried on. RQ_TORTURE
// tries all.
var seed = flag.Int("seed", int(time.Now().UnixNano()%1000), "of what is sampled")

var torture = os.Getenv("RQ_TORTURE") != ""

// group is what is gone through together: emergencies of one size, with workers in
// the same states, the same locks and the same backup.
type group struct {
	managers int
	workers  []string
	lot      int // of workers
	terms
}

// groups are all of clusters of up to five managers and two workers. Workers differ
// in nothing but their states, and that the last one is not in a stale backup.
func groups() []group {
	var list []group
	for managers := 5; managers >= 1; managers-- {
		for workers := 2; workers >= 0; workers-- {
			for lot, ws := range tuples(workerStates, workers) {
				for _, backup := range []string{"", "stale", "fresh"} {
					if backup != "stale" && !sorted(workerStates, ws) {
						continue
					}
					for lock := range 3 {
						list = append(list, group{managers, ws, lot, terms{autolock: lock > 0, key: lock > 1, backup: backup}})
					}
				}
			}
		}
	}
	return list
}

// allowed are the allowances that are tried, the most generous first: every one of
// small clusters.
func (g group) allowed() [][]string {
	list := usual()
	if len(g.workers) == 0 && g.managers < 4 {
		list = allowances()
	}
	slices.Reverse(list)
	return list
}

// sampled tells whether only some of the terms are tried.
func (g group) sampled() bool { return g.managers+len(g.workers) > 4 && len(g.workers) > 0 && !torture }

// emergencies are those of the group with an allowance. Of a sampled one each lot of
// managers is tried on one of the usual terms of locks and allowances, whoever of
// them is dead or ahead; and of five managers with a fourth of the lots of workers.
func (g group) emergencies(allow []string) []emergency {
	g.allow = allow
	var list []emergency
	for i, managers := range canonical(g.managers, g.backup) {
		from := len(list)
		for _, dead := range []bool{false, true} {
			on := g.terms
			on.dead = dead
			list = append(list, emergencies(managers, g.workers, on)...)
		}
		if n := len(list) - from; g.sampled() && n > 0 {
			i += *seed
			list[from] = list[from+i%n]
			list = list[:from+1]
			if !g.drawn(i, slices.Contains(managers, "locked")) {
				list = list[:from]
			}
		}
	}
	return list
}

// drawn tells whether the group's terms are those that the seed draws for the i-th
// lot of managers. Some of them are locked only where there is auto-lock.
func (g group) drawn(i int, locked bool) bool {
	lock := i % 3
	if locked {
		lock = 1 + i%2
	}
	allow := usual()[i/3%4]
	return g.autolock == (lock > 0) && g.key == (lock > 1) && slices.Equal(g.allow, allow) && (g.managers < 5 || (i/12+g.lot)%4 == 0)
}

// tally is what was gone through.
type tally struct {
	sync.Mutex
	failures
	states, same, worlds, cuts int
	by                         [6]int
}

// TestEveryEmergency plans and runs every cluster of one to five managers and up to
// two workers, each in any state. A plan either reaches a swarm that answers or says
// what it does not reach; no step breaks a rule; and cut after any step, any number
// of times, what is planned anew from the hosts alone ends the same.
func TestEveryEmergency(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // worlds are many, and short-lived
	var all tally
	began := time.Now()
	each(groups(), func(g group) { g.through(&all) })
	t.Logf("%d states (of 1 to 5 managers: %v; seed %d), and %d that differ from one of them only in what is allowed and never asked for; plans lead to %d worlds that differ, with %d cuts; %s",
		all.states, all.by[1:], *seed, all.same, all.worlds, all.cuts, time.Since(began).Round(time.Second))
	all.report(t)
}

// through goes through a group. Of four and five managers it tries no smaller
// allowance where no plan asked for what the greatest one has more, which of smaller
// clusters it does.
func (g group) through(all *tally) {
	climbs := map[string]bool{}
	for i, allow := range g.allowed() {
		w := &walk{f: &failures{}, seen: map[string]*outcome{}}
		states, same := 0, 0
		for _, e := range g.emergencies(allow) {
			of := fmt.Sprint(e.managers, e.leads, e.ahead, e.dead)
			if i > 0 && g.managers > 3 && !g.sampled() && !torture && !climbs[of] {
				same++
				continue
			}
			states++
			if o := w.check(e); i == 0 {
				climbs[of] = o.climbs
			}
		}
		all.Lock()
		all.states, all.same, all.worlds, all.cuts = all.states+states, all.same+same, all.worlds+len(w.seen), all.cuts+w.cuts
		all.by[g.managers] += states
		all.take(w.f)
		all.Unlock()
	}
}

// each runs f for all of a list, on all processors.
func each[T any](list []T, f func(T)) {
	next := make(chan T)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for one := range next {
				f(one)
			}
		})
	}
	for _, one := range list {
		next <- one
	}
	close(next)
	all.Wait()
}
