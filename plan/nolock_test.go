package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/requeen/requeen/plan"
)

// TestEveryEmergencyWithoutTheLock: -lock=false changes nothing of how a swarm comes
// back, but that nothing is written to a repository.
func TestEveryEmergencyWithoutTheLock(t *testing.T) {
	var f failures
	for managers := 1; managers <= 3; managers++ {
		for _, e := range emergencies(managers) {
			e.checkWithoutLock(&f)
		}
	}
	f.report(t)
}

func (e emergency) checkWithoutLock(f *failures) {
	d := e.world()
	d.noLock = true
	var first, last *plan.Plan
	if failed := caught(func(t fataler) {
		first = d.plan(t)
		last = d.copyInto(t)
	}); failed != "" {
		f.add("no plan: "+kindOf(failed), e, failed)
		return
	}
	if rung := rungOf(first); rung != e.expected() {
		f.add(fmt.Sprintf("rung %q is planned where %q would do", rung, e.expected()), e, unmetText(first))
	}
	for _, s := range first.Steps {
		if s.Writes() {
			f.add("a step needs the lock: "+string(s.Kind), e, stepsOf(first))
		}
	}
	if len(first.Steps) > 0 {
		if !strings.Contains(strings.Join(codesOf(first), " "), "RQ126") {
			f.add("that there is no lock is not said", e, stepsOf(first))
		}
		e.judge(f, "without the lock: ", d, last)
	}
}
