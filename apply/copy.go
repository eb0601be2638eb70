package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// CopyRequest is a backup to be stored in one more repository.
type CopyRequest struct {
	Repository string // the label of the repository block that it goes into
	From       string // the label of the one that holds it
	ID         string // the backup's ID
	Backup     string // the backup block's label
	SwarmID    string
}

// copyKind stores in a repository the backup that another one holds. It rests on no
// host and on nothing of the swarm.
var copyKind = kind{
	guard: guardCopy,
	act:   copyBackup,
	wait: func(_ context.Context, t *task) (string, error) {
		return fmt.Sprintf("the backup %s is in %s as in %s", t.copying, t.s.Repository, t.s.Copy.From), nil
	},
}

// guardCopy finds which backup it is, and refuses where another run has the lock.
func guardCopy(ctx context.Context, t *task) error {
	if t.copying = t.s.Copy.ID; t.copying == "" {
		t.copying = t.madeFor(t.s)
	}
	if t.copying == "" {
		if err := t.look(ctx); err != nil {
			return err
		}
		t.copying = plan.CopyNow(t.p, t.s, t.seen)
	}
	if t.copying == "" {
		return t.stale([]plan.Change{change(plan.RepositoryGone, "", "Repository %s holds no verified backup of %s to be copied", t.s.Copy.From, t.s.Backup)})
	}
	return t.stillHolds(ctx)
}

// madeFor is the backup that a sequence of this plan has stored where a step copies
// from, "" where somebody else has made it.
func (r *runner) madeFor(s plan.Step) string {
	for _, q := range r.seqs {
		if first := q.first(); q.own && !q.met && first.Backup == s.Backup && first.Repository == s.Copy.From {
			return q.id
		}
	}
	return ""
}

func copyBackup(ctx context.Context, t *task) error {
	call, cancel := t.within(ctx)
	defer cancel()
	t.whileLocked(call, cancel)
	_, err := t.Archive.Copy(call, CopyRequest{Repository: t.s.Repository, From: t.s.Copy.From, ID: t.copying, Backup: t.s.Backup, SwarmID: t.p.SwarmID},
		t.storeProgress(cancel))
	if err == nil || ctx.Err() != nil {
		return err
	}
	if lost := t.mayAct(); lost != nil {
		return lost
	}
	return t.notCopied(err)
}

// whileLocked ends a call once a lock is lost.
func (r *runner) whileLocked(call context.Context, cancel func()) {
	for _, h := range r.locks {
		lost := h.lock.Lost()
		go func() {
			select {
			case <-lost:
				cancel()
			case <-call.Done():
			}
		}()
	}
}

// notCopied says that a backup is kept where it is, and what brings it into the other
// repositories.
func (t *task) notCopied(err error) error {
	d, _ := diagnosticOf(err)
	detail := ended(d.Summary) + " " + ended(d.Detail)
	if d.Summary == "" {
		detail = ended(err.Error())
	}
	id := t.copying
	if id == "" {
		id = "that this plan makes"
	}
	return stepError(t.s, codeOf(err, diag.RepositoryUnusable), fmt.Sprintf("The backup %s is not in %s", id, t.s.Repository),
		fmt.Sprintf("%s It is kept in %s, and counts once each of its repositories holds it.", detail, t.s.Copy.From),
		"Mend what the message names, then run requeen apply again: it copies what is missing, and stops no manager for it while the backup is younger than max_age.", err)
}

// spares tells whether a run goes on without a repository: it is one of a backup's
// copies, and the backup itself is stored elsewhere. That another run has its lock is
// a reason to stop all the same.
func (r *runner) spares(name string, err error) bool {
	var held *HeldError
	if errors.As(err, &held) || errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled) || r.shapes() {
		return false
	}
	elsewhere := false
	for _, s := range r.p.Steps {
		if s.Repository == name && !s.OnRepository() {
			return false
		}
		elsewhere = elsewhere || s.Repository != name && s.Repository != "" && !s.OnRepository()
	}
	return elsewhere
}

// without notes that a run goes on without a repository, whose steps fail then.
func (r *runner) without(name string, err error) {
	if r.missed == nil {
		r.missed = map[string]error{}
	}
	r.missed[name] = err
	r.emit(Event{Type: Note, Error: err.Error(), Text: "repository " + name + " can't be locked now; the backup is stored in the others, and is to be copied there later"})
}

// missedLock is the error of a step on a repository that the run goes on without.
func (t *task) missedLock() error {
	err := t.missed[t.s.Repository]
	if err == nil || t.s.Copy == nil {
		return err
	}
	if t.copying == "" {
		t.copying = t.madeFor(t.s)
	}
	return t.notCopied(err)
}
