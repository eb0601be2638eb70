package repository

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// fakeTime is a clock that goes on only when somebody sleeps; asleep runs then.
type fakeTime struct {
	at     time.Time
	asleep func()
}

func (f *fakeTime) clock() clock {
	return clock{
		now: func() time.Time { return f.at },
		sleep: func(_ context.Context, d time.Duration) error {
			f.at = f.at.Add(d)
			if f.asleep != nil {
				f.asleep()
			}
			return nil
		},
	}
}

// twoRuns gives two views of one repository, on one clock.
func twoRuns(t *testing.T) (a, b *Repository, f *fakeTime) {
	t.Helper()
	a, root := newRepository(t)
	b, err := Open(ctx, Options{URL: "file://" + root, Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	f = &fakeTime{at: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	a.clock, b.clock = f.clock(), f.clock()
	return a, b, f
}

func acquire(t *testing.T, r *Repository, o LockOptions) *Held {
	t.Helper()
	h, err := r.Acquire(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func isLost(h *Held) bool {
	select {
	case <-h.Lost():
		return true
	default:
		return false
	}
}

func TestLockAndRelease(t *testing.T) {
	a, b, f := twoRuns(t)
	if l, err := a.ReadLock(ctx); l != nil || err != nil {
		t.Errorf("before: %v, %v", l, err)
	}
	h := acquire(t, a, LockOptions{Owner: "ops@laptop 77", Run: "sha256:one"})
	l, err := b.ReadLock(ctx)
	if err != nil || l.Number != 1 || l.Owner != "ops@laptop 77" || l.Run != "sha256:one" || !l.CreatedAt.Equal(f.at) {
		t.Errorf("%+v, %v", l, err)
	}
	f.at = f.at.Add(90 * time.Second)
	_, err = b.Acquire(ctx, LockOptions{Run: "sha256:two"})
	var locked *LockedError
	if !errors.As(err, &locked) || !errors.Is(err, ErrLocked) || locked.Lock.Number != 1 || locked.Age != 90*time.Second {
		t.Fatalf("a second run: %v", err)
	}
	for _, want := range []string{"ops@laptop 77", "1m30s", "force-unlock", a.URL()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if d := diag.From(err)[0]; d.Code != diag.LockHeld || d.Remedy == "" {
		t.Errorf("%+v", d)
	}
	if err := h.Check(ctx); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := h.Release(ended); err != nil { // an interrupted run releases too
		t.Fatal(err)
	}
	if got := keys(t, a.store, "prod/"); got != "prod/lock/000001.released" {
		t.Errorf("left: %s", got)
	}
	again := acquire(t, b, LockOptions{Run: "sha256:two"})
	if again.Number() != 2 {
		t.Errorf("number %d is given out after 1", again.Number())
	}
	if err := again.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, a.store, "prod/"); got != "prod/lock/000002.released" {
		t.Errorf("left: %s", got)
	}
}

func TestLockExceedsHostsTokens(t *testing.T) {
	a, b, _ := twoRuns(t)
	h := acquire(t, a, LockOptions{MinNumber: 41})
	if h.Number() != 42 {
		t.Error(h.Number())
	}
	if err := h.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if h = acquire(t, b, LockOptions{MinNumber: 7}); h.Number() != 43 {
		t.Error(h.Number())
	}
}

// A holder whose heartbeat stands still for StaleAfter is superseded, not
// sooner, and learns of it.
func TestLockStaleHolderIsSuperseded(t *testing.T) {
	a, b, f := twoRuns(t)
	old := acquire(t, a, LockOptions{Run: "one"})
	if _, err := b.Acquire(ctx, LockOptions{Run: "two", Wait: 50 * time.Second}); !errors.Is(err, ErrLocked) {
		t.Fatalf("after 50 s: %v", err)
	}
	start := f.at
	h := acquire(t, b, LockOptions{Run: "two", Wait: 2 * time.Minute})
	if took := f.at.Sub(start); took < time.Minute || took > 70*time.Second || h.Number() != 2 {
		t.Errorf("number %d was taken over after %s", h.Number(), took)
	}
	if isLost(old) {
		t.Error("the old holder knows before it looked")
	}
	if err := old.beat(ctx); !errors.Is(err, ErrLocked) || !isLost(old) || old.Err() == nil {
		t.Errorf("the old holder's heartbeat: %v", err)
	}
	if err := old.Check(ctx); !errors.Is(err, ErrLocked) {
		t.Errorf("the old holder's guard: %v", err)
	}
	if err := old.Release(ctx); err != nil {
		t.Error(err)
	}
	if err := h.Check(ctx); err != nil {
		t.Errorf("the old holder's release ended the new holder's lock: %v", err)
	}
	if err := h.Release(ctx); err != nil {
		t.Error(err)
	}
	if got := keys(t, a.store, "prod/"); got != "prod/lock/000002.released" {
		t.Errorf("left: %s", got)
	}
}

// A holder that beats is waited for, however long, and its release is seen.
func TestLockLiveHolderIsWaitedFor(t *testing.T) {
	a, b, f := twoRuns(t)
	h := acquire(t, a, LockOptions{Run: "one"})
	naps := 0
	f.asleep = func() {
		if naps++; naps%20 == 0 { // each 20 s: the watcher polls each second
			if err := h.beat(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := b.Acquire(ctx, LockOptions{Run: "two", Wait: 10 * time.Minute}); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	f.asleep = func() {
		f.asleep = nil
		if err := h.Release(ctx); err != nil {
			t.Error(err)
		}
	}
	if second := acquire(t, b, LockOptions{Run: "two", Wait: time.Minute}); second.Number() != 2 {
		t.Error(second.Number())
	}
}

// FindDead waits only until it is known whether the holder lives.
func TestLockFindDead(t *testing.T) {
	a, b, f := twoRuns(t)
	h := acquire(t, a, LockOptions{Run: "one"})
	start := f.at
	f.asleep = func() {
		if f.at.Sub(start) == 10*time.Second {
			if err := h.beat(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := b.Acquire(ctx, LockOptions{Run: "two", FindDead: true}); !errors.Is(err, ErrLocked) || f.at.Sub(start) > 12*time.Second {
		t.Errorf("one that lives is named after %s: %v", f.at.Sub(start), err)
	}
	start, f.asleep = f.at, nil
	if next := acquire(t, b, LockOptions{Run: "two", FindDead: true}); next.Number() != 2 || f.at.Sub(start) < time.Minute {
		t.Errorf("number %d after %s", next.Number(), f.at.Sub(start))
	}
}

// A lock object that can't be read holds all the same, until it is stale.
func TestLockUnreadableObjectHolds(t *testing.T) {
	a, b, _ := twoRuns(t)
	if err := a.store.createOnce(ctx, a.lockKey(7, lockSuffix), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if l, err := b.ReadLock(ctx); err != nil || l.Number != 7 {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := b.Acquire(ctx, LockOptions{}); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	if h := acquire(t, b, LockOptions{Wait: 2 * time.Minute}); h.Number() != 8 {
		t.Error(h.Number())
	}
}

func TestForceUnlock(t *testing.T) {
	a, b, _ := twoRuns(t)
	if err := b.ForceUnlock(ctx, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing is locked: %v", err)
	}
	h := acquire(t, a, LockOptions{Run: "one"})
	if err := b.ForceUnlock(ctx, 2); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "number 1") {
		t.Errorf("another number: %v", err)
	}
	if err := b.ForceUnlock(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if l, err := b.ReadLock(ctx); l != nil || err != nil {
		t.Errorf("%v, %v", l, err)
	}
	if err := h.Check(ctx); !errors.Is(err, ErrLocked) || !isLost(h) {
		t.Errorf("the holder's guard: %v", err)
	}
	if next := acquire(t, b, LockOptions{Run: "two"}); next.Number() != 2 {
		t.Error(next.Number())
	}
}

// overwriting is a store that ignores the condition.
type overwriting struct{ store }

func (o overwriting) createOnce(ctx context.Context, key string, data []byte) error {
	return writeAll(ctx, o.store, key, data)
}

// muddling is a store that answers well and keeps something else.
type muddling struct{ store }

func (m muddling) createOnce(ctx context.Context, key string, data []byte) error {
	return m.store.createOnce(ctx, key, append([]byte("x"), data...))
}

func TestLockIsTestedBeforeItIsTrusted(t *testing.T) {
	a, _, _ := twoRuns(t)
	honest := a.store
	a.store = overwriting{honest}
	if _, err := a.Acquire(ctx, LockOptions{}); !errors.Is(err, ErrLockUntrusted) {
		t.Errorf("a store that lets two create: %v", err)
	}
	if got := keys(t, honest, "prod/"); got != "" {
		t.Errorf("left: %s", got)
	}
	a.store = muddling{honest}
	if _, err := a.Acquire(ctx, LockOptions{Run: "one"}); !errors.Is(err, ErrLockUntrusted) && !errors.Is(err, ErrLocked) {
		t.Errorf("a store that keeps something else: %v", err)
	}
}

// between lets something happen right after the lock object was created.
type between struct {
	store
	then func()
}

func (b *between) createOnce(ctx context.Context, key string, data []byte) error {
	err := b.store.createOnce(ctx, key, data)
	if then := b.then; then != nil && strings.HasSuffix(key, lockSuffix) {
		b.then = nil
		then()
	}
	return err
}

// Whatever appears while a lock is being taken: the run withdraws, and never
// holds beside another.
func TestLockWithdraws(t *testing.T) {
	for name, c := range map[string]struct {
		key    func(*Repository) string
		number uint64 // then held, 0 when it is locked
	}{
		"a higher lock":             {func(r *Repository) string { return r.lockKey(9, lockSuffix) }, 0},
		"a lower lock":              {func(r *Repository) string { return r.lockKey(2, lockSuffix) }, 0},
		"its own number's release":  {func(r *Repository) string { return r.lockKey(6, releasedSuffix) }, 7},
		"a higher number's release": {func(r *Repository) string { return r.lockKey(8, releasedSuffix) }, 9},
	} {
		a, _, _ := twoRuns(t)
		honest := a.store
		a.store = &between{store: honest, then: func() {
			if err := honest.createOnce(ctx, c.key(a), []byte("{}")); err != nil {
				t.Error(err)
			}
		}}
		h, err := a.Acquire(ctx, LockOptions{MinNumber: 5})
		if c.number == 0 && !errors.Is(err, ErrLocked) || c.number > 0 && (err != nil || h.Number() != c.number) {
			t.Errorf("%s: %v, %v", name, h, err)
		}
		if _, err := honest.open(ctx, a.lockKey(6, lockSuffix)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the lock object stays: %v", name, err)
		}
	}
}

// A holder that can't write its heartbeat gives up before others may take it
// for dead; one failure is no loss.
func TestLockIsLostWithoutHeartbeat(t *testing.T) {
	a, _, f := twoRuns(t)
	h := acquire(t, a, LockOptions{})
	a.store = &faulty{store: a.store, fail: 1, faultKind: faultKind{err: syscall.EIO, sticky: true}}
	f.at = f.at.Add(40 * time.Second)
	if h.judge(h.beat(ctx)); isLost(h) {
		t.Error("lost after 40 s")
	}
	if err := h.Check(ctx); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("a guard that could not look: %v", err)
	}
	f.at = f.at.Add(10 * time.Second)
	if h.judge(h.beat(ctx)); !isLost(h) || !errors.Is(h.Err(), ErrLocked) {
		t.Error("still held after 50 s")
	}
}

// hanging is a store in which nothing ends before it is let go.
type hanging struct {
	store
	until chan struct{}
}

func (s *hanging) list(ctx context.Context, prefix string) ([]object, error) {
	<-s.until
	return s.store.list(ctx, prefix)
}

func TestLockIsLostWhenHeartbeatHangs(t *testing.T) {
	r, _ := newRepository(t)
	s := &hanging{store: r.store, until: make(chan struct{})}
	close(s.until)
	r.store = s
	h := acquire(t, r, LockOptions{HeartbeatEvery: 5 * time.Millisecond, StaleAfter: time.Minute})
	eventually(t, "a heartbeat", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.beats > 2 })
	if err := h.Release(ctx); err != nil {
		t.Fatal(err)
	}
	h = acquire(t, r, LockOptions{HeartbeatEvery: time.Minute, StaleAfter: time.Minute})
	h.stop()
	<-h.done
	s.until = make(chan struct{})
	h.opts.HeartbeatEvery, h.opts.StaleAfter = 5*time.Millisecond, 100*time.Millisecond
	h.start()
	<-h.Lost()
	close(s.until)
	if err := h.Release(ctx); err != nil {
		t.Error(err)
	}
}

// The heartbeat that runs by itself finds out that it was superseded.
func TestLockHeartbeatFindsHigherNumber(t *testing.T) {
	r, _ := newRepository(t)
	h := acquire(t, r, LockOptions{HeartbeatEvery: 5 * time.Millisecond, StaleAfter: time.Hour})
	if err := r.store.createOnce(ctx, r.lockKey(2, lockSuffix), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	<-h.Lost()
	if !strings.Contains(h.Err().Error(), "number 2") {
		t.Error(h.Err())
	}
	if err := h.Release(ctx); err != nil {
		t.Error(err)
	}
	if l, err := r.ReadLock(ctx); err != nil || l.Number != 2 {
		t.Errorf("%v, %v", l, err)
	}
}

func TestElapsedTakesTheLongerClock(t *testing.T) {
	from := time.Now()
	slept := from.Round(0).Add(time.Hour) // the wall clock alone
	if got := elapsed(from, slept); got < time.Hour {
		t.Error(got)
	}
}

func TestProcessGone(t *testing.T) {
	here := thisProcess()
	if here.gone() {
		t.Error("this process is gone")
	}
	if here == (process{}) {
		return // not to be told on this system
	}
	again, other, far, none := here, here, here, here
	again.Start++ // the PID was given to another
	none.PID = math.MaxInt32
	other.Boot = "another kernel"
	far.PIDNamespace = "another container"
	if !again.gone() || !none.gone() || other.gone() || far.gone() || (process{}).gone() {
		t.Error(again.gone(), none.gone(), other.gone(), far.gone())
	}
	data, err := json.Marshal(lockRecord{Process: here})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := os.ReadFile("/etc/machine-id"); err == nil && len(id) > 0 && strings.Contains(string(data), strings.TrimSpace(string(id))) {
		t.Error("the machine-id itself is stored")
	}
}

func TestParseLockKey(t *testing.T) {
	r, _ := newRepository(t)
	for key, want := range map[string]uint64{
		"prod/lock/000012.json": 12, "prod/lock/1234567.released": 1234567, "prod/lock/000003.heartbeat": 3,
		"prod/lock/12.json": 0, "prod/lock/000000.json": 0, "prod/lock/000012.json.17f3.tmp": 0, "prod/lock/a/000012.json": 0,
		"prod/lock/18446744073709551615.json": 0, "prod/lock/99999999999999999999.json": 0,
	} {
		n, _, ok := r.parseLockKey(key)
		if ok != (want > 0) || (ok && n != want) {
			t.Errorf("%s: %d, %v", key, n, ok)
		}
	}
	if got := r.lockKey(12, lockSuffix); got != "prod/lock/000012.json" {
		t.Error(got)
	}
}
