package apply_test

import (
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

// twoPlaces is a world with a second repository, and the plan of a block that is kept
// in both.
func twoPlaces(t *testing.T) (*applytest.World, func() *plan.Plan) {
	w := applytest.New(3)
	w.AddRepository("nas")
	return w, func() *plan.Plan {
		t.Helper()
		cfg := config(w)
		cfg.Repositories = append(cfg.Repositories, schema.Repository{Name: "nas", URL: "file:///nas", Plaintext: true})
		cfg.Backups[0].Copies = []string{"offsite", "nas"}
		p, err := plan.Build(plan.Input{Config: cfg, State: w.State(), Now: w.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func stepWords(p *plan.Plan) string {
	var words []string
	for _, s := range p.Steps {
		words = append(words, string(s.Kind)+" "+s.Where())
	}
	return strings.Join(words, ", ")
}

func expectBoth(t *testing.T, w *applytest.World) {
	t.Helper()
	one, two := w.Backups("offsite"), w.Backups("nas")
	if len(one) != 1 || !slices.Equal(one, two) {
		t.Errorf("in the first are %v, in the second %v", one, two)
	}
}

// TestCopyCut kills the program at every point, and applies again: both repositories
// hold the backup, and one manager was stopped once.
func TestCopyCut(t *testing.T) {
	for at := 1; ; at++ {
		w, planned := twoPlaces(t)
		q := request(planned(), t.TempDir())
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		_, err, killed := start(w.Process(), cut.attach(w, q))
		if killed {
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("cut %d (%s): %v", at, cut.where, err)
			}
			w.FreeDeadLocks()
		}
		if !killed && err != nil {
			t.Error(err)
		}
		expectBoth(t, w)
		mustEnd(t, w, 2)
		if p := planned(); len(p.Steps) > 0 {
			t.Errorf("cut %d (%s): left to do is %s", at, cut.where, stepWords(p))
		}
		if !killed {
			if at < 20 {
				t.Errorf("only %d points", at)
			}
			return
		}
	}
}

// A repository that is gone when the run begins takes nothing from the others: the
// backup is kept there, the run fails, and the next plan copies it and stops nobody.
func TestCopyOneDown(t *testing.T) {
	w, planned := twoPlaces(t)
	p := planned()
	if have := stepWords(p); !strings.HasSuffix(have, "verify m2, copy nas") {
		t.Fatalf("planned is %s", have)
	}
	w.DropRepository("nas")
	run := w.Process()
	res, err, _ := start(run, request(p, t.TempDir()))
	var told diag.Diagnostic
	expectDiagnostic(t, err, &told)
	if told.Code != diag.RepositoryUnusable || !strings.Contains(told.Detail, "kept in offsite") || len(res.Backups) != 1 {
		t.Errorf("%+v, backups %d", told, len(res.Backups))
	}
	if have := texts(run, apply.Note); !strings.Contains(have, "repository nas can't be locked now") {
		t.Errorf("noted is %s", have)
	}
	w.AddRepository("nas")
	w.Clock.Advance(time.Hour)
	if p = planned(); stepWords(p) != "copy nas" {
		t.Fatalf("then planned is %s", stepWords(p))
	}
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	expectBoth(t, w)
	if p = planned(); len(p.Steps) > 0 {
		t.Errorf("left to do is %s", stepWords(p))
	}
}

// What somebody else has made meanwhile is copied in place of the run's own.
func TestCopyOfAnothers(t *testing.T) {
	w, planned := twoPlaces(t)
	p := planned()
	w.Clock.Advance(time.Minute)
	w.AddBackup("offsite", "state", w.Clock.Now().Format("20060102T150405Z")+"-0a1b2c")
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	expectBoth(t, w)
}

func TestCopyWithoutPayload(t *testing.T) {
	w, planned := twoPlaces(t)
	p := planned()
	p.Steps[len(p.Steps)-1].Copy = nil
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); err == nil || !strings.Contains(err.Error(), "does not say what") {
		t.Errorf("%v", err)
	}
}

func expectDiagnostic(t *testing.T, err error, to *diag.Diagnostic) {
	t.Helper()
	run, ok := err.(*apply.RunError)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	*to = run.Diag
}
