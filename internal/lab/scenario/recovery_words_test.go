//go:build lab

package scenario

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// recoveryPlan is what the tests read of a plan that recovers.
type recoveryPlan struct {
	Condition struct{ Name string }
	Steps     []struct {
		Kind, Node, Backup, Recovery string
		With                         []string
	}
	Unmet, Hazards []hazard
	Recovery       *struct {
		ID, Rung, Node, Backup, Repository string
		Survivors                          []struct {
			Node        string
			Term, Index uint64
			Chosen      bool
			Loses       string
		}
		Unfenced []struct {
			Node         string
			Acknowledged bool
		}
		Containers []struct {
			Node, Container, Name, Service, Fate string
			Running                              bool
			AnonymousVolumes                     []string `json:"anonymous_volumes"`
		}
	}
	Digest string
}

type hazard struct{ Code, Node, Reason, Text string }

// tells says whether a plan has a hazard.
func (p recoveryPlan) tells(code string) bool {
	return slices.ContainsFunc(p.Hazards, func(h hazard) bool { return h.Code == code })
}

// append adds to the configuration.
func (s *swarm) append(text string) {
	s.t.Helper()
	old, err := os.ReadFile(filepath.Join(s.dir, "lab.rq.hcl"))
	must(s.t, err)
	s.configure(string(old) + text)
}

// planFile plans and reads what was written.
func (s *swarm) planFile(file string, flags ...string) recoveryPlan {
	s.t.Helper()
	_ = os.Remove(filepath.Join(s.dir, file))
	s.run(append([]string{"plan", "-out", file}, flags...)...) // 1 where something is unmet and nothing is to be done
	return s.readPlan(file)
}

func (s *swarm) readPlan(file string) recoveryPlan {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, file))
	must(s.t, err)
	var p recoveryPlan
	must(s.t, json.Unmarshal(data, &p))
	return p
}

// plans expects a recovery by a rung, out of a node.
func (s *swarm) plans(rung, node string) recoveryPlan {
	s.t.Helper()
	p := s.planFile("recovery.plan")
	if p.Recovery == nil || p.Recovery.Rung != rung || node != "" && p.Recovery.Node != node {
		s.t.Fatalf("want a recovery by %s out of %q, have %+v", rung, node, p)
	}
	return p
}

// recovers plans, has the digest approve it, and applies.
func (s *swarm) recovers(rung, node string) recoveryPlan {
	s.t.Helper()
	p := s.plans(rung, node)
	begin := time.Now()
	s.does("apply", "-digest", p.Digest, "recovery.plan")
	s.t.Logf("%s took %.1f s", rung, time.Since(begin).Seconds())
	return p
}

// atOnce runs f for every node side by side.
func (s *swarm) atOnce(nodes []string, f func(node string) error) {
	s.t.Helper()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { errs[i] = f(n) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			s.t.Fatalf("%s: %v", nodes[i], err)
		}
	}
}

// managerNames are the managers of a swarm of three.
var managerNames = []string{"m1", "m2", "m3"}

// powerCut ends nodes at once, does something to their disks, and boots them.
func (s *swarm) powerCut(nodes []string, meanwhile func(node string) error) {
	s.t.Helper()
	s.atOnce(nodes, func(n string) error { return s.lab.Kill(s.ctx, n) })
	s.atOnce(nodes, meanwhile)
	s.atOnce(nodes, func(n string) error { return s.lab.StartNode(s.ctx, n) })
}

// newDisk is a node's disk without a swarm on it.
func (s *swarm) newDisk(node string) error {
	found, err := filepath.Glob(s.lab.Disk(node, "swarm*"))
	for _, dir := range found {
		if err == nil {
			err = os.RemoveAll(dir)
		}
	}
	return err
}

// loses has managers lose their power and come back with new disks.
func (s *swarm) loses(nodes ...string) {
	s.t.Helper()
	s.powerCut(nodes, s.newDisk)
}

// holdings is what a swarm holds, by what a recovery must bring back.
type holdings struct {
	swarm   string // its ID
	objects string // services, secrets, configs and networks with IDs and specs
	nodes   []string
	ids     map[string]string // hostname to node ID
}

func (s *swarm) holdings(from string) holdings {
	s.t.Helper()
	h := holdings{ids: map[string]string{}}
	h.swarm = s.on(from, "docker info -f '{{.Swarm.Cluster.ID}}'")
	h.objects = s.on(from, `
		docker service inspect -f 'service {{.ID}} {{.Spec.Name}} {{json .Spec.TaskTemplate}} {{json .Spec.Mode}}' $(docker service ls -q) | sort
		docker secret inspect -f 'secret {{.ID}} {{.Spec.Name}}' $(docker secret ls -q) | sort
		docker config inspect -f 'config {{.ID}} {{.Spec.Name}} {{json .Spec.Data}}' $(docker config ls -q) | sort
		docker network ls --no-trunc -f scope=swarm --format 'network {{.ID}} {{.Name}}' | sort`)
	text := s.on(from, `docker node inspect -f '{{.ID}} {{.Description.Hostname}} {{.Spec.Role}} {{.Spec.Availability}} {{json .Spec.Labels}}' $(docker node ls -q)`)
	for _, line := range strings.Split(text, "\n") {
		id, rest, _ := strings.Cut(line, " ")
		h.nodes = append(h.nodes, rest)
		name, _, _ := strings.Cut(rest, " ")
		h.ids[name] = id
	}
	slices.Sort(h.nodes)
	return h
}

// recovered says what holds after every recovery: all managers in one swarm, with
// all that it held, and nothing held back. keep are the nodes that have the node
// IDs that they had.
func (s *swarm) recovered(before holdings, keep ...string) {
	s.t.Helper()
	s.allBack()
	s.oneSwarm()
	var now holdings
	s.eventually(time.Minute, "every node to be ready", func() (bool, error) {
		out := s.on("m1", `docker node ls --format '{{.Status}}'`)
		return !strings.Contains(out, "Down") && !strings.Contains(out, "Unknown"), nil
	})
	now = s.holdings("m1")
	if now.swarm != before.swarm {
		s.t.Errorf("the swarm was %s, it is %s", before.swarm, now.swarm)
	}
	for _, line := range strings.Split(before.objects, "\n") {
		if !strings.Contains(now.objects, line) {
			s.t.Errorf("the swarm does not hold what it held: %s", line)
		}
	}
	if !slices.Equal(now.nodes, before.nodes) {
		s.t.Errorf("the nodes were %v, they are %v", before.nodes, now.nodes)
	}
	for _, name := range keep {
		if now.ids[name] != before.ids[name] {
			s.t.Errorf("%s had the node ID %s, it has %s", name, before.ids[name], now.ids[name])
		}
	}
	s.nothingHeld()
}

// oneSwarm says that all managers see one leader, one list and one swarm.
func (s *swarm) oneSwarm() {
	s.t.Helper()
	s.eventually(time.Minute, "the managers to agree", func() (bool, error) {
		seen := map[string]bool{}
		for _, m := range s.members {
			out, err := s.lab.Run(s.ctx, m, `timeout 10 docker info -f '{{.Swarm.Cluster.ID}}' && timeout 10 docker node ls --format '{{.ID}} {{.Hostname}} {{.ManagerStatus}}' | sort`)
			if err != nil {
				return false, nil
			}
			seen[out] = true
		}
		return len(seen) == 1, nil
	})
}

// nothingHeld says that no recovery holds an engine, nothing prepared is left, and
// nothing of a run either.
func (s *swarm) nothingHeld() {
	s.t.Helper()
	for _, node := range s.members {
		out := s.on(node, `ls -d /var/lib/requeen/recoveries/*/hold /etc/systemd/system/docker.*.d/*requeen* \
			/var/lib/docker/swarm.requeen-*.new /var/lib/docker/swarm.requeen-*.part* 2>/dev/null; true`)
		if out != "" {
			s.t.Errorf("%s: a recovery left:\n%s", node, out)
		}
	}
	s.nothingLeft()
}

// asides are what recoveries have set aside on a node.
func (s *swarm) asides(node string) []string {
	s.t.Helper()
	return strings.Fields(s.on(node, "ls -d /var/lib/docker/swarm.requeen-* 2>/dev/null; true"))
}

// asideOf says that a recovery's set-aside with a raft log is on the node, and
// that status lists it.
func (s *swarm) asideOf(p recoveryPlan, node string) {
	s.t.Helper()
	path := "/var/lib/docker/swarm.requeen-" + p.Recovery.ID
	s.on(node, "ls "+path+"/raft/*/*.wal "+path+"/certificates/swarm-node.key")
	if r := s.run("status"); !strings.Contains(strings.Join(strings.Fields(r.stdout), ""), path) {
		s.t.Errorf("status does not list %s of %s:\n%s", path, node, r.stdout)
	}
}

// containers are those that run on a node.
func (s *swarm) containers(node string) []string {
	s.t.Helper()
	return strings.Fields(s.on(node, "docker ps -q --no-trunc"))
}

// stillRun says that containers were not touched.
func (s *swarm) stillRun(node string, before []string) {
	s.t.Helper()
	now := s.containers(node)
	for _, id := range before {
		if !slices.Contains(now, id) {
			s.t.Errorf("%s: container %.12s does not run any more", node, id)
		}
	}
	if len(before) == 0 {
		s.t.Errorf("%s ran no container", node)
	}
}

// nextPlanBacksUp says that the next plan is a backup and no more; then it is
// taken, and nothing is to be done.
func (s *swarm) nextPlanBacksUp() {
	s.t.Helper()
	if s.nextPlanIsABackup() {
		s.does("apply", "next.plan")
		s.allBack()
	}
	s.nothingToDo()
	s.nothingHeld()
}

// nextPlanIsABackup says that the next plan is a backup and no more, and whether one
// is due.
func (s *swarm) nextPlanIsABackup() (due bool) {
	s.t.Helper()
	p := s.planFile("next.plan")
	for _, step := range p.Steps {
		if step.Backup == "" {
			s.t.Errorf("after the recovery the next plan has the step %+v", step)
		}
	}
	if p.Recovery != nil || len(p.Unmet) > 0 {
		s.t.Errorf("after the recovery the next plan has the recovery %+v and unmet %+v", p.Recovery, p.Unmet)
	}
	return len(p.Steps) > 0
}

// nextPlanAfterPoint is nextPlanBacksUp; of make torture's hundreds of points every
// fifth alone takes the backup.
func (s *swarm) nextPlanAfterPoint(n int) {
	s.t.Helper()
	if torture() && n%5 != 0 {
		s.nextPlanIsABackup()
		s.nothingHeld()
		return
	}
	s.nextPlanBacksUp()
}

// secret creates a secret on a manager.
func (s *swarm) secret(node, name string) {
	s.t.Helper()
	s.on(node, fmt.Sprintf("printf %%s %s | docker secret create %s - >/dev/null", name, name))
}

// hasSecret asks a manager.
func (s *swarm) hasSecret(node, name string) bool {
	s.t.Helper()
	return slices.Contains(strings.Fields(s.namesOn(node, "secret")), name)
}
