package apply

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// RunError is a run that ended without reaching its goal: what happened, why it
// matters and what to do.
type RunError struct {
	Diag diag.Diagnostic
	Step int // 0 before the first
	Err  error

	again    bool // the sequence's run can only be started over
	timedOut bool
	// untouched: it failed on this side, with nothing done on any host.
	untouched bool
}

func (e *RunError) Error() string { return e.Diag.Error() }

// Unwrap gives the diagnostic and the cause.
func (e *RunError) Unwrap() []error { return unwrapBoth(e.Diag, e.Err) }

// StaleError says that the world is no longer what the plan was made for.
type StaleError struct {
	Step    int // the step whose guard found it, 0 before the first
	Node    string
	Changes []plan.Change
	// Closed tells that the run's journal was closed: there is nothing of it
	// to finish.
	Closed bool
	// Begun tells that earlier steps of the plan have been done.
	Begun bool
	// Back says whether a manager that was stopped was seen to be back; empty
	// when none was.
	Back string
}

// Diagnostic is the error with its remedy.
func (e *StaleError) Diagnostic() diag.Diagnostic {
	texts := make([]string, len(e.Changes))
	for i, c := range e.Changes {
		texts[i] = c.Text
	}
	done := "Nothing was changed."
	if e.Begun {
		done = "Nothing further was begun."
	}
	if e.Back != "" {
		done += " " + e.Back
	}
	return diag.Diagnostic{
		Severity: diag.Error, Code: diag.PlanStale, Node: e.Node,
		Summary: "The plan is stale: what it rests on has changed since it was made",
		Detail:  strings.Join(append(texts, done), " "),
		Remedy:  "Run requeen plan again and apply the new plan.",
	}
}

func (e *StaleError) Error() string { return e.Diagnostic().Error() }

// Unwrap gives the diagnostic.
func (e *StaleError) Unwrap() error { return e.Diagnostic() }

// BusyError says that another process on this machine runs the same plan.
type BusyError struct{ Journal string }

// Diagnostic is the error with its remedy.
func (e *BusyError) Diagnostic() diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: diag.LockHeld,
		Summary: "Another process on this machine runs this plan",
		Detail:  "It holds the journal " + e.Journal + ". Nothing was changed.",
		Remedy:  "Wait for it to end.",
	}
}

func (e *BusyError) Error() string { return e.Diagnostic().Error() }

// Unwrap gives the diagnostic.
func (e *BusyError) Unwrap() error { return e.Diagnostic() }

// LockLostError says that another run took over the repository's lock, or that
// its heartbeat could not be kept.
type LockLostError struct {
	Repository string
	Back       string // whether a stopped manager was seen to be back; empty when none was
	// Recovery tells that the run is one, which can go on without the lock.
	Recovery bool
}

// Diagnostic is the error with its remedy.
func (e *LockLostError) Diagnostic() diag.Diagnostic {
	remedy := "requeen plan names who holds it; when no other run is at work, run requeen apply again: it goes on from here."
	if e.Recovery {
		remedy += " If the repository itself is gone and nobody else runs requeen, requeen apply -lock=false goes on without it."
	}
	return diag.Diagnostic{
		Severity: diag.Error, Code: diag.LockHeld,
		Summary: "The lock of repository " + e.Repository + " was lost",
		Detail:  strings.TrimSpace("Another run may act on the cluster now, so this one began nothing further. " + e.Back),
		Remedy:  remedy,
	}
}

func (e *LockLostError) Error() string { return e.Diagnostic().Error() }

// Unwrap gives the diagnostic.
func (e *LockLostError) Unwrap() error { return e.Diagnostic() }

// ErrInterrupted is what an interrupted run's error is.
var ErrInterrupted = errors.New("interrupted")

// InterruptedError is a run that stopped because it was asked to. It is
// ErrInterrupted.
type InterruptedError struct {
	Done string // what was finished or undone
	Next string // what to type
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("interrupted: %s (%s)", e.Done, e.Next)
}

// Unwrap gives ErrInterrupted.
func (e *InterruptedError) Unwrap() error { return ErrInterrupted }

func unwrapBoth(d diag.Diagnostic, err error) []error {
	if err == nil {
		return []error{d}
	}
	return []error{d, err}
}

// stepError makes a step's failure. detail may end with what is known of the
// manager's return.
func stepError(s plan.Step, code, summary, detail, remedy string, err error) *RunError {
	return &RunError{Step: s.ID, Err: err, Diag: diag.Diagnostic{
		Severity: diag.Error, Code: code, Node: s.Node,
		Summary: summary, Detail: detail, Remedy: remedy,
	}}
}

// diagnosticOf finds the diagnostic that an error carries.
func diagnosticOf(err error) (diag.Diagnostic, bool) {
	var d diag.Diagnostic
	if errors.As(err, &d) {
		return d, true
	}
	var has interface{ Diagnostic() diag.Diagnostic }
	if errors.As(err, &has) {
		return has.Diagnostic(), true
	}
	return d, false
}

// permanent tells an error that no waiting mends.
func permanent(err error) bool {
	d, ok := diagnosticOf(err)
	if !ok {
		return false
	}
	switch d.Code {
	case diag.RunTokenRefused, diag.HostKeyChanged, diag.HostKeyUnknown, diag.WrongCluster,
		diag.OneMachineTwice, diag.NoUnlockKey, diag.NotRoot, diag.NoRoom:
		return true
	}
	return false
}

// notReady is a step whose needs can't be met; nothing was begun.
func notReady(s plan.Step, err error) error {
	d, ok := diagnosticOf(err)
	if !ok {
		d = diag.Diagnostic{Summary: s.Node + " can't be made ready for its backup", Detail: err.Error() + ".",
			Remedy: "Mend what the message names, then run requeen apply again."}
	}
	d.Severity, d.Node = diag.Error, s.Node
	d.Detail = strings.TrimSpace(d.Detail + " No manager was stopped for it.")
	return &RunError{Step: s.ID, Err: err, Diag: d}
}

// shapeNotReady is a change of the cluster's shape whose needs can't be met; nothing
// was begun.
func shapeNotReady(s plan.Step, err error) error {
	d, ok := diagnosticOf(err)
	if !ok {
		d = diag.Diagnostic{Summary: fmt.Sprintf("Step %d, %s, can't be made ready", s.ID, s.Kind), Detail: err.Error() + ".",
			Remedy: "Mend what the message names, then run requeen apply again."}
	}
	d.Severity, d.Node = diag.Error, s.Node
	d.Detail = strings.TrimSpace(d.Detail + " Nothing was changed by this try.")
	return &RunError{Step: s.ID, Err: err, Diag: d}
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }
