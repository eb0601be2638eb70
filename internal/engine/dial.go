package engine

import (
	"context"
	"net"
	"sync"
)

// dialer wraps the caller's dialer: it remembers why the last attempt failed,
// which the vendor's client drops, and ends with the client, since net/http
// lets a dial live on after the request that asked for it.
type dialer struct {
	open func(context.Context) (net.Conn, error)
	life context.Context
	end  context.CancelFunc

	mu   sync.Mutex
	last error
}

func newDialer(open func(context.Context) (net.Conn, error)) *dialer {
	d := &dialer{open: open}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

// context is the form that the vendor's client wants; network and address are
// the caller's affair.
func (d *dialer) context(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := d.life.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.life, cancel)
	defer stop()
	conn, err := d.open(ctx)
	if err != nil {
		cancel()
		d.remember(err)
		return nil, err
	}
	if d.life.Err() != nil {
		cancel()
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	d.remember(nil)
	return &boundConn{Conn: conn, cancel: cancel}, nil
}

func (d *dialer) remember(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = err
}

// failure is why the last attempt failed, nil when it did not.
func (d *dialer) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

func (d *dialer) close() { d.end() }

// boundConn ends the context that the connection was dialled under only when
// the connection is closed: a dialer may tie a remote command to it.
type boundConn struct {
	net.Conn
	cancel context.CancelFunc
}

// Close closes the connection, then ends its context.
func (b *boundConn) Close() error {
	err := b.Conn.Close()
	b.cancel()
	return err
}
