package engine

import (
	"context"
	"errors"
	"net"

	"github.com/docker/docker/client"
)

// Client speaks to one engine. Its calls may be made side by side.
type Client struct {
	api    *client.Client
	dial   *dialer
	turn   chan struct{} // held while the API version is agreed on
	agreed bool
}

// New makes a client that reaches its engine by dial, which gives a stream to
// the engine's socket. Nothing is dialled before the first call.
func New(dial func(ctx context.Context) (net.Conn, error)) (*Client, error) {
	if dial == nil {
		return nil, errors.New("engine: no dialer was given")
	}
	d := newDialer(dial)
	api, err := client.NewClientWithOpts(
		client.WithDialContext(d.context),
		client.WithAPIVersionNegotiation(),
	)
	if err != nil {
		d.close()
		return nil, err
	}
	return &Client{api: api, dial: d, turn: make(chan struct{}, 1)}, nil
}

// Close ends the idle connections and every dial that still hangs. A call that
// runs ends with its own context.
func (c *Client) Close() error {
	c.dial.close()
	return c.api.Close()
}

// Ping tells whether the engine answers at all. An engine that has lost its
// quorum, or is locked, answers.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.api.Ping(ctx)
	return c.fail(ctx, "ping", err)
}

// agree settles the API version once. The vendor's client does so by itself,
// but drops the error of a failed attempt and then asks with its newest
// version, which an older engine refuses.
func (c *Client) agree(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.agreed {
		return nil
	}
	ping, err := c.api.Ping(ctx)
	if err != nil && ping.APIVersion == "" {
		return err
	}
	c.api.NegotiateAPIVersionPing(ping)
	c.agreed = true
	return nil
}

// call agrees on the version, makes the call and types its error.
func call[T any](ctx context.Context, c *Client, what string, f func(context.Context) (T, error)) (T, error) {
	var none T
	if err := c.agree(ctx); err != nil {
		return none, c.fail(ctx, what, err)
	}
	v, err := f(ctx)
	if err != nil {
		return none, c.fail(ctx, what, err)
	}
	return v, nil
}
