package repository

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// The lock is a numbered object: the highest number holds, and a take-over
// creates the next. Creation is the one effect that two runs can't both have
// (store.createOnce); everything else only looks. A number is never used twice:
// its release leaves a marker, so that hosts can order runs by it (safety rule
// 20).

// LockOptions say who wants the lock.
type LockOptions struct {
	Owner string // user@machine pid; filled in when empty
	Run   string // the plan's digest
	// MinNumber is the highest run token that the hosts have seen: the lock's
	// number will exceed it.
	MinNumber uint64
	// HeartbeatEvery and StaleAfter default to 10 s and 60 s. All runs of one
	// repository must use the same.
	HeartbeatEvery time.Duration
	StaleAfter     time.Duration
	// Wait is how long to wait for a holder to release, or to be found dead: a
	// holder whose heartbeat stands still for StaleAfter is superseded, which
	// takes a Wait of that length to see. 0 tries once.
	Wait time.Duration
	// FindDead waits, beyond Wait, until it is known whether the holder lives:
	// its heartbeat changes, which refuses at once, or stands still for
	// StaleAfter, which supersedes it.
	FindDead bool
}

func (o LockOptions) filled() LockOptions {
	if o.HeartbeatEvery <= 0 {
		o.HeartbeatEvery = 10 * time.Second
	}
	if o.StaleAfter <= 0 {
		o.StaleAfter = 60 * time.Second
	}
	if o.Owner == "" {
		o.Owner = defaultOwner()
	}
	return o
}

// lockRecord is the content of a lock object.
type lockRecord struct {
	state.Lock
	Nonce   string  `json:"nonce"` // tells the creator its own
	Process process `json:"process,omitzero"`
}

// errBeaten: another run was quicker, or in the way, when this one created its
// lock object.
var errBeaten = errors.New("another run was quicker")

// Acquire takes the lock, or gives a *LockedError (ErrLocked) when another run
// holds it after Wait.
func (r *Repository) Acquire(ctx context.Context, o LockOptions) (*Held, error) {
	o = o.filled()
	deadline := r.clock.now().Add(o.Wait)
	var seen watch
	for beaten := 0; ; {
		held, current, err := r.tryAcquire(ctx, o, &seen)
		if held != nil {
			return held, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, failed(r.url, "its lock can't be taken", "Without it two runs could change the cluster at once",
				"mend what the message names, then run it again", err)
		}
		if current != nil && !r.clock.now().Before(deadline) && (!o.FindDead || seen.alive) {
			return nil, r.locked(*current)
		}
		pause := min(o.HeartbeatEvery/2, time.Second)
		if current == nil { // beaten, and nobody holds it now: at once, but not in step with others
			if beaten++; beaten > 100 {
				return nil, r.refuse(ErrLockUntrusted, "a lock object that was created there is never seen as it was created",
					"A lock that can't be read back holds nobody off", "look at what kind of storage this is, and move the repository to one that keeps what is written", nil)
			}
			pause = jitter()
		}
		if err := r.clock.sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// tryAcquire takes one look, and the lock if nobody alive holds it. It gives
// neither a lock nor a holder when it was beaten.
func (r *Repository) tryAcquire(ctx context.Context, o LockOptions, seen *watch) (*Held, *state.Lock, error) {
	view, err := r.lookLocks(ctx)
	if err != nil {
		return nil, nil, err
	}
	if n := view.holder(); n > 0 {
		record, content, err := r.readRecord(ctx, n)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil // released meanwhile
		}
		if err != nil {
			return nil, nil, err
		}
		still := seen.still(n, content, r.clock.now())
		if still < o.StaleAfter && !record.Process.gone() {
			return nil, &record.Lock, nil
		}
	}
	held, err := r.claim(ctx, o, view)
	if errors.Is(err, errBeaten) {
		return nil, nil, nil
	}
	return held, nil, err
}

// watch remembers what a holder's objects held, and since when.
type watch struct {
	number  uint64
	content string
	since   time.Time
	alive   bool // the holder was seen to change something
}

// still tells for how long, by this process's monotonic clock, nothing changed.
func (w *watch) still(number uint64, content string, now time.Time) time.Duration {
	if w.number != number || w.content != content || w.since.IsZero() {
		*w = watch{number: number, content: content, since: now, alive: w.number == number && !w.since.IsZero()}
	}
	return now.Sub(w.since)
}

// claim creates the next number. Before trusts what it created it sees that the
// store refuses a second creation, and that no other run came in between.
func (r *Repository) claim(ctx context.Context, o LockOptions, before lockView) (*Held, error) {
	n := max(before.highest, o.MinNumber) + 1
	h := &Held{repo: r, opts: o, lost: make(chan struct{}), record: lockRecord{
		Lock:    state.Lock{Number: n, Owner: o.Owner, Run: o.Run, CreatedAt: r.clock.now().UTC().Round(0)},
		Nonce:   nonce(),
		Process: thisProcess(),
	}}
	data, err := json.MarshalIndent(h.record, "", "  ")
	if err != nil {
		return nil, err
	}
	h.data = append(data, '\n')
	h.lastGood = r.clock.now()
	err = r.store.createOnce(ctx, r.lockKey(n, lockSuffix), h.data)
	if errors.Is(err, fs.ErrExist) {
		return nil, errBeaten
	}
	if err != nil {
		// It may have been created all the same: an answer can be lost.
		h.withdraw(ctx)
		return nil, err
	}
	if err = h.selfTest(ctx); err == nil {
		err = h.alone(ctx, before)
	}
	if err == nil {
		err = h.writeHeartbeat(ctx)
	}
	if err != nil {
		h.withdraw(ctx)
		return nil, err
	}
	h.start()
	return h, nil
}

// selfTest: a store that lets the same name be created twice can't hold a lock.
func (h *Held) selfTest(ctx context.Context) error {
	r := h.repo
	other := append(bytes.Clone(h.data), '\n') // not the same: createOnce may take its own bytes for its own work
	err := r.store.createOnce(ctx, r.lockKey(h.Number(), lockSuffix), other)
	if err == nil {
		h.data = other // what is there now, to be withdrawn
		return r.refuse(ErrLockUntrusted, "it let the same lock object be created twice",
			"Two runs would both believe that they hold the lock", lockRemedy, nil)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	own, err := h.own(ctx)
	if err == nil && !own {
		err = errBeaten
	}
	return err
}

// alone looks again. Of two runs that created different numbers at once, each
// listing after its creation, at least one sees the other and withdraws.
func (h *Held) alone(ctx context.Context, before lockView) error {
	now, err := h.repo.lookLocks(ctx)
	if err != nil {
		return err
	}
	if now.highest > h.Number() || now.released >= h.Number() {
		return errBeaten
	}
	known := map[uint64]bool{h.Number(): true}
	for _, n := range before.locks { // found dead, or superseded by one found dead
		known[n] = true
	}
	for _, n := range now.locks {
		if !known[n] {
			return errBeaten
		}
	}
	return nil
}

// withdraw takes back a lock object that is not to hold. No marker is left: the
// number was never used.
func (h *Held) withdraw(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if own, err := h.own(ctx); err != nil || !own {
		return
	}
	_ = h.repo.store.remove(ctx, h.repo.lockKey(h.Number(), heartbeatSuffix))
	_ = h.repo.store.remove(ctx, h.repo.lockKey(h.Number(), lockSuffix))
}

// ReadLock tells which lock is held, nil when none is. It does not tell whether
// the holder is alive: that takes watching.
func (r *Repository) ReadLock(ctx context.Context) (*state.Lock, error) {
	for {
		view, err := r.lookLocks(ctx)
		if err == nil && view.holder() == 0 {
			return nil, nil
		}
		var record lockRecord
		if err == nil {
			record, _, err = r.readRecord(ctx, view.holder())
		}
		if errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
			continue // released meanwhile
		}
		if err != nil {
			return nil, failed(r.url, "its lock can't be read", "Whether another run is at work is unknown", "mend what the message names", err)
		}
		return &record.Lock, nil
	}
}

// ForceUnlock ends the lock of that number, whoever holds it: a holder that is
// alive sees it at its next heartbeat, and a step of its that began before may
// still come to an end.
func (r *Repository) ForceUnlock(ctx context.Context, number uint64) error {
	current, err := r.ReadLock(ctx)
	if err != nil {
		return err
	}
	if current == nil || current.Number != number {
		have := "no lock is held"
		if current != nil {
			have = fmt.Sprintf("the lock that is held is number %d, of %s", current.Number, current.Owner)
		}
		return r.refuse(ErrNotFound, fmt.Sprintf("lock number %d is not held", number),
			"Only the lock that was looked at may be ended", "look again", errors.New(have))
	}
	if err := r.endLock(ctx, number); err != nil {
		return failed(r.url, fmt.Sprintf("lock number %d can't be ended", number), "It still holds", "mend what the message names", err)
	}
	return nil
}

// endLock marks a number as released, then removes its objects and all that is
// older: those are superseded and hold nothing.
func (r *Repository) endLock(ctx context.Context, number uint64) error {
	err := r.store.createOnce(ctx, r.lockKey(number, releasedSuffix), []byte("released\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := r.store.remove(ctx, r.lockKey(number, heartbeatSuffix)); err != nil {
		return err
	}
	if err := r.store.remove(ctx, r.lockKey(number, lockSuffix)); err != nil {
		return err
	}
	objects, err := r.store.list(ctx, r.lockPrefix())
	if err != nil {
		return err
	}
	for _, o := range objects {
		if n, _, ok := r.parseLockKey(o.key); ok && n < number {
			if err := r.store.remove(ctx, o.key); err != nil {
				return err
			}
		}
	}
	return nil
}

func nonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func jitter() time.Duration {
	var b [1]byte
	_, _ = rand.Read(b[:])
	return time.Duration(1+int(b[0])%20) * time.Millisecond
}
