package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// TestRestoreDataAsksBeforeItMoves: a container that came while the data were unpacked
// ends the restore with nothing moved, and the next try goes on without fetching again.
func TestRestoreDataAsksBeforeItMoves(t *testing.T) {
	d := newDataHost(t)
	used, asked := errors.New("db.1 uses it"), 0
	d.r.Unused = func(context.Context) error {
		asked++
		if !exists(d.r.Place + ".requeen-" + d.r.ID + ".new/base/1") {
			t.Error("it was asked before all was unpacked")
		}
		d.holds("old")
		return used
	}
	for try, archive := range []any{d.whole(), iotest.ErrReader(errors.New("fetched again"))} {
		if got, err := d.restore(archive.(interface{ Read([]byte) (int, error) })); !errors.Is(err, used) || len(got.Asides) > 0 || asked != try+1 {
			t.Fatalf("%+v, %v, asked %d times", got, err, asked)
		}
		d.holds("old")
		if left, _ := filepath.Glob(d.r.Place + ".requeen-*/old"); len(left) > 0 {
			t.Fatalf("moved: %q", left)
		}
	}
	d.r.Unused = func(context.Context) error { return nil }
	if got, err := d.restore(iotest.ErrReader(errors.New("fetched again"))); err != nil || len(got.Asides) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	d.isRestored()
	d.r.Unused = func(context.Context) error { return used } // the services are back
	if got, err := d.restore(iotest.ErrReader(errors.New("fetched again"))); err != nil || !got.Before {
		t.Errorf("again: %+v, %v", got, err)
	}
}

// TestRestoreDataWithoutAnAnswer: a host that hears nothing moves nothing.
func TestRestoreDataWithoutAnAnswer(t *testing.T) {
	d := newDataHost(t)
	o := &d.host.pool.o
	o.testOnlyEnv = append(o.testOnlyEnv, "guard_seconds=0.1")
	d.r.Unused = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	if _, err := d.restore(d.whole()); !errors.Is(err, ErrGuard) || !strings.Contains(err.Error(), "nothing of it was moved") {
		t.Errorf("got %v", err)
	}
	d.holds("old")
	ctx, cancel := context.WithCancel(context.Background())
	d.r.Unused = func(context.Context) error { cancel(); return context.Canceled }
	if _, err := d.host.RestoreData(ctx, d.r, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	d.holds("old")
	d.r.Unused = nil
	if _, err := d.restore(d.whole()); err == nil {
		t.Error("nobody is asked")
	}
}

// TestRestoreDataKeepsWhatCame: a place that was empty when the restore began, and is not
// any more once it is unpacked, is left as it is.
func TestRestoreDataKeepsWhatCame(t *testing.T) {
	d := newDataHost(t)
	d.r.Fill = true
	if err := os.Remove(d.r.Place + "/old"); err != nil {
		t.Fatal(err)
	}
	d.r.Unused = func(context.Context) error {
		write(t, d.r.Place+"/came", "new", 0o600)
		return nil
	}
	for range 2 {
		if got, err := d.restore(d.whole()); err != nil || !got.Kept {
			t.Errorf("%+v, %v", got, err)
		}
		d.holds("came")
		if left, _ := filepath.Glob(d.r.Place + ".requeen-*"); len(left) > 0 || exists(d.path("state/restores/"+d.r.ID)) {
			t.Errorf("left: %q", left)
		}
	}
}
