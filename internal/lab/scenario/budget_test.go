//go:build lab

package scenario

import (
	"testing"
	"time"
)

// budgets are what each test may take on two idle cores. make test has 35
// minutes for all of it, the first build and the unit tests included.
var budgets = map[string]time.Duration{
	"TestPlainOn20":      3 * time.Minute,
	"TestAutolockedOn20": 2 * time.Minute,
	"TestPlainOn28":      8 * time.Minute,
	"TestAutolockedOn28": 4 * time.Minute,
	"TestDemo":           2 * time.Minute,
	"TestRecoveryOn28":   6 * time.Minute,
	"TestRecoveryOn20":   2 * time.Minute,
}

const allBudgets = 27 * time.Minute

func TestBudgets(t *testing.T) {
	var sum time.Duration
	for _, d := range budgets {
		sum += d
	}
	if sum > allBudgets {
		t.Errorf("the budgets sum up to %s, more than %s", sum, allBudgets)
	}
}

// budget prints at the test's end what it took and what it may take.
func budget(t *testing.T) {
	t.Helper()
	limit, ok := budgets[t.Name()]
	if !ok {
		t.Fatalf("%s declares no budget", t.Name())
	}
	begin := time.Now()
	t.Cleanup(func() {
		t.Logf("%s took %.0f s of its %.0f s", t.Name(), time.Since(begin).Seconds(), limit.Seconds())
	})
}
