package plan_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

var (
	everyCut  = flag.Bool("every-cut", false, "cut edits of swarms of more than four nodes after every step, not after one")
	shapeSeed = flag.Int64("shape-seed", 0, "the seed that chooses where edits of the larger swarms are cut; 0 takes the time")
)

// TestEveryShape plans and runs every edit of every swarm of one to five managers and
// up to two workers. After each step a quorum is up by the world's own count; cut
// after any step, what is planned anew from the hosts alone ends the same; and at the
// end nothing is left to do but what is said to be out of reach. Of swarms of
// up to four nodes it is cut after every step, of larger ones after one, which a printed
// seed chooses.
func TestEveryShape(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	seed := *shapeSeed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("-shape-seed=%d", seed)
	var all []edit
	for managers := 1; managers <= 5; managers++ {
		for workers := 0; workers <= 2; workers++ {
			all = append(all, edits(managers, workers)...)
		}
	}
	var f failures
	var lock sync.Mutex
	var wait sync.WaitGroup
	cuts, parts := 0, runtime.GOMAXPROCS(0)
	for part := range parts {
		wait.Add(1)
		go func() {
			defer wait.Done()
			own, count := failures{}, 0
			for i := part; i < len(all); i += parts {
				e := all[i]
				if len(e.managers)+len(e.workers) <= 4 || *everyCut {
					count += e.check(&own, nil)
				} else {
					count += e.check(&own, rand.New(rand.NewSource(seed+int64(i))))
				}
			}
			lock.Lock()
			defer lock.Unlock()
			cuts += count
			f.merge(own)
		}()
	}
	wait.Wait()
	t.Logf("%d states, %d cuts", len(all), cuts)
	f.report(t)
}

func (f *failures) merge(o failures) {
	for kind, n := range o.count {
		if f.count == nil {
			f.count, f.shown = map[string]int{}, map[string][]string{}
		}
		f.count[kind] += n
		f.shown[kind] = append(f.shown[kind], o.shown[kind]...)[:min(2, len(f.shown[kind])+len(o.shown[kind]))]
	}
}

// check runs one edit to its end, and again cut after every step, or where there is
// chance, after one.
func (e edit) check(f *failures, chance *rand.Rand) (cuts int) {
	whole := e.world()
	var first, last *plan.Plan
	if failed := caught(func(t fataler) { first = whole.plan(t) }); failed != "" {
		f.add("no plan: "+kindOf(failed), e, failed)
		return 0
	}
	if changes := plan.Stale(first, whole.observe(), plan.Done{}); len(changes) > 0 {
		f.add("stale at once: "+string(changes[0].Kind), e, changes[0].Text)
	}
	at := func(int) bool { return true }
	if chance != nil && len(first.Steps) > 0 {
		one := chance.Intn(len(first.Steps))
		at = func(i int) bool { return i == one }
	}
	worlds := make([]*community, len(first.Steps))
	for i, s := range first.Steps {
		e.walk(f, whole, first, s)
		if at(i) {
			e.resumed(f, whole, first, s)
			worlds[i] = whole.copy()
		}
	}
	if failed := caught(func(t fataler) { last = whole.settle(t) }); failed != "" {
		f.add("no plan at the end: "+kindOf(failed), e, failed+"; first: "+stepsOf(first))
		return 0
	}
	e.judge(f, "", whole, first, last)
	if e.down == "" && e.stopped == "" && len(first.Unmet) > 0 && !e.onlyManagerMoves() {
		f.add("all are up, and not all is reached", e, unmetText(first))
	}
	want := whole.end()
	for i, d := range worlds {
		if d == nil || i == len(worlds)-1 {
			continue
		}
		cuts++
		if e.removeDown {
			d.now = d.now.Add(48 * observedSpan) // a demotion changes the entry, from when on it counts as down anew
		}
		var end *plan.Plan
		if d.goesOn(first.Steps[i+1:]) {
			continue // what is planned is what was left to do, and ends where that ended
		}
		if failed := caught(func(t fataler) { end = d.settle(t) }); failed != "" {
			f.add("cut: no plan: "+kindOf(failed), e, failed)
			continue
		}
		where := fmt.Sprintf("cut after %s: ", first.Steps[i].Kind)
		if d.forced["web"] == 0 && whole.forced["web"] > 0 && slices.ContainsFunc(first.Steps[:i+1], func(s plan.Step) bool { return s.Change != nil && s.Change.Labels["io.requeen.rebalance"] != "" }) {
			f.add(where+"nothing is spread over a node that joined", e, stepsOf(first))
		}
		e.judge(f, where, d, first, end)
		if have := d.end(); have != want {
			f.add(where+"another end", e, fmt.Sprintf("%s\n\t\twithout the cut: %s\n\t\tsteps: %s", have, want, stepsOf(first)))
		}
	}
	return cuts
}

// goesOn tells whether the next plan is word for word the rest of another.
func (c *community) goesOn(rest []plan.Step) bool {
	p, err := plan.Build(plan.Input{Config: c.cfg, State: c.observe(), Now: c.now, ToolVersion: "test"})
	return err == nil && slices.EqualFunc(p.Steps, rest, func(a, b plan.Step) bool {
		return a.Kind == b.Kind && a.Node == b.Node && a.Entry == b.Entry && a.Service == b.Service &&
			reflect.DeepEqual(a.Join, b.Join) && reflect.DeepEqual(a.Change, b.Change) && reflect.DeepEqual(a.Settings, b.Settings)
	})
}

// walk runs one step, and looks at what it has come to: the quorum by the world's own
// count.
func (e edit) walk(f *failures, c *community, p *plan.Plan, s plan.Step) {
	up, voters, led := c.up(), len(c.voters), c.leader
	declared := 0
	for _, n := range c.cfg.Nodes {
		if n.Role == schema.RoleManager {
			declared++
		}
	}
	moves := s.Kind == plan.Demote && s.ID < len(p.Steps) && p.Steps[s.ID].Kind == plan.Leave
	c.step(s)
	if gone := up - c.up(); gone > 0 && !moves && c.up() < declared {
		f.add("a manager is demoted before the declared ones are up", e, stepsOf(p))
	}
	if d := voters - len(c.voters); d > 1 || d < -1 || len(c.voters) == 0 {
		f.add("two at once", e, stepsOf(p))
	}
	if s.Kind == plan.Demote && s.Entry == led {
		for _, later := range p.Steps[s.ID:] {
			if later.Kind == plan.Demote {
				f.add("the leader is not the last to be demoted", e, stepsOf(p))
			}
		}
	}
	if m := s.Margin; m.Managers != len(c.voters) || m.Up != c.up() || m.Quorum != len(c.voters)/2+1 || m.Spare != m.Up-m.Quorum {
		f.add("the margin is not so", e, fmt.Sprintf("step %d %s %s: %+v, of %d %d are up", s.ID, s.Kind, s.Where(), m, len(c.voters), c.up()))
	}
}

// resumed looks whether a run that goes on with its journal finds its plan stale,
// after the step and in the middle of it.
func (e edit) resumed(f *failures, c *community, p *plan.Plan, s plan.Step) {
	st := c.observe()
	for _, done := range []plan.Done{{Steps: s.ID}, {Steps: s.ID - 1, Node: s.Node}} {
		if done.Steps == 0 && done.Node == "" {
			continue // nothing is known of a run: it is planned anew
		}
		if changes := plan.Stale(p, st, done); len(changes) > 0 {
			f.add(fmt.Sprintf("stale after %s: %s", s.Kind, changes[0].Kind), e, fmt.Sprintf("%+v: %s (%s)", done, changes[0].Text, stepsOf(p)))
		}
	}
}

// onlyManagerMoves tells whether the one manager is declared at another address and
// none joins it: then it stays where it is.
func (e edit) onlyManagerMoves() bool {
	managers := 0
	for _, fate := range append(append(slices.Clone(e.managers[1:]), e.workers...), e.added...) {
		if fate == asManager || fate == asMoved {
			managers++
		}
	}
	return e.managers[0] == asMoved && managers == 0
}

// judge looks at a world in which nothing is left to do.
func (e edit) judge(f *failures, where string, c *community, first, last *plan.Plan) {
	for _, b := range c.broken {
		f.add(where+b, e, stepsOf(first))
	}
	for _, u := range last.Unmet {
		if !slices.Contains([]string{diag.NodeDiffers, diag.NodeUndeclared, diag.QuorumWouldBeLost, diag.ManagersFirst}, u.Code) {
			f.add(where+"unmet with "+u.Code, e, u.Reason)
		}
	}
	if len(c.voters) > 1 && c.up() == 0 || c.nodes[c.leader] == nil {
		f.add(where+"nobody leads", e, c.end())
	}
	said := unmetText(last)
	byName := map[string]string{}
	for id, n := range c.nodes {
		if c.runs(id) {
			byName[n.Hostname] = id
		}
		if n.Labels["io.requeen.rebalance"] != "" && c.runs(id) {
			f.add(where+"a mark of a new node is left", e, c.end())
		}
		if n.Labels["io.requeen.moves"] != "" && !strings.Contains(said, n.Hostname) {
			f.add(where+"a mark is left", e, c.end())
		}
	}
	for _, n := range c.cfg.Nodes {
		e.met(f, where, c, n, c.nodes[byName[n.Name]] != nil, said)
	}
	for _, id := range slices.Sorted(maps.Keys(c.nodes)) {
		n := c.nodes[id]
		if declared := c.cfg.Node(n.Hostname); declared != nil && c.runs(id) {
			continue
		} else if declared == nil && !e.prune {
			continue
		}
		if !strings.Contains(said, n.Hostname) && n.Hostname != e.down && n.Hostname != e.stopped && !strings.Contains(said, "any could be its own") {
			f.add(where+"an entry is left", e, n.Hostname+": "+c.end())
		}
	}
}

// met looks whether a declared node is in the swarm as it is declared, or said not to be.
func (e edit) met(f *failures, where string, c *community, want schema.Node, in bool, said string) {
	if want.Name == e.down || strings.Contains(said, want.Name+" ") {
		return
	}
	if !in {
		f.add(where+"a declared node is in no swarm, and nothing is said", e, want.Name+": "+c.end())
		return
	}
	m := c.machines[want.Name]
	n := c.nodes[m.id]
	switch {
	case n.Role != want.Role || c.votes(m.id) != (want.Role == schema.RoleManager):
		f.add(where+"a node has another role, and nothing is said", e, want.Name+": "+c.end())
	case want.Role == schema.RoleManager && m.address != want.Address:
		f.add(where+"a manager has another address, and nothing is said", e, want.Name+": "+c.end())
	case want.Labels != nil && !maps.Equal(want.Labels, n.Labels), want.Labels == nil && n.Labels["rack"] != want.Name:
		f.add(where+"a node has other labels", e, want.Name+": "+c.end())
	case want.Availability != "" && want.Availability != n.Availability:
		f.add(where+"a node has another availability", e, want.Name+": "+c.end())
	}
}
