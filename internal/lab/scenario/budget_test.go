//go:build lab

package scenario

import (
	"strings"
	"testing"
	"time"
)

// budgets are what each test may take on two cores beside the other lab. make test
// has 35 minutes for all of it, the first build and the unit tests included.
var budgets = map[string]time.Duration{
	"TestPlainOn20":      2 * time.Minute,
	"TestAutolockedOn20": 2 * time.Minute,
	"TestPlainOn28":      5 * time.Minute,
	"TestAutolockedOn28": 3 * time.Minute,
	"TestDemo":           90 * time.Second,
	"TestRecoveryOn28":   10 * time.Minute,
	"TestRecoveryOn20":   80 * time.Second,
	"TestShapeOn28":      200 * time.Second,

	"TestRecoveryRefusedOn28": 150 * time.Second,
	"TestRecoveryShapes":      160 * time.Second,
	"TestSchedule":            45 * time.Second,
	"TestData":                150 * time.Second,
	"TestKeptOn28":            180 * time.Second,
}

// onlyTortured are tests that make torture alone runs: they cost make test nothing.
var onlyTortured = map[string]time.Duration{
	"TestShapePorts": 10 * time.Minute,
}

// The recoveries and the others run side by side, each in one lab after the other.
const budgetOfEach = 26 * time.Minute

func TestBudgets(t *testing.T) {
	sums := map[string]time.Duration{}
	for name, d := range budgets {
		lane := "the others"
		if strings.HasPrefix(name, "TestRecovery") { // as in the Makefile
			lane = "the recoveries"
		}
		sums[lane] += d
	}
	for lane, sum := range sums {
		if sum > budgetOfEach {
			t.Errorf("the budgets of %s sum up to %s, more than %s", lane, sum, budgetOfEach)
		}
	}
}

// budget prints at the test's end what it took and what it may take, a subtest
// with a lab of its own what its test may.
func budget(t *testing.T) {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	limit, ok := budgets[name]
	if !ok {
		limit, ok = onlyTortured[name]
	}
	if !ok {
		t.Fatalf("%s declares no budget", name)
	}
	begin := time.Now()
	t.Cleanup(func() {
		t.Logf("%s took %.0f s of its %.0f s", t.Name(), time.Since(begin).Seconds(), limit.Seconds())
	})
}
