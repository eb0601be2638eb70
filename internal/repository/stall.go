package repository

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// stallAfter is how long a connection may move nothing in either direction: a
// time-out that knows no size, so that a slow line carries an object of any
// size, and a server that has gone silent is noticed. Replaced in tests.
var stallAfter = 2 * time.Minute

const connectTime = 15 * time.Second

// errStalled is what a silent connection ends with.
type errStalled struct{ after time.Duration }

func (e errStalled) Error() string {
	return fmt.Sprintf("the server was silent for %s", e.after)
}

// Timeout makes it one that the libraries try again.
func (e errStalled) Timeout() bool { return true }

// Temporary is part of net.Error.
func (e errStalled) Temporary() bool { return true }

// tune gives a transport connections that notice silence.
func tune(tr *http.Transport) {
	dialer := &net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}
	after := stallAfter
	tr.TLSHandshakeTimeout = connectTime
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &restless{Conn: conn, after: after}, nil
	}
}

// newTransport is for the services whose library brings none that can be tuned.
func newTransport() *http.Transport {
	tr, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		tr = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	} else {
		tr = tr.Clone()
	}
	tune(tr)
	return tr
}

// restless is a connection whose deadline is moved on by every byte, read or
// written: while a request is being sent, its answer may be waited for as long.
type restless struct {
	net.Conn
	after time.Duration
}

// piece is what is written between two looks at the clock.
const piece = 64 << 10

func (c *restless) Read(p []byte) (int, error) {
	c.moved()
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.moved()
	}
	return n, c.told(err)
}

func (c *restless) Write(p []byte) (int, error) {
	written := 0
	for {
		c.moved()
		n, err := c.Conn.Write(p[written:min(written+piece, len(p))])
		written += n
		if err != nil || written == len(p) {
			c.moved()
			return written, c.told(err)
		}
	}
}

func (c *restless) moved() { _ = c.Conn.SetDeadline(time.Now().Add(c.after)) }

func (c *restless) told(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errStalled{c.after}
	}
	return err
}
