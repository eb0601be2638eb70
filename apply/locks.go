package apply

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"
)

// ownLockPatience is how long a run waits for the lock that an earlier try of
// the same plan left: longer than the time after which a lock is stale.
const ownLockPatience = 90 * time.Second

// lockTime bounds one asking for a lock: longer than it takes to find that the
// run which holds it is dead.
var lockTime = 2 * time.Minute

// releaseTime bounds giving a lock back.
const releaseTime = 15 * time.Second

type heldLock struct {
	repository string
	lock       Lock
}

// takeLocks takes the lock of every repository that the coming steps use, all
// with one number: it is the token that the hosts compare, and two repositories
// with different numbers would let one step refuse the next.
func (r *runner) takeLocks(ctx context.Context) error {
	if r.req.NoLock {
		r.emit(Event{Type: Note, Text: "RUNS WITHOUT THE SHARED LOCK (-lock=false): nothing but the hosts' own locks keeps a second run away; see that nobody else runs requeen for cluster " + r.p.Cluster})
		return nil
	}
	if r.shapes() && len(r.repositories()) == 0 {
		r.emit(Event{Type: Note, Text: "runs without a shared lock, for no repository is declared: nothing but the hosts' own locks keeps a second run away"})
	}
	number := r.highestToken()
	over := r.allDone()
	for _, name := range r.repositories() {
		err := r.takeLock(ctx, name, number)
		switch {
		case err == nil || over:
		case r.spares(name, err):
			r.without(name, err)
		default:
			return err
		}
	}
	highest := uint64(0)
	for _, h := range r.locks {
		highest = max(highest, h.lock.Number())
	}
	for i, h := range r.locks {
		if h.lock.Number() == highest {
			continue
		}
		if err := h.lock.Release(ctx); err != nil {
			return r.lockError(h.repository, err)
		}
		again, err := r.lockOnce(ctx, h.repository, highest-1)
		if err != nil {
			return err
		}
		r.locks[i].lock = again
	}
	return nil
}

func (r *runner) takeLock(ctx context.Context, name string, number uint64) error {
	lock, err := r.lockOnce(ctx, name, number)
	if err != nil {
		return err
	}
	r.locks = append(r.locks, heldLock{name, lock})
	return nil
}

// lockOnce takes one lock. The lock of a cut try of this very plan is waited
// for: the journal's own lock shows that no such try runs on this machine.
func (r *runner) lockOnce(ctx context.Context, name string, number uint64) (Lock, error) {
	deadline := r.Clock.Now().Add(ownLockPatience)
	told := false
	for {
		lock, err := r.askLock(ctx, name, number)
		if err == nil {
			return lock, nil
		}
		var held *HeldError
		if !errors.As(err, &held) || held.Lock.Run != r.req.Digest || r.Clock.Now().After(deadline) {
			return nil, r.lockError(name, err)
		}
		if !told {
			told = true
			r.emit(Event{Type: Note, Text: "repository " + name + " still has the lock of an earlier try of this plan (" +
				held.Lock.Owner + "); it is taken over once its heartbeat has been still for a minute"})
		}
		if r.stopAsked() {
			return nil, ErrInterrupted
		}
		if err := r.sleep(ctx, max(r.req.PollEvery, time.Second)); err != nil {
			return nil, err
		}
	}
}

// askLock asks once for a lock. A repository that hangs is one that can't be used:
// a swarm without a quorum does not wait for it. The context of a lock that was had
// lives on with the run: what some stores' credentials renew themselves with hangs
// on it.
func (r *runner) askLock(ctx context.Context, name string, number uint64) (Lock, error) {
	call, cancel := context.WithCancel(ctx)
	patience := time.AfterFunc(lockTime, cancel)
	lock, err := r.Archive.Lock(call, name, r.req.Digest, number)
	late := !patience.Stop()
	if err == nil {
		return lock, nil
	}
	cancel()
	if late && ctx.Err() == nil {
		return nil, fmt.Errorf("repository %s did not give its lock within %s", name, lockTime)
	}
	return nil, err
}

// repositories are those of the steps that are still to do, sorted. A run that
// was cut may have left a lock in any that its plan uses. Steps that change the
// cluster's shape use none, and take the lock of every declared one: another run
// takes that of one of them at least.
func (r *runner) repositories() []string {
	var names []string
	have := map[string]bool{"": true}
	for _, s := range r.p.Steps {
		if !have[s.Repository] && !r.byStep[s.ID].met && (r.result.Resumed || !r.j.progress.done(s.ID)) {
			have[s.Repository] = true
			names = append(names, s.Repository)
		}
	}
	if r.shapes() || r.result.Resumed && r.shaped() {
		for _, repo := range r.seen.Repositories {
			if !have[repo.Name] {
				have[repo.Name] = true
				names = append(names, repo.Name)
			}
		}
	}
	sort.Strings(names)
	return names
}

// allDone tells that the journal has every step's outcome.
func (r *runner) allDone() bool {
	for _, s := range r.p.Steps {
		if !r.j.progress.done(s.ID) {
			return false
		}
	}
	return true
}

// highestToken is the highest run token that any host has seen.
func (r *runner) highestToken() uint64 {
	highest := uint64(0)
	for _, h := range r.seen.Hosts {
		highest = max(highest, h.RunToken)
	}
	return highest
}

func (r *runner) token(repository string) uint64 {
	for _, h := range r.locks {
		if h.repository == repository {
			return h.lock.Number()
		}
	}
	return r.highestToken()
}

// mayAct is an error once a lock is lost.
func (r *runner) mayAct() error {
	for _, h := range r.locks {
		select {
		case <-h.lock.Lost():
			return &LockLostError{Repository: h.repository, Recovery: r.p.Recovery != nil}
		default:
		}
	}
	return nil
}

// stillHolds looks at every lock, right before an effect that two runs at once
// would turn into a lost quorum.
func (r *runner) stillHolds(ctx context.Context) error {
	if err := r.mayAct(); err != nil {
		return err
	}
	for _, h := range r.locks {
		if err := h.lock.Check(ctx); err != nil {
			return &LockLostError{Repository: h.repository, Recovery: r.p.Recovery != nil}
		}
	}
	return nil
}

// releaseLocks gives the locks back, also when ctx has ended. A lock that can't
// be given back becomes stale by itself.
func (r *runner) releaseLocks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	for _, h := range r.locks {
		select {
		case <-h.lock.Lost():
			continue
		default:
		}
		if err := h.lock.Release(ctx); err != nil && h.lock.Release(ctx) != nil {
			r.emit(Event{Type: Note, Text: "the lock of repository " + h.repository +
				" could not be given back; it becomes stale by itself in a minute", Error: err.Error()})
		}
	}
	r.locks = nil
}
