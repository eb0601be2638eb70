package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// verifyKind makes the copy a backup, then removes it from the host.
var verifyKind = kind{
	probe: func(_ context.Context, t *task) (bool, string, error) {
		return t.q.gone, "the backup is stored already", nil
	},
	act: storeCopy,
	wait: func(ctx context.Context, t *task) (string, error) {
		if err := t.removeRun(ctx); err != nil {
			return "", err
		}
		return "the backup " + t.q.id + " is in " + t.s.Repository + ", and its copy is removed from " + t.s.Node, nil
	},
}

// storeCopy stores the backup unless its manifest is there.
func storeCopy(ctx context.Context, t *task) error {
	backup, found, err := t.find(ctx)
	if err != nil {
		return err
	}
	if !found {
		if backup, err = t.store(ctx); err != nil {
			return err
		}
	}
	t.result.Backups = append(t.result.Backups, backup)
	if len(backup.Suspect) > 0 {
		t.note(t.s, "the backup %s is suspect and satisfies no max_age: %s", backup.ID, strings.Join(backup.Suspect, "; "))
	}
	if t.j.progress.stored[t.q.id] {
		return nil
	}
	return t.record(record{Type: recStored})
}

func (t *task) find(ctx context.Context) (state.Backup, bool, error) {
	backup, found, err := t.Archive.Find(ctx, t.s.Repository, t.q.id)
	if err != nil && ctx.Err() == nil {
		err = stepError(t.s, diag.RepositoryUnusable, "Repository "+t.s.Repository+" can't be read",
			err.Error()+". Whether the backup "+t.q.id+" is there can't be said, so nothing of it is removed from "+t.s.Node+".",
			"Mend what the message names, then run requeen apply again.", err)
	}
	return backup, found, err
}

func (t *task) store(ctx context.Context) (state.Backup, error) {
	st, found, err := t.knownRun(ctx)
	if err != nil {
		return state.Backup{}, err
	}
	if !found {
		return state.Backup{}, vanished(t)
	}
	if !copied(st) {
		var f final
		errors.As(t.notIntact(), &f)
		return state.Backup{}, f.error
	}
	err = t.poll(ctx, t.s.Node+" can be looked at", func(ctx context.Context) (bool, error) {
		err := t.bound(ctx)
		return err == nil, err
	})
	if err != nil {
		return state.Backup{}, err
	}
	backup, err := t.callStore(ctx, st)
	return backup, t.storeFailed(ctx, err)
}

// callStore stores within the step's time, and stops when a lock is lost.
func (t *task) callStore(ctx context.Context, st state.HostRun) (state.Backup, error) {
	if err := t.mayAct(); err != nil {
		return state.Backup{}, err
	}
	call, cancel := context.WithTimeout(ctx, t.deadline.Sub(t.Clock.Now()))
	defer cancel()
	t.whileLocked(call, cancel)
	return t.Archive.Store(call, t.storeRequest(st), t.storeProgress(cancel))
}

func (t *task) storeRequest(st state.HostRun) StoreRequest {
	req := StoreRequest{Run: t.run(), Status: st, MinIndex: t.q.facts.MinIndex,
		EngineVersion: t.q.facts.EngineVersion, Address: t.q.facts.Address, ToolVersion: t.req.ToolVersion,
		Data: t.dataOf(t.q)}
	if h := t.seen.Host(t.s.Node); h != nil && req.EngineVersion == "" {
		req.EngineVersion, req.Address = h.Engine.Version, h.Engine.NodeAddr
		if req.Address == "" {
			req.Address = h.Address
		}
	}
	return req
}

// storeProgress tells how far a store has come, each stage's begin and then at
// most once a second. It may be called from more than one goroutine.
func (t *task) storeProgress(cancel func()) func(StoreProgress) {
	var mu sync.Mutex
	told, stage := t.Clock.Now(), ""
	return func(p StoreProgress) {
		mu.Lock()
		defer mu.Unlock()
		if t.mayAct() != nil {
			cancel()
			return
		}
		t.heedInterrupt()
		if now := t.Clock.Now(); p.Stage != stage || now.Sub(told) >= progressEvery {
			told, stage = now, p.Stage
			t.emit(Event{Type: StepProgress, Stage: p.Stage, Bytes: p.Bytes, Total: p.Total})
		}
	}
}

// storeFailed says what becomes of the copy: one that does not verify is
// removed, any other is kept, so that the next try needs no second stop.
func (t *task) storeFailed(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if lost := t.mayAct(); lost != nil {
		return lost
	}
	var bad *UnreadableError
	if errors.As(err, &bad) {
		e := stepError(t.s, diag.BackupUnreadable, "The copy of "+t.s.Node+"'s swarm directory does not verify",
			fmt.Sprintf("%v. A backup that can't be read is not a backup: nothing was stored, and the copy is removed from the host.", bad.Err),
			"Look at the reason; requeen apply again takes a new copy, from another manager if swarm { from } names one.", err)
		e.again = true
		return e
	}
	return stepError(t.s, codeOf(err, diag.RepositoryUnusable), "The backup could not be stored in "+t.s.Repository,
		err.Error()+". "+t.copyStays(),
		"Mend what the message names, then run requeen apply again: no manager is stopped a second time.", err)
}

func (t *task) copyStays() string {
	return "The copy stays on " + t.s.Node + ", where a later apply finds it and a new plan adopts it."
}

// removeRun removes what the run left on its host.
func (t *task) removeRun(ctx context.Context) error {
	return t.poll(ctx, t.s.Node+" is tidied up", func(ctx context.Context) (bool, error) {
		if err := t.mayAct(); err != nil {
			return false, final{err}
		}
		call, cancel := t.within(ctx)
		defer cancel()
		err := t.Hosts.RemoveRun(call, t.s.Node, t.q.id, t.token(t.s.Repository))
		return err == nil, err
	})
}

// codeOf is the RQ code that an error carries, or another.
func codeOf(err error, other string) string {
	if d, ok := diagnosticOf(err); ok && d.Code != "" {
		return d.Code
	}
	return other
}
