package repository

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

const (
	lockSuffix      = ".json"
	heartbeatSuffix = ".heartbeat"
	releasedSuffix  = ".released"
	lockLimit       = 64 << 10
)

var lockForm = regexp.MustCompile(`^([0-9]{6,20})(\.json|\.heartbeat|\.released)$`)

func (r *Repository) lockKey(n uint64, suffix string) string {
	return fmt.Sprintf("%s%06d%s", r.lockPrefix(), n, suffix)
}

func (r *Repository) parseLockKey(key string) (n uint64, suffix string, ok bool) {
	m := lockForm.FindStringSubmatch(strings.TrimPrefix(key, r.lockPrefix()))
	if m == nil || path.Dir(key)+"/" != r.lockPrefix() {
		return 0, "", false
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	return n, m[2], err == nil && n > 0 && n < 1<<62
}

// lockView is one listing of the lock objects.
type lockView struct {
	highest  uint64   // number of any object
	released uint64   // highest that was released
	locks    []uint64 // lock objects, ascending
}

// holder is the number that holds, 0 when none does.
func (v lockView) holder() uint64 {
	if len(v.locks) == 0 {
		return 0
	}
	if top := v.locks[len(v.locks)-1]; top > v.released {
		return top
	}
	return 0
}

func (r *Repository) lookLocks(ctx context.Context) (lockView, error) {
	var v lockView
	objects, err := r.store.list(ctx, r.lockPrefix())
	if err != nil {
		return v, err
	}
	for _, o := range objects {
		n, suffix, ok := r.parseLockKey(o.key)
		switch {
		case !ok:
			continue
		case suffix == lockSuffix:
			v.locks = append(v.locks, n)
		case suffix == releasedSuffix:
			v.released = max(v.released, n)
		case suffix == heartbeatSuffix:
			continue // of a holder that woke up after it was superseded
		}
		v.highest = max(v.highest, n)
	}
	sort.Slice(v.locks, func(i, j int) bool { return v.locks[i] < v.locks[j] })
	return v, nil
}

// readRecord reads a lock object and, for watching, all that its holder writes.
// A lock object that can't be decoded holds all the same.
func (r *Repository) readRecord(ctx context.Context, n uint64) (lockRecord, string, error) {
	data, err := readAll(ctx, r.store, r.lockKey(n, lockSuffix), lockLimit)
	if err != nil {
		return lockRecord{}, "", err
	}
	var record lockRecord
	if json.Unmarshal(data, &record) != nil || record.Number != n {
		record = lockRecord{Lock: state.Lock{Number: n, Owner: "unknown (the lock object can't be read)"}}
	}
	beat, err := readAll(ctx, r.store, r.lockKey(n, heartbeatSuffix), lockLimit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lockRecord{}, "", err
	}
	return record, string(data) + "\x00" + string(beat), nil
}

// LockedError is ErrLocked with the lock that is in the way.
type LockedError struct {
	URL  string // of the repository, without credentials
	Lock state.Lock
	Age  time.Duration // since it was taken, by this machine's clock
}

func (r *Repository) locked(l state.Lock) error {
	return &LockedError{URL: r.url, Lock: l, Age: max(0, r.clock.now().Sub(l.CreatedAt)).Round(time.Second)}
}

func (e *LockedError) what() string {
	return fmt.Sprintf("lock number %d is held by %s for %s", e.Lock.Number, e.Lock.Owner, e.Age)
}

const (
	lockedWhy    = "One run at a time changes a cluster"
	lockedRemedy = "wait for it to end: a run that died is superseded when its heartbeat stood still for a minute; if its machine is gone for good, requeen force-unlock"
)

// Error says who holds the lock, for how long, and what to do.
func (e *LockedError) Error() string {
	return fmt.Sprintf("repository %s: %s: %s (%s)", e.URL, e.what(), lockedWhy, lockedRemedy)
}

// Unwrap gives ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// As makes it a diagnostic.
func (e *LockedError) As(target any) bool {
	d, ok := target.(*diag.Diagnostic)
	if ok {
		*d = diag.Diagnostic{
			Severity: diag.Error, Code: diag.LockHeld, Remedy: lockedRemedy, Detail: lockedWhy,
			Summary: "repository " + e.URL + ": " + e.what(),
		}
	}
	return ok
}
