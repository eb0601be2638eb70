package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func (o *operation) guard() Guard {
	return Guard{Cluster: "prod", Token: 7, MachineID: "machine1", Recovery: "r1", CertificateSHA256: o.s.CertificateSHA256, SwarmDir: o.swarm}
}

// TestGuardedRefuses: what is guarded is not begun on another host than was planned
// for, after a later run, or while a recovery holds the engine.
func TestGuardedRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*operation, *Guard)
		kind  error
		word  string
	}{
		"another machine":     {func(_ *operation, g *Guard) { g.MachineID = "other" }, ErrGuard, "this machine is machine1, not other"},
		"another certificate": {func(_ *operation, g *Guard) { g.CertificateSHA256 = "00" }, ErrGuard, "has sha256"},
		"higher token":        {func(o *operation, _ *Guard) { write(o.t, o.path("state/tokens/prod"), "8\n", 0o644) }, ErrToken, "token 8"},
		"held":                {func(o *operation, _ *Guard) { o.hold() }, ErrHeld, "recovery r1 holds"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			g := o.guard()
			tt.spoil(o, &g)
			begun := false
			err := o.host.Guarded(t.Context(), g, func(context.Context) error { begun = true; return nil })
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.word) {
				t.Errorf("got %v", err)
			}
			if begun {
				t.Error("it was begun all the same")
			}
		})
	}
	o := newOperation(t)
	if err := o.host.Guarded(t.Context(), Guard{Cluster: "prod", Token: 7}, nil); err == nil {
		t.Error("a guard without a machine is taken")
	}
}

// TestGuardedHoldsTheHost: its token is kept and nothing else is changed by requeen
// meanwhile; afterwards the lock is free, also after an error.
func TestGuardedHoldsTheHost(t *testing.T) {
	o := newOperation(t)
	failed := errors.New("the engine says no")
	for _, want := range []error{nil, failed} {
		err := o.host.Guarded(t.Context(), o.guard(), func(context.Context) error {
			if got := strings.TrimSpace(read(t, o.path("state/tokens/prod"))); got != "7" {
				t.Errorf("the token is %q", got)
			}
			if held := o.lockIsHeld(); held != "yes" {
				t.Errorf("the lock of the host is held: %q", held)
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
		if held := o.lockIsHeld(); held != "no" {
			t.Errorf("the lock of the host is held afterwards: %q", held)
		}
	}
}

func (o *operation) lockIsHeld() string {
	o.t.Helper()
	out, err := o.host.Output(context.Background(), Command{Args: []string{o.path("state")}, Script: guardScript + `
dir=$1 boot=$(cat /proc/sys/kernel/random/boot_id)
if lock_held "$(lock_highest)"; then echo yes; else echo no; fi`})
	o.must(err)
	return strings.TrimSpace(out)
}

// TestGuardedEndsWithItsLock: one that takes too long loses the lock, is told so by
// its context, and is not taken for done.
func TestGuardedEndsWithItsLock(t *testing.T) {
	o := newOperation(t)
	o.host.pool.o.testOnlyEnv = append(o.host.pool.o.testOnlyEnv, "guard_seconds=0.1")
	err := o.host.Guarded(t.Context(), o.guard(), func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Minute):
			return os.ErrDeadlineExceeded
		}
	})
	if !errors.Is(err, ErrRunInFlight) || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
