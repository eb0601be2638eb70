//go:build lab

package scenario

import (
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// twoStopped has two of three engines stopped: they are started, and nothing else.
func (s *swarm) twoStopped() {
	before := s.holdings("m1")
	s.atOnce([]string{"m2", "m3"}, func(n string) error { _, err := s.lab.Run(s.ctx, n, stopEngine); return err })
	p := s.recovers("start", "")
	for _, step := range p.Steps {
		if step.Kind != "start" || step.Node == "m1" {
			s.t.Errorf("more than the start of m2 and m3 is planned: %+v", step)
		}
	}
	s.recovered(before, "m1", "m2", "m3", "w1")
}

// furthestLost is logsDiffer with the furthest disk lost too: the plan does not claim
// that nothing is lost, and the write of which the other survivor knew nothing is.
func (s *swarm) furthestLost() {
	s.lead("m2")
	before := s.holdings("m2")
	must(s.t, s.lab.Break(s.ctx, "m3", lab.CutOff, lab.BreakOptions{From: []string{"m1", "m2"}}))
	name := fmt.Sprintf("lost-%d", rand.IntN(1e6))
	s.secret("m2", name)
	s.powerCut(managerNames, func(n string) error {
		if n != "m3" {
			return s.newDisk(n)
		}
		return os.Remove(s.lab.Disk(n, "swarm", "docker-state.json"))
	})
	must(s.t, s.lab.Heal(s.ctx, "m3"))
	p := s.plans("force_new_cluster", "m3")
	if !p.tells("RQ122") {
		s.t.Errorf("one log of three was read, and the plan does not say that writes may be lost: %+v", p.Hazards)
	}
	s.refuses([]string{"RQ122"}, "apply", "-approve", "RQ120", "recovery.plan")
	s.recovers("force_new_cluster", "m3")
	s.recovered(before, "m3", "w1")
	if s.hasSecret("m1", name) {
		s.t.Errorf("the secret %s was on no disk that is left, and is there", name)
	}
}

// sharedPlace has a worker that writes to a share out of reach when the quorum is
// lost: what would write there twice is asked for by its own code (safety rule 15).
func (s *swarm) sharedPlace() {
	s.on("w1", "mkdir -p /mnt/share")
	s.on("m1", `docker service create --quiet --name shared --constraint node.role==worker \
		--mount type=bind,source=/mnt/share,target=/share `+lab.Image+` >/dev/null`)
	before := s.holdings("m1")
	must(s.t, s.lab.Cut(s.ctx, "w1", lab.CutAll))
	s.loses("m2", "m3")
	p := s.plans("force_new_cluster", "m1")
	if !p.tells("RQ133") {
		s.t.Errorf("w1 may go on writing to its share, and the plan does not say so: %+v", p.Hazards)
	}
	s.refuses([]string{"RQ133"}, "apply", "-approve", "RQ120", "recovery.plan")
	s.recovers("force_new_cluster", "m1")
	must(s.t, s.lab.Heal(s.ctx, "w1"))
	s.eventually(time.Minute, "w1 to answer", func() (bool, error) {
		_, err := s.lab.Run(s.ctx, "w1", "true")
		return err == nil, nil
	})
	s.recovered(before, "m1", "w1")
	s.on("m1", "docker service rm shared >/dev/null")
}
