//go:build lab

package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// TestShapeOn28 changes the shape of one swarm by editing its configuration: each
// story goes on from where the one before ended.
func TestShapeOn28(t *testing.T) { shapes(t, lab.Options{Name: "g28", Suite: "sid", Managers: 1}) }

func shapes(t *testing.T, o lab.Options) {
	g := &shaped{swarm: newSwarm(t, o), nodes: map[string]*declared{"m1": {role: "manager"}}}
	for _, role := range []string{"manager", "manager", "worker", "worker", "manager"} {
		g.adds(role)
	}
	for _, story := range []struct {
		name string
		tell func(*shaped)
	}{
		{"one manager grows to three and two workers", (*shaped).grows},
		{"labels and availability changed by hand are put back", (*shaped).putBack},
		{"a dead worker is removed", (*shaped).deadWorker},
		{"a manager gets another address", (*shaped).readdressed},
		{"a manager moves to another host", (*shaped).moves},
		{"an edit that would lose the quorum is refused", (*shaped).quorumLost},
		{"three managers shrink to one", (*shaped).shrinks},
	} {
		if !t.Run(story.name, func(t *testing.T) {
			g.fresh(t)
			g.writes()
			story.tell(g)
		}) {
			break // the next one goes on from here
		}
	}
}

// shaped is a swarm whose configuration is written from what a test declares.
type shaped struct {
	*swarm
	nodes   map[string]*declared
	cluster string // more of the cluster block
}

// declared is a node block; an empty role leaves it out.
type declared struct {
	role, more string
	address    string // "" for the lab's
}

// adds boots one more host, which is in no swarm and not declared.
func (g *shaped) adds(role string) {
	n, err := g.lab.Add(g.ctx, lab.AddOptions{Role: role})
	must(g.t, err)
	g.nodes[n.Name] = &declared{}
}

// writes writes the configuration down.
func (g *shaped) writes() {
	g.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "cluster %q {\n%s}\n", g.lab.Name(), g.cluster)
	for _, name := range slices.Sorted(maps.Keys(g.nodes)) {
		d := g.nodes[name]
		if d.role == "" {
			continue
		}
		n, err := g.lab.Node(name)
		must(g.t, err)
		address := d.address
		if address == "" {
			address = n.Address
		}
		fmt.Fprintf(&b, "\nnode %q {\n  address = %q\n  role    = %q\n%s\n  connection {\n    ssh = %q\n  }\n}\n", name, address, d.role, d.more, "root@"+n.Address)
	}
	g.configure(b.String())
}

// applies plans, has the digest approve it, applies, and wants nothing left to do.
// It gives the kinds and nodes of the steps.
func (g *shaped) applies() []string {
	g.t.Helper()
	g.writes()
	p := g.planFile("shape.plan")
	var steps []string
	for _, s := range p.Steps {
		steps = append(steps, s.Kind+" "+s.Node)
	}
	g.does("apply", "-digest", p.Digest, "shape.plan")
	g.nothingToDo()
	return steps
}

// lists is the swarm's list of nodes as a manager gives it, one line a node.
func (g *shaped) lists(format string) []string {
	g.t.Helper()
	list := strings.Split(g.on("m1", "docker node ls --format '"+format+"'"), "\n")
	slices.Sort(list)
	return list
}

func (g *shaped) wants(format string, want ...string) {
	g.t.Helper()
	if have := g.lists(format); !slices.Equal(have, want) {
		g.t.Errorf("the swarm lists %v, want %v", have, want)
	}
}

const roles = "{{.Hostname}} {{if .ManagerStatus}}manager{{else}}worker{{end}} {{.Status}}"

func (g *shaped) grows() {
	g.nodes["m2"].role, g.nodes["m3"].role = "manager", "manager"
	g.nodes["w1"].role, g.nodes["w2"].role = "worker", "worker"
	g.nodes["m2"].more = `  labels = { zone = "b" }`
	g.nodes["w1"].more = `  availability = "active"`
	g.cluster = "  settings {\n    task_history_limit = 3\n  }\n"
	steps := g.applies()
	for _, want := range []string{"join m2", "join m3", "join w1", "join w2", "update-node m2"} {
		if !slices.Contains(steps, want) {
			g.t.Errorf("the plan has no step %q: %v", want, steps)
		}
	}
	g.wants(roles, "m1 manager Ready", "m2 manager Ready", "m3 manager Ready", "w1 worker Ready", "w2 worker Ready")
	if got := g.on("m1", "docker node inspect m2 -f '{{.Spec.Labels.zone}} {{.ManagerStatus.Addr}}'"); !strings.HasPrefix(got, "b ") {
		g.t.Errorf("m2 has the label and address %q", got)
	}
	if got := g.on("m1", "docker info -f '{{.Swarm.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit}}'"); got != "3" {
		g.t.Errorf("the task history limit is %s", got)
	}
	g.members = []string{"m1", "m2", "m3"}
	g.allBack()
}

func (g *shaped) putBack() {
	g.on("m1", "docker node update --label-add zone=z --label-add odd=1 m2 && docker node update --availability drain w1")
	steps := g.applies()
	slices.Sort(steps)
	if !slices.Equal(steps, []string{"update-node m2", "update-node w1"}) {
		g.t.Errorf("the plan has the steps %v", steps)
	}
	if got := g.on("m1", "docker node inspect m2 -f '{{json .Spec.Labels}}' && docker node inspect w1 -f '{{.Spec.Availability}}'"); got != "{\"zone\":\"b\"}\nactive" {
		g.t.Errorf("m2 and w1 have %q", got)
	}
}

// deadWorker has a worker's host gone for good: its entry is removed once it was
// down for long enough, and not before.
func (g *shaped) deadWorker() {
	must(g.t, g.lab.Kill(g.ctx, "w2"))
	g.cluster += "  remove_down_after = \"1m\"\n"
	g.writes()
	g.eventually(2*time.Minute, "w2 to be down", func() (bool, error) {
		return slices.Contains(g.lists("{{.Hostname}} {{.Status}}"), "w2 Down"), nil
	})
	g.eventually(2*time.Minute, "w2 to be down for long enough", func() (bool, error) {
		return len(g.planFile("early.plan").Steps) > 0, nil
	})
	if steps := g.applies(); !slices.Equal(steps, []string{"remove-node w2"}) {
		g.t.Errorf("the plan has the steps %v", steps)
	}
	g.wants("{{.Hostname}}", "m1", "m2", "m3", "w1")
	g.nodes["w2"].role = ""
}

// readdressed declares another address for a manager that has it too.
func (g *shaped) readdressed() {
	n, err := g.lab.Node("m3")
	must(g.t, err)
	g.nodes["m3"].address = n.Address[:strings.LastIndex(n.Address, ".")+1] + "203"
	g.on("m3", "ip addr add "+g.nodes["m3"].address+"/24 dev host0")
	g.on("m1", "docker node update --label-add kept=yes m3")
	g.applies()
	g.allBack()
	if got := g.on("m1", "docker node inspect m3 -f '{{.ManagerStatus.Addr}} {{.Spec.Labels.kept}}'"); got != g.nodes["m3"].address+":2377 yes" {
		g.t.Errorf("m3 has the address and label %q", got)
	}
}

// moves has the place of a manager taken by another host, which is a manager before
// the old one goes.
func (g *shaped) moves() {
	g.nodes["m3"].role, g.nodes["m4"].role = "", "manager"
	g.cluster += "  prune_nodes = true\n"
	steps := g.applies()
	if join, demote := slices.Index(steps, "join m4"), slices.IndexFunc(steps, func(s string) bool { return strings.HasPrefix(s, "demote") }); join < 0 || demote < join {
		g.t.Errorf("the new manager does not come before the old one goes: %v", steps)
	}
	g.members = []string{"m1", "m2", "m4"}
	g.allBack()
	g.wants(roles, "m1 manager Ready", "m2 manager Ready", "m4 manager Ready", "w1 worker Ready")
}

// quorumLost declares a manager a worker while another one is down.
func (g *shaped) quorumLost() {
	g.on("m4", "systemctl stop docker.socket docker.service; systemctl mask docker.service") // else it would be started
	g.eventually(2*time.Minute, "m4 to be unreachable", func() (bool, error) {
		return slices.Contains(g.lists("{{.Hostname}} {{.ManagerStatus}}"), "m4 Unreachable"), nil
	})
	g.nodes["m2"].role = "worker"
	g.writes()
	r := g.run("plan")
	if text := strings.Join(strings.Fields(r.both()), " "); !strings.Contains(text, "quorum") || strings.Contains(text, "demote m2") || r.status != 1 {
		g.t.Errorf("the demotion is not refused: exit %d\n%s", r.status, r.both())
	}
	g.nodes["m2"].role = "manager"
	g.on("m4", "systemctl unmask docker.service; systemctl reset-failed docker.service; systemctl start docker.service docker.socket")
	g.allBack()
}

func (g *shaped) shrinks() {
	g.nodes["m2"].role, g.nodes["m4"].role = "worker", "worker"
	steps := g.applies()
	slices.Sort(steps)
	if !slices.Equal(steps, []string{"demote m2", "demote m4"}) {
		g.t.Errorf("the plan has the steps %v", steps)
	}
	g.wants(roles, "m1 manager Ready", "m2 worker Ready", "m4 worker Ready", "w1 worker Ready")
}
