package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/docker/docker/client"
)

// What callers branch on, with errors.Is. The texts are for a person.
var (
	// ErrUnreachable: no connection to the engine's socket came about, or it
	// broke before an answer.
	ErrUnreachable = errors.New("the engine can't be reached")
	// ErrNoLeader: the engine says that its swarm has no leader. The quorum is
	// lost, for now at least.
	ErrNoLeader = errors.New("the swarm has no leader")
	// ErrUndecided: the time-out passed, here or in the engine, or the manager
	// is still finding its peers. It says nothing about the swarm.
	ErrUndecided = errors.New("no answer in time")
	// ErrLocked: the manager is locked and needs its unlock key.
	ErrLocked = errors.New("the manager is locked")
	// ErrNotManager: the engine runs no manager: a worker, or in no swarm.
	ErrNotManager = errors.New("not a manager of a swarm")
	// ErrWrongKey: the unlock key does not open this manager.
	ErrWrongKey = errors.New("the unlock key is wrong")
	// ErrNotLocked: there is nothing to unlock; the manager is active.
	ErrNotLocked = errors.New("the manager is not locked")
)

// Error is a call that failed: what was asked, the kind of failure where it is
// one of those above, and the cause.
type Error struct {
	Call  string // "info", "list nodes"
	Kind  error  // one of the Err values, or nil
	Cause error
}

// Error gives the call, the kind and the cause in one line.
func (e *Error) Error() string {
	text := oneLine(e.Cause.Error())
	if e.Kind != nil {
		return e.Call + ": " + e.Kind.Error() + ": " + text
	}
	return e.Call + ": " + text
}

// Unwrap gives the kind and the cause to errors.Is.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Cause}
	}
	return []error{e.Kind, e.Cause}
}

// fail types the error of a call. A call that its own caller cancelled has no
// kind: nothing was learnt.
func (c *Client) fail(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Call: what, Cause: context.Canceled}
	}
	if client.IsErrConnectionFailed(err) {
		if why := c.dial.failure(); why != nil {
			err = why
		}
		return &Error{Call: what, Kind: ErrUnreachable, Cause: err}
	}
	return &Error{Call: what, Kind: kindOf(err), Cause: err}
}

// said maps what engines from 20.10 to 28.x say (daemon/cluster/errors.go and
// swarmkit's raft) to a kind. Status codes don't serve: 503 is the answer of a
// locked manager, a worker, and a manager that is starting. The first that fits
// wins.
var said = []struct {
	text string
	kind error
}{
	{"does not have a leader", ErrNoLeader},
	{"no elected cluster leader", ErrNoLeader},
	{"invalid key provided", ErrWrongKey},
	{"swarm is not locked", ErrNotLocked},
	{"needs to be unlocked", ErrLocked},
	{"has trouble connecting to the cluster", ErrUndecided},
	{"deadlineexceeded", ErrUndecided},
	{"deadline exceeded", ErrUndecided},
	{"is not a swarm manager", ErrNotManager},
	{"is not part of a swarm", ErrNotManager},
}

func kindOf(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrUndecided
	}
	text := strings.ToLower(err.Error())
	for _, s := range said {
		if strings.Contains(text, s.text) {
			return s.kind
		}
	}
	return nil
}

// oneLine folds white space: engines put line breaks into their messages.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
