package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// Held is the lock in this run's hands.
type Held struct {
	repo   *Repository
	opts   LockOptions
	record lockRecord
	data   []byte // of the lock object

	lost chan struct{}
	stop context.CancelFunc
	done chan struct{} // the heartbeat has ended

	mu       sync.Mutex
	beats    uint64
	lastGood time.Time // when the last heartbeat that succeeded was begun
	cause    error     // why the lock was lost
}

// Number is the lock's number, which is the run's token on the hosts.
func (h *Held) Number() uint64 { return h.record.Number }

// Lost is closed when the lock is no longer held: a higher number appeared, it
// was ended by force, or no heartbeat could be written for so long that others
// may take this run for dead. Err then says which.
func (h *Held) Lost() <-chan struct{} { return h.lost }

// Err says why the lock was lost, nil while it is held.
func (h *Held) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause
}

// Check looks whether the lock still is this run's, as a guard does right
// before an effect: a machine that slept learns it only by looking.
func (h *Held) Check(ctx context.Context) error {
	if err := h.Err(); err != nil {
		return err
	}
	err := h.holds(ctx)
	if err == nil || errors.Is(err, ErrLocked) {
		return h.Err()
	}
	return failed(h.repo.url, "its lock can't be looked at", "Another run may hold it by now", "mend what the message names", err)
}

// holds looks once; what it gives is ErrLocked only when the lock is lost.
func (h *Held) holds(ctx context.Context) error {
	view, err := h.repo.lookLocks(ctx)
	if err != nil {
		return err
	}
	if view.highest > h.Number() {
		return h.lose(fmt.Sprintf("number %d has superseded it", view.highest))
	}
	own, err := h.own(ctx)
	if err != nil {
		return err
	}
	if !own || view.released >= h.Number() {
		return h.lose("it was ended by force")
	}
	return nil
}

// own tells whether the lock object is the one that this run created.
func (h *Held) own(ctx context.Context) (bool, error) {
	data, err := readAll(ctx, h.repo.store, h.repo.lockKey(h.Number(), lockSuffix), lockLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return bytes.Equal(data, h.data), err
}

func (h *Held) lose(why string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause == nil {
		h.cause = h.repo.refuse(ErrLocked, fmt.Sprintf("this run has lost lock number %d: %s", h.Number(), why),
			"Another run may be changing the cluster", "plan again when the other run has ended", nil)
		close(h.lost)
	}
	return h.cause
}

// writeHeartbeat makes the heartbeat object differ from what it was.
func (h *Held) writeHeartbeat(ctx context.Context) error {
	h.mu.Lock()
	h.beats++
	begun := h.repo.clock.now()
	data, err := json.Marshal(map[string]any{"nonce": h.record.Nonce, "beat": h.beats, "at": begun.UTC()})
	h.mu.Unlock()
	if err != nil {
		return err
	}
	if err := writeAll(ctx, h.repo.store, h.repo.lockKey(h.Number(), heartbeatSuffix), append(data, '\n')); err != nil {
		return err
	}
	h.mu.Lock()
	h.lastGood = begun
	h.mu.Unlock()
	return nil
}

func (h *Held) beat(ctx context.Context) error {
	if err := h.holds(ctx); err != nil {
		return err
	}
	return h.writeHeartbeat(ctx)
}

// start runs the heartbeat until Release or the loss of the lock.
func (h *Held) start() {
	ctx, cancel := context.WithCancel(context.Background())
	h.stop, h.done = cancel, make(chan struct{})
	go h.run(ctx)
}

// run beats at every tick. A beat that hangs, as on a dead network file system,
// is not waited for: the lock counts as lost one interval before others may
// call it stale.
func (h *Held) run(ctx context.Context) {
	defer close(h.done)
	tick := time.NewTicker(h.opts.HeartbeatEvery)
	defer tick.Stop()
	beaten := make(chan error, 1)
	running := false
	for {
		select {
		case <-ctx.Done():
			if running {
				<-beaten // so that it does not write after the release
			}
			return
		case <-h.lost:
			return
		case err := <-beaten:
			running = false
			h.judge(err)
		case <-tick.C:
			if running {
				h.judge(errors.New("the heartbeat hangs"))
				continue
			}
			running = true
			go func() { beaten <- h.beat(ctx) }()
		}
	}
}

func (h *Held) judge(err error) {
	if err == nil {
		return
	}
	h.mu.Lock()
	silent := elapsed(h.lastGood, h.repo.clock.now())
	h.mu.Unlock()
	if silent >= h.opts.StaleAfter-h.opts.HeartbeatEvery {
		_ = h.lose(fmt.Sprintf("no heartbeat could be written for %s: %v", silent.Round(time.Second), err))
	}
}

// elapsed takes the longer of what the monotonic and the wall clock say: the
// first stands still while a machine sleeps.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// Release ends the heartbeat and the lock, also when ctx has ended. It leaves a
// lock that was lost to its new holder.
func (h *Held) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	h.stop()
	select {
	case <-h.done:
	case <-ctx.Done(): // a heartbeat hangs; so may what follows, but not for ever
	}
	own, err := h.own(ctx)
	if err == nil && own {
		err = h.repo.endLock(ctx, h.Number())
	}
	if err != nil {
		return failed(h.repo.url, fmt.Sprintf("lock number %d can't be released", h.Number()),
			"Others wait until its heartbeat stood still for a minute", "nothing, or requeen force-unlock", err)
	}
	return nil
}
