package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// JoinRequest is how an engine joins a swarm. It prints without its token.
type JoinRequest struct {
	// RemoteAddrs are managers, with their ports. Engines ask the first alone
	// until they have joined.
	RemoteAddrs []string
	Token       string `json:"-"` // secret; it decides the role of a node that is new
	ListenAddr  string // with its port; empty: DefaultListenAddr
	// AdvertiseAddr that the engine can't make out is dropped by it without a
	// word: the manager's account tells what it became.
	AdvertiseAddr string
	DataPathAddr  string // empty: the engine chooses
	Availability  string // active, pause, drain; empty: active. Ignored of a node that the swarm knows
}

// String gives what may be seen of the request.
func (r JoinRequest) String() string {
	return fmt.Sprintf("join %s as %s", strings.Join(r.RemoteAddrs, ", "), or(r.AdvertiseAddr, "detected"))
}

// GoString gives what may be seen of the request.
func (r JoinRequest) GoString() string { return r.String() }

// Join makes the engine part of a swarm. With certificates of that swarm in its
// directory it keeps its node ID.
//
// A join that fails erases the swarm directory, certificates included: they are
// to be copied elsewhere, and a sealed node key unsealed, before it is called
// (safety rule 2). A join that takes longer than 20 s is ErrUndecided and goes
// on, also when ctx has ended or the connection was cut: poll Info, never call
// it again at once. ErrAlreadyInSwarm says that nothing was begun; any other
// answer of the engine is that of a failed join.
func (c *Client) Join(ctx context.Context, r JoinRequest) error {
	request := swarm.JoinRequest{
		RemoteAddrs:   r.RemoteAddrs,
		JoinToken:     strings.TrimSpace(r.Token),
		ListenAddr:    or(r.ListenAddr, DefaultListenAddr),
		AdvertiseAddr: r.AdvertiseAddr,
		DataPathAddr:  r.DataPathAddr,
		Availability:  swarm.NodeAvailability(r.Availability),
	}
	err := c.do(ctx, "join swarm", func(ctx context.Context) error {
		return c.api.SwarmJoin(ctx, request)
	})
	return without(request.JoinToken, orFailed(ctx, err))
}

// stillJoining is the only sentence by which an engine says that the join goes
// on; a time-out anywhere else in it is a join that has failed.
const stillJoining = "attempt to join the swarm will continue"

func orFailed(ctx context.Context, err error) error {
	var failed *Error
	if ctx.Err() != nil || !errors.As(err, &failed) || failed.Kind != ErrUndecided ||
		errors.Is(err, context.DeadlineExceeded) || strings.Contains(failed.Cause.Error(), stillJoining) {
		return err
	}
	return &Error{Call: failed.Call, Cause: failed.Cause}
}

// Leave takes the engine out of its swarm: its containers of the swarm's tasks
// are removed and its swarm directory is erased. A manager leaves with force
// only, else ErrNeedsForce, and with the last one the swarm's state is gone.
// ErrNotInSwarm says that there is nothing to leave.
func (c *Client) Leave(ctx context.Context, force bool) error {
	return c.do(ctx, "leave swarm", func(ctx context.Context) error {
		return c.api.SwarmLeave(ctx, force)
	})
}

// do is call without a result.
func (c *Client) do(ctx context.Context, what string, f func(context.Context) error) error {
	_, err := call(ctx, c, what, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, f(ctx)
	})
	return err
}

// without gives the error with the secret struck out, should an engine repeat
// what it was sent. Then its cause is no more than its text.
func without(secret string, err error) error {
	var failed *Error
	if secret == "" || !errors.As(err, &failed) || !strings.Contains(failed.Cause.Error(), secret) {
		return err
	}
	text := strings.ReplaceAll(failed.Cause.Error(), secret, "(sensitive)")
	return &Error{Call: failed.Call, Kind: failed.Kind, Cause: errors.New(text)}
}
