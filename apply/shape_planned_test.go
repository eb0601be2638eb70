package apply_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// wish is a world and the shape that is declared of it.
type wish struct {
	name    string
	make    func() *applytest.World
	declare func(*schema.Config)
	kinds   string // that the plan has
	ends    func(*applytest.World) []string
}

// declared declares the world's hosts as they are made, which declare may change.
func declared(w *applytest.World, declare func(*schema.Config)) *schema.Config {
	c := config(w)
	c.Backups = nil
	for i := range c.Nodes {
		if !strings.HasPrefix(c.Nodes[i].Name, "m") {
			c.Nodes[i].Role = schema.RoleWorker
		}
	}
	c.Recovery = &schema.Recovery{UnlockKeyTo: schema.UnlockKeyTo{Command: "keep"}}
	declare(c)
	return c
}

func nodeOf(c *schema.Config, name string) *schema.Node {
	for i := range c.Nodes {
		if c.Nodes[i].Name == name {
			return &c.Nodes[i]
		}
	}
	return nil
}

func worker(names ...string) func(*schema.Config) {
	return func(c *schema.Config) {
		for _, n := range names {
			nodeOf(c, n).Role = schema.RoleWorker
		}
	}
}

var wishes = []wish{
	{"grow", func() *applytest.World {
		w := applytest.New(1)
		w.AddHost("m2")
		w.AddHost("m3")
		w.AddHost("w1")
		return w
	}, func(c *schema.Config) {
		nodeOf(c, "w1").Labels = map[string]string{"zone": "a"}
	}, "join update-node", looks("m2 m3 m1 | w1 | ")},
	{"roles", func() *applytest.World {
		w := applytest.New(3)
		w.AddWorker("w1")
		return w
	}, func(c *schema.Config) {
		worker("m1")(c)
		nodeOf(c, "w1").Role = schema.RoleManager
	}, "promote demote", looks("w1 m2 m3 | m1 | ")},
	{"shrink", func() *applytest.World { return applytest.New(3) }, worker("m1", "m2"), "demote", looks("m3 | m1 m2 | ")},
	{"a manager goes", func() *applytest.World {
		w := applytest.New(5)
		return w
	}, func(c *schema.Config) {
		c.Nodes = c.Nodes[:3]
		c.Cluster.PruneNodes = true
	}, "demote remove-node", nil},
	{"the leader's address", func() *applytest.World {
		w := applytest.New(3)
		w.Advertise("m1", "10.9.9.9")
		return w
	}, func(c *schema.Config) { nodeOf(c, "m1").Labels = map[string]string{"zone": "a"} }, "demote leave remove-node join update-node",
		func(w *applytest.World) []string {
			wrong := looks("m1 m2 m3 |  | ")(w)
			for _, n := range w.State().Swarm.Nodes {
				if n.Hostname == "m1" && (n.ManagerAddr != "10.0.0.11:2377" || n.Labels["zone"] != "a") {
					wrong = append(wrong, fmt.Sprintf("m1 is %+v", n))
				}
			}
			return wrong
		}},
	{"the dead", func() *applytest.World {
		w := applytest.New(5)
		w.AddWorker("w1")
		w.Crash("m5")
		w.Crash("w1")
		w.Clock.Advance(3 * time.Hour)
		return w
	}, func(c *schema.Config) { c.Cluster.RemoveDownAfter = time.Hour }, "demote remove-node", looks("m1 m2 m3 m4 |  | ")},
	{"strangers", func() *applytest.World {
		w := applytest.New(3)
		w.AddWorker("w1")
		w.AddWorker("w2")
		w.SetTasks("w2", 3)
		return w
	}, func(c *schema.Config) {
		c.Nodes = c.Nodes[:4]
		c.Cluster.PruneNodes = true
		nodeOf(c, "w1").Labels = map[string]string{"disk": "ssd"}
		nodeOf(c, "m2").Availability = "active"
	}, "update-node remove-node", looks("m1 m2 m3 | w1 | ")},
	{"another host", func() *applytest.World {
		w := applytest.New(3)
		w.AddHost("m4")
		w.AddService("web")
		return w
	}, func(c *schema.Config) {
		worker("m1")(c)
		c.Cluster.Rebalance = []string{"web"}
	}, "join demote rebalance", func(w *applytest.World) []string {
		wrong := looks("m4 m2 m3 | m1 | ")(w)
		for _, n := range w.State().Swarm.Nodes {
			if len(n.Labels) > 0 {
				wrong = append(wrong, fmt.Sprintf("%s has %v", n.Hostname, n.Labels))
			}
		}
		return wrong
	}},
	{"come back", func() *applytest.World {
		w := applytest.New(5)
		w.Autolock = true
		w.AddWorker("w1")
		w.SetEngine("w1", false)
		w.SetEngine("m5", false)
		w.Forgets("m4")
		return w
	}, func(c *schema.Config) { nodeOf(c, "w1").Labels = map[string]string{"zone": "a"} }, "start unlock update-node", looks("m1 m2 m3 m4 m5 | w1 | ")},
	{"settings", func() *applytest.World { return applytest.New(3) }, func(c *schema.Config) {
		c.Cluster.Autolock = yes()
		c.Cluster.Settings.TaskHistoryLimit = ptr(int64(3))
	}, "update-swarm", func(w *applytest.World) []string {
		if made, delivered := w.Keys(); !w.Autolock || made != 1 || delivered != 1 {
			return []string{fmt.Sprintf("autolock %v, keys %d and %d", w.Autolock, made, delivered)}
		}
		return nil
	}},
}

func planShape(t *testing.T, w *applytest.World, x wish) *plan.Plan {
	t.Helper()
	p, err := plan.Build(plan.Input{Config: declared(w, x.declare), State: w.State(), Now: w.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPlannedShapes kills the run of what is planned for each wish at every point
// there is, and applies again from the journal, or plans and applies again without it:
// the end is the same, and nothing is left to plan.
func TestPlannedShapes(t *testing.T) {
	for _, x := range wishes {
		for _, journal := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s,journal=%v", x.name, journal), func(t *testing.T) {
				for at := 1; ; at++ {
					if killed := x.cutAt(t, at, journal); !killed {
						return
					}
				}
			})
		}
	}
}

func (x wish) cutAt(t *testing.T, at int, journal bool) (killed bool) {
	t.Helper()
	w := x.make()
	p := planShape(t, w, x)
	for _, k := range strings.Fields(x.kinds) {
		if !strings.Contains(kindsOf(p), k) {
			t.Fatalf("no step %s in %s", k, kindsOf(p))
		}
	}
	cut := &points{at: at, do: func() error { panic(kill{}) }}
	q := cut.attach(w, approved(p, t.TempDir()))
	_, err, killed := start(w.Process(), q)
	where := fmt.Sprintf("cut %d (%s)", at, cut.where)
	w.Hook = nil
	w.Clock.Advance(time.Duration(at%4) * 2 * time.Second)
	switch {
	case killed && journal:
		_, _, err = resume(t, w, q)
	case killed:
		err = x.planAgain(t, w)
	}
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return killed
	}
	w.Clock.Advance(time.Minute)
	wrong := w.End(0)
	if x.ends != nil {
		wrong = append(wrong, x.ends(w)...)
	}
	for _, text := range wrong {
		t.Errorf("%s: %s", where, text)
	}
	if next := planShape(t, w, x); len(next.Steps) > 0 {
		t.Errorf("%s: afterwards %s", where, next.Summary)
	}
	return killed
}

// planAgain plans and applies, without a journal, until nothing is planned any more.
func (x wish) planAgain(t *testing.T, w *applytest.World) error {
	t.Helper()
	w.FreeDeadLocks()
	for i := range 6 {
		w.Clock.Advance(10 * time.Second)
		p := planShape(t, w, x)
		if len(p.Steps) == 0 {
			return nil
		}
		q := approved(p, t.TempDir())
		q.Digest = "sha256:" + strings.Repeat(fmt.Sprint(i), 64)
		q.Approval.Digest = q.Digest
		if _, err, _ := start(w.Process(), q); err != nil {
			return fmt.Errorf("plan %d (%s): %w", i, p.Summary, err)
		}
	}
	return nil
}
