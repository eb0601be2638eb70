package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
)

// LockNeededError says that steps which are still to do need a repository's lock,
// and that none is to be taken. Nothing was begun by this try.
type LockNeededError struct {
	Diag diag.Diagnostic
}

func (e *LockNeededError) Error() string { return e.Diag.Error() }

// Diagnostic is the error with its remedy.
func (e *LockNeededError) Diagnostic() diag.Diagnostic { return e.Diag }

// Unwrap gives the diagnostic.
func (e *LockNeededError) Unwrap() error { return e.Diag }

// lockless refuses to do without the lock what could meet another run in the
// repository, or in the quorum. What such a run has stopped is brought back all the same.
func (r *runner) lockless() error {
	if !r.req.NoLock {
		return nil
	}
	for _, s := range r.p.Steps {
		if s.Shapes() && !s.BringsBack() && len(r.seen.Repositories) > 0 && !r.j.progress.done(s.ID) {
			return &LockNeededError{diag.Diagnostic{Severity: diag.Error, Code: diag.LockNeeded,
				Summary: fmt.Sprintf("Step %d, %s %s, needs the repositories' lock", s.ID, s.Kind, r.task(s).name()),
				Detail:  "It changes the cluster's shape, and with -lock=false no lock is taken: two runs at once could demote two managers. No step was begun.",
				Remedy:  "Leave out -lock=false. Where a repository is gone for good, take its block out of the configuration, and plan again."}}
		}
		if !s.Writes() || r.byStep[s.ID].met || r.j.progress.done(s.ID) {
			continue
		}
		return &LockNeededError{diag.Diagnostic{Severity: diag.Error, Code: diag.LockNeeded,
			Summary: fmt.Sprintf("Step %d, %s %s, needs the lock of repository %s", s.ID, s.Kind, s.Where(), s.Repository),
			Detail:  "It is for backups or copies that are kept there, and with -lock=false no lock is taken. No step was begun.",
			Remedy:  "Leave out -lock=false. If the repository can't be locked, run requeen plan -lock=false -out FILE and requeen apply -lock=false FILE: that plan keeps the survivor's copy on its host, and takes no backup."}}
	}
	return nil
}

// lockError says why a lock was not had. A recovery need not wait for a repository
// that is lost too.
func (r *runner) lockError(name string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var held *HeldError
	if errors.As(err, &held) {
		return &RunError{Err: err, Diag: diag.Diagnostic{Severity: diag.Error, Code: diag.LockHeld,
			Summary: "Another run holds the lock of repository " + name,
			Detail:  err.Error() + ". Two runs at once could stop two managers, so nothing was begun.",
			Remedy:  "Wait for it to end; if its machine is gone for good, run requeen force-unlock."}}
	}
	remedy := "Mend what the message names, then run requeen apply again."
	if r.p.Recovery != nil {
		remedy += " To bring the swarm back without the repository's lock: requeen plan -lock=false -out FILE, review it, then requeen apply -lock=false FILE."
	}
	return &RunError{Err: err, Diag: diag.Diagnostic{Severity: diag.Error, Code: diag.RepositoryUnusable,
		Summary: "The lock of repository " + name + " could not be taken",
		Detail:  err.Error() + ". Nothing was begun without it.", Remedy: remedy}}
}
