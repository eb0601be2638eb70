//go:build lab

package scenario

import (
	"slices"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/lab"
)

// TestRecoveryShapes recovers swarms that are not of three managers, one lab after
// the other.
func TestRecoveryShapes(t *testing.T) {
	budget(t)
	tell := func(name string, o lab.Options, story func(*swarm)) {
		reported(t, name, func(t *testing.T) { story(ofShape(t, o)) })
	}
	tell("five managers, three with new disks", lab.Options{Name: "s528", Suite: "sid", Managers: 5}, (*swarm).threeOfFive)
	tell("a single manager with a new disk", lab.Options{Name: "s128", Suite: "sid", Managers: 1, Workers: 1}, (*swarm).onlyReplaced)
	tell("a single manager, onto another host and address", lab.Options{Name: "s28", Suite: "sid", Managers: 1, Workers: 1}, (*swarm).toAnotherAddress)
	if torture() {
		tell("a single manager of 20.10, onto another host and address", lab.Options{Name: "s20", Suite: "bookworm", Managers: 1, Workers: 1}, (*swarm).toAnotherAddress)
		tell("two managers, one with a new disk", lab.Options{Name: "s228", Suite: "sid", Managers: 2, Workers: 1}, (*swarm).oneOfTwo)
		tell("five managers of 20.10", lab.Options{Name: "s520", Suite: "bookworm", Managers: 5}, (*swarm).threeOfFive)
		tell("a single manager of 20.10", lab.Options{Name: "s120", Suite: "bookworm", Managers: 1, Workers: 1}, (*swarm).onlyReplaced)
		tell("two managers of 20.10", lab.Options{Name: "s220", Suite: "bookworm", Managers: 2, Workers: 1}, (*swarm).oneOfTwo)
	}
}

func ofShape(t *testing.T, o lab.Options) *swarm {
	t.Helper()
	s := newSwarm(t, o)
	s.allBack()
	s.append(`
recovery {
  allow = ["start", "unlock", "force_new_cluster", "restore"]
}
`)
	return s
}

// threeOfFive has three of five managers come back with new disks: the two others
// keep their node IDs.
func (s *swarm) threeOfFive() {
	before := s.holdings("m1")
	s.loses("m3", "m4", "m5")
	s.leaderless("m1", "m2")
	p := s.recovers("force_new_cluster", "")
	if !slices.Contains([]string{"m1", "m2"}, p.Recovery.Node) {
		s.t.Errorf("the cluster was forced out of %s", p.Recovery.Node)
	}
	s.recovered(before, "m1", "m2")
	s.asideOf(p, p.Recovery.Node)
	s.safetyCopy()
	s.nextPlanBacksUp()
}

// onlyReplaced has the only manager come back with a new disk, after a backup.
func (s *swarm) onlyReplaced() {
	s.does("apply", "-auto-approve")
	s.allBack()
	before, worker := s.holdings("m1"), s.containers("w1")
	s.loses("m1")
	s.recovers("restore", "m1")
	s.recovered(before, "m1", "w1")
	s.stillRun("w1", worker)
	s.nextPlanBacksUp()
}

// oneOfTwo has one of two managers come back with a new disk. Two can spare none
// for a backup, so that the next plan has nothing to do and says why.
func (s *swarm) oneOfTwo() {
	before, worker := s.holdings("m1"), s.containers("w1")
	s.loses("m2")
	s.leaderless("m1")
	p := s.recovers("force_new_cluster", "m1")
	s.recovered(before, "m1", "w1")
	s.stillRun("w1", worker)
	s.asideOf(p, "m1")
	s.safetyCopy()
	next := s.planFile("next.plan")
	if next.Recovery != nil || len(next.Steps) > 0 {
		s.t.Errorf("after the recovery there is more to do: %+v", next)
	}
	if len(next.Unmet) != 1 || next.Unmet[0].Code != diag.QuorumWouldBeLost {
		s.t.Errorf("want the backup to be refused for the quorum's sake, have %+v", next.Unmet)
	}
}
