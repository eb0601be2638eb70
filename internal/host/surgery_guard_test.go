package host

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

func TestSurgeryGuards(t *testing.T) {
	tests := map[string]struct {
		spoil func(*operation)
		kind  error
		word  string
		not   string // commands that do not look at it, or with an engine that runs anyway
	}{
		"another machine":     {func(o *operation) { o.s.MachineID = "other" }, ErrGuard, "this machine is machine1, not other", ""},
		"another certificate": {func(o *operation) { o.s.CertificateSHA256 = "00" }, ErrGuard, "has sha256", "Lift"},
		"state unexpected": {func(o *operation) {
			o.must(os.MkdirAll(o.swarm+"/certificates", 0o700))
			write(o.t, o.swarm+"/certificates/swarm-node.crt", "x", 0o600)
			o.s.CertificateSHA256 = ""
		}, ErrGuard, "taken for one without state", "ReplaceNodeKey Lift"},
		"higher token": {func(o *operation) { write(o.t, o.path("state/tokens/prod"), "8\n", 0o644) }, ErrToken, "token 8", "OpenHeld"},
		"another recovery": {func(o *operation) {
			o.s.ID = "r0"
			o.hold()
			o.s.ID = "r1"
		}, ErrHeld, "recovery r0 holds", "OpenHeld Swap ReplaceNodeKey Lift"},
		"not begun": {func(*operation) {}, ErrGuard, "has not begun", "Hold Fence Stage Lift"},
		"another unit than it began with": {func(o *operation) {
			o.hold()
			o.s.Service, o.s.Socket = "snap.docker.service", ""
			write(o.t, o.path("units/snap.docker.service"), "active\n", 0o644)
		}, ErrGuard, "another unit", ""},
		"a file system that was mounted": {func(o *operation) {
			o.mounted()
			o.hold()
			write(o.t, o.path("mounts"), "", 0o644)
		}, ErrGuard, "swarm directory or mount", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			tt.spoil(o)
			before := files(t, o.path("docker"))
			service := o.is("docker.service")
			for command, err := range o.everyBut(tt.not) {
				if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.word) {
					t.Errorf("%s: %v", command, err)
				}
			}
			o.want("the data root", o.path("docker"), before...)
			if o.is("docker.service") != service {
				t.Error("the engine was stopped or started all the same")
			}
		})
	}
}

// everyBut runs the commands that are not named.
func (o *operation) everyBut(not string) map[string]error {
	ctx := context.Background()
	commands := map[string]func() error{
		"Hold":  func() error { return o.host.Hold(ctx, o.s) },
		"Fence": func() error { _, err := o.host.Fence(ctx, o.s); return err },
		"Swap":  func() error { _, err := o.host.Swap(ctx, o.s); return err },
		"Stage": func() error { return o.host.Stage(ctx, o.s, 1, bytes.NewReader(prepared(o.t))) },
		"Lift":  func() error { return o.host.Lift(ctx, o.s) },
		"OpenHeld": func() error {
			r, err := o.host.OpenHeld(ctx, o.s)
			_, _, err = archived(o.t, r, err)
			return err
		},
		"ReplaceNodeKey": func() error { return o.host.ReplaceNodeKey(ctx, o.s, []byte("x")) },
	}
	errs := map[string]error{}
	for name, run := range commands {
		if !strings.Contains(" "+not+" ", " "+name+" ") {
			errs[name] = run()
		}
	}
	return errs
}

// A recovery that was refused for want of room has only begun: it is not in the way
// once another file system is mounted, and takes along what it had begun to unpack.
func TestBegunElsewhereBeginsAnew(t *testing.T) {
	o := newOperation(t)
	base := o.path("docker/elsewhere")
	write(t, base+".part.a/swarm/x", "half", 0o600)
	write(t, o.path("state/recoveries/r1/meta"), "id=r1\nbase="+base+"\n", 0o600)
	write(t, o.path("state/recoveries/r1/status"), "begun 100\n", 0o600)
	o.hold()
	if exists(base + ".part.a") {
		t.Error("what was half unpacked is left")
	}
	if phase := o.recovery().Phase; phase != state.RecoveryHeld {
		t.Errorf("the recovery's phase is %q", phase)
	}
}
