package apply_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// days makes a world with so many backups, a day apart, the newest five hours old, and
// gives their IDs, oldest first.
func days(n int) (*applytest.World, []string) {
	w := applytest.New(3)
	var ids []string
	for i := range n {
		id := fmt.Sprintf("%s-%06x", w.Clock.Now().Format("20060102T150405Z"), i)
		w.AddBackup("offsite", "state", id)
		ids = append(ids, id)
		w.Clock.Advance(24 * time.Hour)
	}
	w.Clock.Advance(-19 * time.Hour)
	return w, ids
}

// pruning is the plan that keeps the last so many; asked takes a backup first.
func pruning(t *testing.T, w *applytest.World, last int, asked bool) *plan.Plan {
	t.Helper()
	cfg := config(w)
	cfg.Backups[0].Keep = &schema.Keep{Last: last}
	p, err := plan.Build(plan.Input{Config: cfg, State: w.State(), Now: w.Clock.Now(), Backup: asked})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Steps); n == 0 || p.Steps[n-1].Kind != plan.PruneBackups {
		t.Fatalf("no pruning is planned: %s", p.Summary)
	}
	return p
}

func expectLeft(t *testing.T, w *applytest.World, want []string) {
	t.Helper()
	if have := w.Backups("offsite"); !slices.Equal(have, want) {
		t.Errorf("left are %v, want %v", have, want)
	}
}

// TestPruneCut kills the program at every point, and applies again: what was to go is
// gone, and nothing else.
func TestPruneCut(t *testing.T) {
	for at := 1; ; at++ {
		w, ids := days(5)
		q := request(pruning(t, w, 2, false), t.TempDir())
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		res, err, killed := start(w.Process(), cut.attach(w, q))
		if !killed {
			if err != nil || !slices.Equal(res.Removed, ids[:3]) {
				t.Errorf("%v, removed %v", err, res.Removed)
			}
			if at < 12 {
				t.Errorf("only %d points", at)
			}
			expectLeft(t, w, ids[3:])
			mustEnd(t, w, 2)
			return
		}
		if _, _, err := resume(t, w, q); err != nil {
			t.Errorf("cut %d (%s): %v", at, cut.where, err)
		}
		expectLeft(t, w, ids[3:])
		w.FreeDeadLocks()
		mustEnd(t, w, 2)
	}
}

// TestPruneAfterTheBackup removes by what is there then: the new backup takes a place.
func TestPruneAfterTheBackup(t *testing.T) {
	w, ids := days(4)
	res, err, _ := start(w.Process(), request(pruning(t, w, 3, true), t.TempDir()))
	if err != nil || len(res.Backups) != 1 || !slices.Equal(res.Removed, ids[:2]) {
		t.Fatalf("%v, made %v, removed %v", err, res.Backups, res.Removed)
	}
	expectLeft(t, w, append(slices.Clone(ids[2:]), res.Backups[0].ID))
}

// TestPruneLess keeps what the rules keep by now, though it is on the list.
func TestPruneLess(t *testing.T) {
	w, ids := days(5)
	q := request(pruning(t, w, 2, false), t.TempDir())
	w.DropBackup("offsite", ids[4]) // somebody else's doing; and one of the list too
	w.DropBackup("offsite", ids[0])
	p := w.Process()
	res, err, _ := start(p, q)
	if err != nil || !slices.Equal(res.Removed, ids[1:2]) || !strings.Contains(texts(p, apply.Note), ids[2]+" stays after all") {
		t.Errorf("%v, removed %v\n%s", err, res.Removed, texts(p, apply.Note))
	}
	expectLeft(t, w, ids[2:4])
}

// TestPruneLastOne: a plan whose list holds the newest verified backup by now removes
// nothing.
func TestPruneLastOne(t *testing.T) {
	w, ids := days(4)
	q := request(pruning(t, w, 2, false), t.TempDir())
	w.DropBackup("offsite", ids[3])
	w.DropBackup("offsite", ids[2])
	var stale *apply.StaleError
	if _, err, _ := start(w.Process(), q); !errors.As(err, &stale) || !strings.Contains(err.Error(), "newest verified one") {
		t.Error(err)
	}
	expectLeft(t, w, ids[:2])
}

// TestPruneEmptied: a repository that something empties in the middle is told, and
// what is left there stays.
func TestPruneEmptied(t *testing.T) {
	w, ids := days(5)
	q := request(pruning(t, w, 2, false), t.TempDir())
	removals := 0
	w.Hook = func(c applytest.Call) error {
		if c.Port == "Remove.manifest" && c.Stage == applytest.Before {
			if removals++; removals == 2 {
				w.DropBackup("offsite", ids[4])
			}
		}
		return nil
	}
	_, err, _ := start(w.Process(), q)
	var d diag.Diagnostic
	if !errors.As(err, &d) || d.Code != diag.RepositoryEmptied || !strings.Contains(d.Detail, "removed 1 of 3") {
		t.Errorf("%v", err)
	}
	expectLeft(t, w, ids[1:4])
	// It is not gone on with: the plan is closed as stale where all is gone, and goes
	// on by what is newest where something is.
	for _, id := range ids[1:4] {
		w.DropBackup("offsite", id)
	}
	var stale *apply.StaleError
	if _, _, err := resume(t, w, q); !errors.As(err, &stale) || !stale.Closed {
		t.Errorf("again: %v", err)
	}
}

// TestPruneNeedsTheLock: nothing is removed once another run has it, nor without it.
func TestPruneNeedsTheLock(t *testing.T) {
	w, ids := days(5)
	q := request(pruning(t, w, 2, false), t.TempDir())
	w.Hook = func(c applytest.Call) error {
		if c.Port == "Remove.objects" && c.Stage == applytest.After {
			w.Seize("offsite", "sha256:other")
		}
		return nil
	}
	var lost *apply.LockLostError
	if _, err, _ := start(w.Process(), q); !errors.As(err, &lost) {
		t.Error(err)
	}
	expectLeft(t, w, ids[1:])

	w, ids = days(5)
	q = request(pruning(t, w, 2, false), t.TempDir())
	q.NoLock = true
	var needed *apply.LockNeededError
	if _, err, _ := start(w.Process(), q); !errors.As(err, &needed) {
		t.Error(err)
	}
	expectLeft(t, w, ids)
}

// TestPruneInterrupted finishes the step, and says so.
func TestPruneInterrupted(t *testing.T) {
	w, ids := days(5)
	q := request(pruning(t, w, 2, false), t.TempDir())
	stop := make(chan struct{})
	q.Interrupt = stop
	w.Hook = func(c applytest.Call) error {
		if c.Port == "Remove.objects" && c.Stage == applytest.Before {
			select {
			case <-stop:
			default:
				close(stop)
			}
		}
		return nil
	}
	p := w.Process()
	if _, err, _ := start(p, q); err != nil || !strings.Contains(texts(p, apply.Interrupted), "finishes this step first") {
		t.Errorf("%v\n%s", err, texts(p, apply.Interrupted))
	}
	expectLeft(t, w, ids[3:])
}

// TestPruneSaysWhat refuses a step that does not say what it removes.
func TestPruneSaysWhat(t *testing.T) {
	w, _ := days(5)
	p := pruning(t, w, 2, false)
	p.Steps[0].Prune = nil
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); err == nil || !strings.Contains(err.Error(), "does not say which backups") {
		t.Error(err)
	}
}
