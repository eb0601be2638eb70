package host

import (
	"context"
	"errors"
	"sync"
)

// Host is one machine. Its methods may be called at once from many goroutines.
type Host struct {
	pool   *Pool
	target Target
	index  int
	slots  chan struct{} // sessions at once
	dials  chan struct{} // of them, those that relay a socket (become only)

	mu       sync.Mutex
	master   *master
	opening  *opening
	masters  int // how many were opened; only the one who opens touches it
	forwards map[string]*forward
	hostKey  string
	helper   string        // where EnsureHelper has put it
	putting  chan struct{} // one at a time puts it there
	dialling sync.Mutex    // one at a time, DialTCP through ssh
	closed   bool
}

// opening is a connection in the making that several callers wait for.
type opening struct {
	done   chan struct{}
	err    error
	cancel context.CancelFunc
}

var errClosed = errors.New("host: the pool is closed")

func newHost(p *Pool, t Target, index int) *Host {
	sessions, dials := p.o.MaxSessions, p.o.MaxSessions
	if t.Become != "" && sessions > 1 {
		// Idle connections to the socket must not starve commands.
		dials = sessions / 2
		sessions -= dials
	}
	return &Host{
		pool: p, target: t, index: index, forwards: map[string]*forward{}, putting: make(chan struct{}, 1),
		slots: make(chan struct{}, sessions), dials: make(chan struct{}, dials),
	}
}

// Target says how the host is reached.
func (h *Host) Target() Target { return h.target }

// HostKey gives the SHA256:… form of the host key in use, empty when local or
// not yet connected.
func (h *Host) HostKey() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hostKey
}

// Connect opens the connection unless it is open. Its errors are of type *Error,
// or the context's.
func (h *Host) Connect(ctx context.Context) error {
	_, err := h.connect(ctx)
	return err
}

func (h *Host) connect(ctx context.Context) (*master, error) {
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		h.mu.Lock()
		switch {
		case h.closed:
			h.mu.Unlock()
			return nil, errClosed
		case h.target.Local:
			h.mu.Unlock()
			return nil, nil
		case h.master != nil && h.master.alive():
			m := h.master
			h.mu.Unlock()
			return m, nil
		}
		o := h.opening
		if o == nil {
			ctx, cancel := context.WithCancel(context.Background())
			o = &opening{done: make(chan struct{}), cancel: cancel}
			h.opening = o
			go h.openFor(ctx, o)
		}
		h.mu.Unlock()
		select {
		case <-o.done:
			if o.err != nil {
				return nil, o.err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// openFor opens a master for all who wait for o. Its context ends with Close
// only: that one caller gives up must not fail the others.
func (h *Host) openFor(ctx context.Context, o *opening) {
	m, err := h.open(ctx)
	o.cancel()
	h.mu.Lock()
	old := h.master
	h.opening, o.err = nil, err
	if err == nil {
		h.master, h.hostKey = m, m.hostKey
		h.forwards = map[string]*forward{}
		if h.closed {
			o.err = errClosed
		}
	}
	closed := h.closed
	h.mu.Unlock()
	if old != nil {
		old.kill()
	}
	if closed && m != nil {
		m.close()
	}
	close(o.done)
}

// Close ends the connection and with it everything that runs over it.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	m, o, forwards := h.master, h.opening, h.forwards
	h.forwards = map[string]*forward{}
	h.mu.Unlock()
	if o != nil {
		o.cancel()
		<-o.done
	}
	if m != nil {
		m.close()
	}
	for _, f := range forwards {
		f.remove()
	}
	return nil
}

// acquire takes one of slots, or gives up with ctx.
func acquire(ctx context.Context, slots chan struct{}) (release func(), err error) {
	select {
	case slots <- struct{}{}:
		var once sync.Once
		return func() { once.Do(func() { <-slots }) }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
