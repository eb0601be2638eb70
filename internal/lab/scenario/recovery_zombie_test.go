//go:build lab

package scenario

import (
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// oldMajority has two managers that were assumed dead come back out of sight of
// the new cluster, where they are a quorum of the old one and write; then they see
// each other. The old line ends, and what the new cluster wrote stays.
func (s *swarm) oldMajority() {
	before := s.holdings("m1")
	s.deadForced()
	s.secret("m1", "after")
	must(s.t, s.lab.Cut(s.ctx, "m1", "m2", "m3"))
	s.atOnce([]string{"m2", "m3"}, func(n string) error { return s.lab.Heal(s.ctx, n) })
	s.eventually(2*time.Minute, "the old majority to have a leader", func() (bool, error) {
		list, err := s.managers("m2")
		return err == nil && strings.Contains(fmt.Sprint(list), "leader"), nil
	})
	for i := range 3 {
		must(s.t, s.lab.Lead(s.ctx, []string{"m3", "m2"}[i%2]))
	}
	s.secret("m2", "old-line")
	s.run("plan") // two lines at once: what a person is told
	must(s.t, s.lab.Heal(s.ctx, "m1"))
	begin := time.Now()
	s.run("plan")
	s.planUntilWhole()
	s.t.Logf("whole %.0f s after they saw each other", time.Since(begin).Seconds())
	s.recovered(before, "m1", "m2", "m3", "w1")
	if !s.hasSecret("m2", "after") || s.hasSecret("m2", "old-line") {
		s.t.Error("the old line won over the new cluster")
	}
	s.on("m1", "docker secret rm after")
}

// deadForced crashes m2 and m3, has them assumed dead, and forces a cluster out of
// m1.
func (s *swarm) deadForced() recoveryPlan {
	s.t.Helper()
	s.crashes("m2", "m3")
	dead := "\n  assume_dead = [\"m2\", \"m3\"]"
	s.edit("recovery {", "recovery {"+dead)
	p := s.recovers("force_new_cluster", "m1")
	s.edit(dead, "")
	return p
}

// sourceReturns restores the backup of one manager onto another, whose source then
// comes back with its old disk (safety rule 3).
func (s *swarm) sourceReturns() {
	s.lead("m1")
	s.edit("from = \"follower\"", "from = \"m2\"")
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	s.atOnce([]string{"m2"}, func(n string) error { return s.lab.Break(s.ctx, n, lab.Crash, lab.BreakOptions{}) })
	s.loses("m1", "m3")
	s.env = append(s.env, "RQ_TESTONLY_LOOKED_BEFORE=150s")
	dead := "\n  assume_dead = [\"m2\"]\n  restore_onto = \"m1\""
	s.edit("recovery {", "recovery {"+dead)
	s.recovers("restore", "m1")
	s.secret("m1", "after")
	s.t.Logf("the restored swarm: %s", s.on("m1", "docker node ls"))
	must(s.t, s.lab.Heal(s.ctx, "m2"))
	begin := time.Now()
	s.run("plan")
	s.edit(dead, "")
	s.planUntilWhole()
	s.t.Logf("whole %.0f s after the source came back: %s", time.Since(begin).Seconds(), s.on("m1", "docker node ls"))
	s.recovered(before, "w1")
	if !s.hasSecret("m2", "after") {
		s.t.Error("what was written after the restore was lost when the backup's source came back")
	}
	s.on("m1", "docker secret rm after")
}
