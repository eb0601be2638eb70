//go:build lab

package scenario

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

const stopEngine = "systemctl stop docker.socket docker.service"

// allStopped has every engine stopped: they are started, and nothing else is done.
func (s *swarm) allStopped() {
	before := s.holdings("m1")
	s.atOnce(managerNames, func(n string) error { _, err := s.lab.Run(s.ctx, n, stopEngine); return err })
	p := s.recovers("start", "")
	for _, step := range p.Steps {
		if step.Kind != "start" {
			s.t.Errorf("more than a start is planned: %+v", step)
		}
	}
	s.recovered(before, "m1", "m2", "m3", "w1")
	for _, m := range managerNames {
		if list := s.asides(m); strings.Contains(strings.Join(list, " "), p.Recovery.ID) {
			s.t.Errorf("%s: something was set aside: %v", m, list)
		}
	}
}

// someStopped has a follower's and the worker's engines stopped while the rest is a
// quorum: they are started, and nothing else is done. The kept backup is fresh.
func (s *swarm) someStopped() {
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	down := "m3"
	if s.leader() == down {
		down = "m2"
	}
	s.atOnce([]string{down, "w1"}, func(n string) error { _, err := s.lab.Run(s.ctx, n, stopEngine); return err })
	s.eventually(time.Minute, down+" and w1 to be seen as down", func() (bool, error) {
		out, err := s.lab.Run(s.ctx, "m1", "timeout 10 docker node ls --format '{{.Status}}'")
		return strings.Count(out, "Down") == 2, err
	})
	p := s.planFile("start.plan")
	var kinds []string
	for _, step := range p.Steps {
		kinds = append(kinds, step.Kind+" "+step.Node)
	}
	if have, want := strings.Join(kinds, ", "), "start "+down+", start w1"; p.Recovery != nil || p.Condition.Name != "degraded" || have != want {
		s.t.Fatalf("the swarm is %s and %q is planned, want %q", p.Condition.Name, have, want)
	}
	s.does("apply", "start.plan")
	s.recovered(before, "m1", "m2", "m3", "w1")
	s.nothingToDo()
}

// twoReplaced has two of three managers come back with new disks.
func (s *swarm) twoReplaced() {
	before, worker := s.holdings("m1"), s.containers("w1")
	s.loses("m2", "m3")
	p := s.recovers("force_new_cluster", "m1")
	s.recovered(before, "m1", "w1")
	s.stillRun("w1", worker)
	s.asideOf(p, "m1")
	s.safetyCopy()
	s.nextPlanBacksUp()
}

// safetyCopy says that what the survivor held is in the repository.
func (s *swarm) safetyCopy() {
	s.t.Helper()
	list := s.backups()
	for _, b := range list {
		if b.Verified == "raft" && b.Problem == nil {
			return
		}
	}
	s.t.Errorf("no safety copy is in the repository: %+v", list)
}

// allReplaced has every manager come back with a new disk, after a backup.
func (s *swarm) allReplaced() {
	s.does("apply", "-auto-approve")
	s.allBack()
	before, worker := s.holdings("m1"), s.containers("w1")
	s.loses(managerNames...)
	s.recovers("restore", "")
	s.recovered(before, "w1")
	s.stillRun("w1", worker)
	s.nextPlanBacksUp()
}

// powerFails creates a secret and cuts the power of every manager at once; only
// the leader's disk comes back.
func (s *swarm) powerFails() {
	leader := s.leader()
	before := s.holdings("m1")
	name := fmt.Sprintf("last-%d", rand.IntN(1e6))
	s.secret(leader, name)
	s.powerCut(managerNames, func(n string) error {
		if n == leader {
			return nil
		}
		return s.newDisk(n)
	})
	s.recovers("force_new_cluster", leader)
	s.recovered(before, leader, "w1")
	if !s.hasSecret("m1", name) {
		s.t.Errorf("the secret %s was acknowledged, and is lost", name)
	}
}

// logsDiffer writes while one manager is cut off; then no engine remembers its
// swarm and the third disk is new. The furthest is chosen.
func (s *swarm) logsDiffer() {
	s.lead("m2")
	before := s.holdings("m2")
	must(s.t, s.lab.Break(s.ctx, "m3", lab.CutOff, lab.BreakOptions{From: []string{"m1", "m2"}}))
	name := fmt.Sprintf("far-%d", rand.IntN(1e6))
	s.secret("m2", name)
	s.powerCut(managerNames, func(n string) error {
		if n == "m1" {
			return s.newDisk(n)
		}
		return os.Remove(s.lab.Disk(n, "swarm", "docker-state.json"))
	})
	must(s.t, s.lab.Heal(s.ctx, "m3"))
	p := s.recovers("force_new_cluster", "m2")
	lost := ""
	for _, v := range p.Recovery.Survivors {
		if v.Node == "m3" && !v.Chosen {
			lost = v.Loses
		}
	}
	if !strings.Contains(lost, "entries") || !strings.Contains(lost, "m2") {
		s.t.Errorf("the plan does not say what choosing m3 would lose: %+v", p.Recovery.Survivors)
	}
	s.recovered(before, "m2", "m3", "w1")
	if !s.hasSecret("m1", name) {
		s.t.Errorf("the secret %s, which only the furthest survivor has, is lost", name)
	}
}

func (s *swarm) lead(node string) {
	s.t.Helper()
	must(s.t, s.lab.Lead(s.ctx, node))
	s.allBack()
}

// deadReturn has two managers crash and stay away; after the recovery they come
// back with the disks that they had.
func (s *swarm) deadReturn() {
	before := s.holdings("m1")
	s.crashes("m2", "m3")
	p := s.plans("force_new_cluster", "m1")
	s.refuses([]string{"RQ121"}, "apply", "-approve", "RQ120", "recovery.plan")
	s.edit("recovery {", "recovery {\n  assume_dead = [\"m2\", \"m3\"]")
	p = s.recovers("force_new_cluster", "m1")
	if len(p.Recovery.Unfenced) != 2 {
		s.t.Errorf("want two managers that are not fenced, have %+v", p.Recovery.Unfenced)
	}
	s.secret("m1", "after")
	s.atOnce([]string{"m2", "m3"}, func(n string) error { return s.lab.Heal(s.ctx, n) })
	s.edit("\n  assume_dead = [\"m2\", \"m3\"]", "")
	s.planUntilWhole()
	s.recovered(before, "m1", "m2", "m3", "w1")
	if !s.hasSecret("m2", "after") {
		s.t.Error("what was written after the recovery was lost when old managers came back")
	}
	s.on("m1", "docker secret rm after")
}

// crashes has managers lose their power, and waits until m1 says that there is no
// leader, as plan would for two minutes.
func (s *swarm) crashes(nodes ...string) {
	s.t.Helper()
	s.atOnce(nodes, func(n string) error { return s.lab.Break(s.ctx, n, lab.Crash, lab.BreakOptions{}) })
	s.leaderless("m1")
	s.env = append(s.env, "RQ_TESTONLY_LOOKED_BEFORE=150s")
}

// leaderless waits until managers say that there is no leader. One that led before
// goes on to write in its log until then, which makes a plan stale.
func (s *swarm) leaderless(nodes ...string) {
	s.t.Helper()
	for _, n := range nodes {
		s.eventually(2*time.Minute, n+" to say that there is no leader", func() (bool, error) {
			out, err := s.lab.Run(s.ctx, n, "timeout 5 docker info -f '{{.Swarm.Error}}'")
			return err == nil && strings.Contains(out, "does not have a leader"), nil
		})
	}
}

// planUntilWhole applies plans until every manager is back.
func (s *swarm) planUntilWhole() {
	s.t.Helper()
	var planned time.Time
	s.eventually(4*time.Minute, "plans to bring every manager back", func() (bool, error) {
		if list, err := s.managers("m1"); err == nil && len(list) == 3 {
			up := 0
			for _, word := range list {
				if word == "leader" || word == "reachable" {
					up++
				}
			}
			if up == 3 {
				return true, nil
			}
		}
		if time.Since(planned) < 5*time.Second {
			return false, nil
		}
		planned = time.Now()
		if p := s.planFile("again.plan"); p.Recovery != nil {
			if p.Recovery.Rung != "grow" && p.Recovery.Rung != "start" {
				s.t.Fatalf("the old managers make plan think of %+v", p.Recovery)
			}
			s.run("apply", "-digest", p.Digest, "again.plan")
			return false, nil
		}
		return false, nil
	})
}

// fencedReturn stops two managers' engines for good, with their state on the
// disks: they are fenced, and come back with their node IDs.
func (s *swarm) fencedReturn() {
	before := s.holdings("m1")
	s.powerCut(managerNames, func(n string) error { return os.Remove(s.lab.Disk(n, "swarm", "docker-state.json")) })
	p := s.recovers("force_new_cluster", "")
	s.recovered(before, "m1", "m2", "m3", "w1")
	for _, m := range managerNames {
		s.asideOf(p, m)
	}
	s.nextPlanBacksUp()
}
