//go:build lab

package scenario

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// killed kills apply after journal writes of a recovery: a point that is drawn by
// a printed seed, or in make torture all of them. Each is gone on with from the
// journal, and without it by a new plan, as on another machine.
func (r *stories) killed(name string, lost ...string) {
	if r.writes[rungOf(lost)] == 0 {
		r.t.Run(name+": count the journal's writes", func(t *testing.T) {
			r.begin(t, func(s *swarm) {
				before := s.lostAfterBackup(lost)
				s.recovers(rungOf(lost), "")
				s.recovered(before, "w1")
				r.writes[rungOf(lost)] = s.journalled()
			})
		})
	}
	var points []int
	for n := range r.writes[rungOf(lost)] {
		points = append(points, n+1)
	}
	for _, journal := range []bool{true, false} {
		for _, n := range drawn(r, points) {
			word := "with the journal"
			if !journal {
				word = "without it"
			}
			r.tell(fmt.Sprintf("%s, write %d, %s", name, n, word), func(s *swarm) { s.recoveryKilledAfter(n, journal, lost) })
		}
	}
}

func rungOf(lost []string) string {
	if len(lost) == len(managerNames) {
		return "restore"
	}
	return "force_new_cluster"
}

// drawn is one of the points, or all of them.
func drawn(r *stories, points []int) []int {
	if torture() || len(points) == 0 {
		return points
	}
	seed := seedOfRun()
	n := points[rand.New(rand.NewPCG(seed, 0)).IntN(len(points))]
	r.t.Logf("the kill point %d is drawn with RQ_SEED=%d", n, seed)
	return []int{n}
}

func seedOfRun() uint64 {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("RQ_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	return seed
}

// journalled is how many writes the longest journal holds, which is the
// recovery's.
func (s *swarm) journalled() int {
	s.t.Helper()
	most := bytes.Count(s.longestJournal(), []byte("\n"))
	if most < 20 {
		s.t.Fatalf("the longest journal has %d writes", most)
	}
	return most
}

func (s *swarm) lostAfterBackup(lost []string) holdings {
	s.t.Helper()
	if len(lost) == len(managerNames) {
		s.does("apply", "-auto-approve")
		s.allBack()
		must(s.t, os.RemoveAll(s.journal))
	}
	before := s.holdings("m1")
	s.loses(lost...)
	return before
}

func (s *swarm) recoveryKilledAfter(n int, journal bool, lost []string) {
	before := s.lostAfterBackup(lost)
	p := s.plans(rungOf(lost), "")
	r := s.runWith([]string{fmt.Sprintf("%s=%d", killVariable, n)}, "apply", "-digest", p.Digest, "recovery.plan")
	if r.status != -1 {
		s.t.Fatalf("apply was not killed: exit %d", r.status)
	}
	s.plaintextGoes()
	if journal {
		s.does("apply", "-digest", p.Digest, "recovery.plan")
	} else {
		must(s.t, os.RemoveAll(s.journal))
		s.plansToTheEnd()
	}
	keep := []string{"w1"}
	for _, m := range managerNames {
		if rungOf(lost) != "restore" && !slices.Contains(lost, m) {
			keep = append(keep, m)
		}
	}
	s.recovered(before, keep...)
	s.nextPlanAfterPoint(n)
}

// plansToTheEnd plans and applies until no plan has a step any more.
func (s *swarm) plansToTheEnd() {
	s.t.Helper()
	for range 4 {
		p := s.planFile("again.plan")
		if len(p.Steps) == 0 {
			if len(p.Unmet) > 0 {
				s.t.Fatalf("nothing is planned, and unmet is %+v", p.Unmet)
			}
			return
		}
		s.does("apply", "-digest", p.Digest, "again.plan")
	}
	if p := s.planFile("again.plan"); len(p.Steps) > 0 {
		s.t.Fatalf("after four plans a fifth has %+v", p.Steps)
	}
}
