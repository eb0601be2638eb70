//go:build !linux

package repository

import (
	"context"
	"errors"
	"runtime"
)

type (
	ownerFile = struct{}
	janitor   = struct{}
)

var errNotLinux = errors.New("memory-backed directories are supported on Linux only, and this is " + runtime.GOOS)

// RunJanitorIfAsked returns: there are no janitors here.
func RunJanitorIfAsked() {}

// NewPrivate is an error here.
func NewPrivate(context.Context, string) (*Private, error) {
	return nil, &Error{
		Kind: ErrNoPrivate, What: "no private directory in memory can be made", Cause: errNotLinux,
		Why:    "Decrypted state must not reach a disk",
		Remedy: "run the restore on a Linux machine",
	}
}

// Dir is never asked for here.
func (p *Private) Dir() string { return p.dir }

// Close has nothing to remove here.
func (p *Private) Close() error { return nil }

// EnsureRoom has no room here.
func (p *Private) EnsureRoom(int64) error { return errNotLinux }

// SweepPrivate has nothing to remove here.
func SweepPrivate() ([]string, error) { return nil, nil }
