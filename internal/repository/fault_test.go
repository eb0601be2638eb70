package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// faulty is a store in which one operation fails, or all from one on.
type faulty struct {
	store
	faultKind
	mu     sync.Mutex
	count  int
	fail   int    // the number of the operation that fails, from 1
	failed string // what failed
}

type faultKind struct {
	err    error
	sticky bool // and all after it
	late   bool // it takes effect, and its answer is lost
}

// next tells whether the operation that begins now fails.
func (f *faulty) next(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	fails := f.count == f.fail || (f.sticky && f.fail > 0 && f.count > f.fail)
	if fails && f.failed == "" {
		f.failed = what
	}
	return fails
}

// do runs an operation that may fail.
func (f *faulty) do(what string, op func() error) error {
	if !f.next(what) {
		return op()
	}
	if f.late {
		if err := op(); err != nil {
			return err
		}
	}
	return f.err
}

func (f *faulty) create(ctx context.Context, key string) (w objectWriter, err error) {
	if f.next("create " + path.Base(key)) {
		return nil, f.err
	}
	if w, err = f.store.create(ctx, key); err != nil {
		return nil, err
	}
	return &faultyWriter{objectWriter: w, f: f, name: path.Base(key)}, nil
}

func (f *faulty) open(ctx context.Context, key string) (r io.ReadCloser, err error) {
	if f.next("open " + path.Base(key)) {
		return nil, f.err
	}
	return f.store.open(ctx, key)
}

func (f *faulty) list(ctx context.Context, prefix string) (l []object, err error) {
	if f.next("list") {
		return nil, f.err
	}
	return f.store.list(ctx, prefix)
}

func (f *faulty) remove(ctx context.Context, key string) error {
	return f.do("remove "+path.Base(key), func() error { return f.store.remove(ctx, key) })
}

func (f *faulty) settle(ctx context.Context, prefix string) error {
	return f.do("settle", func() error { return f.store.settle(ctx, prefix) })
}

func (f *faulty) createOnce(ctx context.Context, key string, data []byte) error {
	return f.do("create once "+path.Base(key), func() error { return f.store.createOnce(ctx, key, data) })
}

type faultyWriter struct {
	objectWriter
	f    *faulty
	name string
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	if w.f.next("write " + w.name) {
		n, _ := w.objectWriter.Write(p[:len(p)/2])
		return n, w.f.err
	}
	return w.objectWriter.Write(p)
}

// commit fails as a sync, a close or a rename does.
func (w *faultyWriter) commit() error {
	if !w.f.next("commit " + w.name) {
		return w.objectWriter.commit()
	}
	if w.f.late {
		return errors.Join(w.objectWriter.commit(), w.f.err)
	}
	w.objectWriter.cancel()
	return w.f.err
}

// everyFault runs a body with a fault at the first operation, then the second,
// until one run sees no fault any more.
func everyFault(t *testing.T, kinds []faultKind, body func(t *testing.T, f *faulty, r *Repository)) {
	t.Helper()
	for _, kind := range kinds {
		name := fmt.Sprintf("%v sticky=%v late=%v", kind.err, kind.sticky, kind.late)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				r, _ := newRepository(t)
				f := &faulty{store: r.store, fail: n, faultKind: kind}
				r.store = f
				body(t, f, r)
				if f.failed == "" {
					if n < 8 {
						t.Errorf("only %d operations could fail", n)
					}
					return
				}
			}
		})
	}
}

var faultKinds = []faultKind{
	{err: syscall.ENOSPC},
	{err: syscall.EIO, late: true},
	{err: syscall.EIO, sticky: true},
}

// Wherever storing fails there is no manifest, nothing partial counts as a
// backup, and trying again works.
func TestEveryFaultWhileStoring(t *testing.T) {
	t.Parallel()
	objects := map[string][]byte{"swarm.tar": content(5, 200_000)}
	everyFault(t, faultKinds, func(t *testing.T, f *faulty, r *Repository) {
		err := tryStore(ctx, r, testID, objects)
		healthy := f.store
		r.store = healthy
		if f.failed == "" {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err == nil {
			t.Fatalf("%s failed, and nobody noticed", f.failed)
		}
		if errors.Is(f.err, syscall.ENOSPC) != errors.Is(err, ErrNoSpace) {
			t.Errorf("%s: the error is %v", f.failed, err)
		}
		left := keys(t, healthy, "prod/")
		list, listErr := r.List(ctx)
		if len(list) == 1 && f.sticky && strings.Contains(err.Error(), "can't be removed either") {
			// The store died right after the manifest: a backup, and all of it.
			if err := r.VerifyObjects(ctx, testID); err != nil {
				t.Error(err)
			}
			return
		}
		if listErr != nil || len(list) > 0 {
			t.Fatalf("%s: listed %v, %v", f.failed, list, listErr)
		}
		if left != "" && !f.sticky {
			t.Errorf("%s: left %s", f.failed, left)
		}
		if err := r.RemoveIncomplete(ctx, testID); err != nil {
			t.Fatal(err)
		}
		if err := tryStore(ctx, r, testID, objects); err != nil {
			t.Fatalf("%s: trying again: %v", f.failed, err)
		}
		if got := readObject(t, r, testID, "swarm.tar"); !bytes.Equal(got, objects["swarm.tar"]) {
			t.Error("it comes back otherwise")
		}
	})
}

// A Put or a Commit that failed may be called again on the same Writer.
func TestRetryOnTheSameWriter(t *testing.T) {
	t.Parallel()
	data := content(6, 50_000)
	everyFault(t, faultKinds[:1], func(t *testing.T, f *faulty, r *Repository) {
		w, err := r.Create(ctx, testID)
		if err != nil {
			if w, err = r.Create(ctx, testID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Put(ctx, "swarm.tar", bytes.NewReader(data), nil); err != nil {
			if _, err = w.Put(ctx, "swarm.tar", bytes.NewReader(data), nil); err != nil {
				t.Fatalf("%s: %v", f.failed, err)
			}
		}
		if err := w.Commit(ctx, manifest()); err != nil {
			if err := w.Commit(ctx, manifest()); err != nil {
				t.Fatalf("%s: %v", f.failed, err)
			}
		}
		list, err := r.List(ctx)
		if err != nil && f.failed == "list" {
			list, err = r.List(ctx)
		}
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %v, %v", f.failed, list, err)
		}
	})
}

// Wherever taking the lock fails, nobody holds it afterwards, or its object
// goes stale; a second run never gets it beside the first.
func TestEveryFaultWhileLocking(t *testing.T) {
	t.Parallel()
	everyFault(t, faultKinds, func(t *testing.T, f *faulty, r *Repository) {
		h, err := r.Acquire(ctx, LockOptions{Run: "one"})
		r.store = f.store
		if f.failed != "" && (err != nil || !f.late) { // a lost answer may be no loss
			if err == nil {
				t.Fatalf("%s failed, and nobody noticed", f.failed)
			}
			left := keys(t, r.store, "prod/")
			if strings.Contains(left, lockSuffix) && !f.sticky {
				t.Errorf("%s: left %s", f.failed, left)
			}
			if f.sticky {
				return
			}
			if h, err = r.Acquire(ctx, LockOptions{Run: "one"}); err != nil {
				t.Fatalf("%s: trying again: %v", f.failed, err)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if other, err := r.Acquire(ctx, LockOptions{Run: "two"}); !errors.Is(err, ErrLocked) {
			t.Fatalf("a second run: %v, %v", other, err)
		}
		if err := h.Release(ctx); err != nil && f.failed == "" {
			t.Fatal(err)
		}
	})
}

// A sweep that is cut goes on where it was, and never touches a backup.
func TestEveryFaultWhileSweeping(t *testing.T) {
	t.Parallel()
	everyFault(t, faultKinds[:2], func(t *testing.T, f *faulty, r *Repository) {
		healthy := f.store
		r.store = healthy
		store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("x")})
		for i := range 4 {
			id := fmt.Sprintf("20260301T04050%dZ-ffffff", i)
			w, err := r.Create(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"swarm.tar", "config.tar"} {
				if _, err := w.Put(ctx, name, strings.NewReader("y"), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.store = f
		later := time.Now().Add(48 * time.Hour)
		if _, err := r.Sweep(ctx, nil, time.Hour, later); (err == nil) != (f.failed == "") {
			t.Fatalf("%s: %v", f.failed, err)
		}
		r.store = healthy
		if _, err := r.Sweep(ctx, nil, time.Hour, later); err != nil {
			t.Fatal(err)
		}
		if err := r.VerifyObjects(ctx, testID); err != nil {
			t.Error(err)
		}
		if names, err := healthy.names(ctx, "prod/"); err != nil || len(names) != 1 {
			t.Errorf("%v, %v", names, err)
		}
	})
}
