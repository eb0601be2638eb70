//go:build lab

package lab

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBreakAndReset has one lab of three engines, breaks and heals a manager in
// every way, adds a node, and resets all of it.
func TestBreakAndReset(t *testing.T) {
	l := up(t, Options{Name: "tbreak", Managers: 3, Workers: 1, NodeSuites: map[string]string{"m2": "bookworm", "m3": "sid", "w1": "trixie"}})
	t.Run("engines", func(t *testing.T) { labEngines(t, l) })
	must(t, l.WaitServices(t.Context(), "m1"))
	must(t, l.Snapshot(t.Context(), DefaultSnapshot))
	t.Run("break", func(t *testing.T) { labBreak(t, l) })
	t.Run("lead", func(t *testing.T) { labLead(t, l) })
	t.Run("join", func(t *testing.T) { labJoin(t, l) })
	t.Run("reset", func(t *testing.T) { labReset(t, l) })
}

func labEngines(t *testing.T, l *Lab) {
	st, err := l.Status(t.Context())
	must(t, err)
	for _, n := range st.Nodes {
		want := map[string]string{"m2": "20.10.", "m3": "28.", "w1": "26.1."}[n.Name]
		if !strings.HasPrefix(n.Engine, want) || n.Swarm != "active" {
			t.Errorf("%s runs engine %s, and is %s in the swarm", n.Name, n.Engine, n.Swarm)
		}
	}
}

// broken is a way to break m2, and how it looks from m2 itself or, where the
// node can't say, from m1.
type broken struct {
	how  How
	from string
	look string
	want func(string) bool
}

func says(text string) func(string) bool {
	return func(s string) bool { return strings.TrimSpace(s) == text }
}

const reachability = "docker node inspect m2 --format '{{.ManagerStatus.Reachability}}'"

func labBreak(t *testing.T, l *Lab) {
	hourAhead := func(s string) bool {
		seconds, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		by := time.Until(time.Unix(seconds, 0))
		return err == nil && by > 59*time.Minute && by < 61*time.Minute
	}
	for _, b := range []broken{
		{Stop, "m2", "systemctl is-active docker.service docker.socket | sort -u; true", says("inactive")},
		{Crash, "m1", reachability, says("unreachable")},
		{CutOff, "m1", reachability, says("unreachable")},
		{FullDisk, "m2", "echo x 2>/dev/null >/var/lib/docker/swarm/x && echo room || echo full", says("full")},
		{Clock, "m2", "date +%s", hourAhead},
		{Wipe, "m2", "docker info --format '{{.Swarm.LocalNodeState}}'", says("inactive")},
	} {
		t.Run(string(b.how), func(t *testing.T) { labBreakBy(t, l, b) })
	}
}

func labBreakBy(t *testing.T, l *Lab, b broken) {
	must(t, l.Break(t.Context(), "m2", b.how, BreakOptions{By: time.Hour}))
	eventually(t, "m2 to be broken by "+string(b.how), func() bool {
		out, err := l.Run(t.Context(), b.from, b.look)
		return err == nil && b.want(out)
	})
	if err := l.Break(t.Context(), "m2", Stop, BreakOptions{}); err == nil {
		t.Error("what is broken can be broken again")
	}
	if err := l.Snapshot(t.Context(), "broken"); err == nil {
		t.Error("a lab with a broken node can be kept")
	}
	must(t, l.Heal(t.Context(), "m2"))
	n, err := l.Node("m2")
	must(t, err)
	if n.Broken != "" {
		t.Errorf("after it was healed m2 counts as broken: %s", n.Broken)
	}
	if b.how == Wipe {
		return // what is gone is gone
	}
	eventually(t, "m2 to be a manager again", func() bool {
		out, err := l.Run(t.Context(), "m1", reachability)
		return err == nil && says("reachable")(out)
	})
	out, err := l.Run(t.Context(), "m2", "mountpoint -q /usr/bin/date || mountpoint -q /var/lib/docker/swarm || echo bare")
	if err != nil || !says("bare")(out) {
		t.Errorf("a mount of the break is left: %v", err)
	}
}

func labLead(t *testing.T, l *Lab) {
	for _, node := range []string{"m1", "m3"} {
		must(t, l.Lead(t.Context(), node))
		out, err := l.Run(t.Context(), "m1", "docker node inspect "+node+" --format '{{.ManagerStatus.Leader}}'")
		if err != nil || !says("true")(out) {
			t.Errorf("%s does not lead: %q %v", node, out, err)
		}
	}
	if err := l.Lead(t.Context(), "w1"); err == nil {
		t.Error("a worker can lead")
	}
}

func labJoin(t *testing.T, l *Lab) {
	n, err := l.Add(t.Context(), AddOptions{Role: roleWorker, Suite: "trixie", Join: true})
	must(t, err)
	eventually(t, n.Name+" to be ready", func() bool {
		out, err := l.Run(t.Context(), "m1", "docker node inspect "+n.Name+" --format '{{.Status.State}} {{.Description.Engine.EngineVersion}}'")
		return err == nil && strings.HasPrefix(out, "ready 26.1.")
	})
	_, err = l.Run(t.Context(), "m1", "docker node update --label-add later=1 w1")
	must(t, err)
}

// labReset resets a lab of which a manager is wiped, another is down, a label
// changed and a node was added.
func labReset(t *testing.T, l *Lab) {
	must(t, l.Break(t.Context(), "m1", Crash, BreakOptions{}))
	begin := time.Now()
	must(t, l.Reset(t.Context(), DefaultSnapshot))
	t.Logf("reset took %.1f s; 15 s are meant on an idle machine", time.Since(begin).Seconds())
	states := swarmStates(t, l)
	for _, name := range []string{"m1", "m2", "m3", "w1"} {
		if states[name] != "active" {
			t.Errorf("%s is %q after the reset", name, states[name])
		}
	}
	if len(states) != 4 || exists(l.Disk("w2")) {
		t.Errorf("after the reset the lab has %v", states)
	}
	out, err := l.Run(t.Context(), "m2", "docker node ls --format '{{.Hostname}} {{.Status}}' | sort; docker node inspect w1 --format '{{.Spec.Labels}}'")
	if err != nil || out != "m1 Ready\nm2 Ready\nm3 Ready\nw1 Ready\nmap[]\n" {
		t.Errorf("after the reset the swarm is %q, %v", out, err)
	}
	if err := l.Reset(t.Context(), "never"); err == nil || !strings.Contains(err.Error(), DefaultSnapshot) {
		t.Errorf("resetting to a snapshot that is not there: %v", err)
	}
	nodes, err := l.Nodes()
	must(t, err)
	if slices.ContainsFunc(nodes, func(n Node) bool { return n.Broken != "" }) {
		t.Errorf("after the reset something counts as broken: %v", nodes)
	}
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	must(t, WaitFor(t.Context(), time.Minute, what, func() (bool, error) { return cond(), nil }))
}
