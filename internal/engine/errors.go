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
	// ErrAlreadyInSwarm: the engine is part of a swarm, or still joining one.
	ErrAlreadyInSwarm = errors.New("the engine is in a swarm already")
	// ErrNotInSwarm: the engine is part of no swarm.
	ErrNotInSwarm = errors.New("the engine is in no swarm")
	// ErrTokenInvalid: the join token is not one, is an old one, or is another
	// swarm's.
	ErrTokenInvalid = errors.New("the join token is not this swarm's")
	// ErrVersionConflict: the object was changed by somebody else between
	// reading and writing. Nothing was written.
	ErrVersionConflict = errors.New("the object has changed meanwhile")
	// ErrNoSuchNode: the swarm has no node of this ID.
	ErrNoSuchNode = errors.New("the swarm has no such node")
	// ErrNoSuchService: the swarm has no service of this name.
	ErrNoSuchService = errors.New("the swarm has no such service")
	// ErrNoContainer: the engine runs no container of the service.
	ErrNoContainer = errors.New("the service has no container there")
	// ErrNodeUp: the swarm believes that the node is up, and does not remove it
	// without force.
	ErrNodeUp = errors.New("the node is not down")
	// ErrStillManager: the node is a member of the raft, and is not removed
	// before it was demoted.
	ErrStillManager = errors.New("the node is a manager")
	// ErrQuorumAtRisk: the swarm refuses to demote its last manager, or one
	// without which it would have no quorum.
	ErrQuorumAtRisk = errors.New("the swarm would lose its quorum")
	// ErrNeedsForce: a manager does not leave without force.
	ErrNeedsForce = errors.New("a manager leaves with force only")
	// ErrNotAutolocked: the swarm is not auto-locked.
	ErrNotAutolocked = errors.New("the swarm is not auto-locked")
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
	{"lost leader status", ErrNoLeader},
	{"losing leader status", ErrNoLeader},
	{"failed to process the request: node is stopped", ErrNoLeader}, // a manager that is demoted
	{"invalid key provided", ErrWrongKey},
	{"swarm is not locked", ErrNotLocked},
	{"needs to be unlocked", ErrLocked},
	{"has trouble connecting to the cluster", ErrUndecided},
	{"deadlineexceeded", ErrUndecided},
	{"deadline exceeded", ErrUndecided},
	{"is not a swarm manager", ErrNotManager},
	{"is not part of a swarm", ErrNotInSwarm},
	{"already part of a swarm", ErrAlreadyInSwarm},
	{"timeout was reached before node joined", ErrUndecided},
	{"is encrypted and locked", ErrLocked},
	{"participating as a manager", ErrNeedsForce},
	{"join token is necessary", ErrTokenInvalid},
	{"invalid join token", ErrTokenInvalid},
	{"remote ca does not match fingerprint", ErrTokenInvalid},
	{"update out of sequence", ErrVersionConflict},
	{"is not down and can't be removed", ErrNodeUp},
	{"must be demoted to worker before removal", ErrStillManager},
	{"demote the last manager", ErrQuorumAtRisk},
	{"result in a loss of quorum", ErrQuorumAtRisk},
	{"result in loss of quorum", ErrQuorumAtRisk},
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
