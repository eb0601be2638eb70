package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// forward is a local socket that leads to one on the host.
type forward struct {
	local string
	done  chan struct{} // closed when it is there, or err is set
	err   error
}

func (f *forward) remove() { _ = os.Remove(f.local) }

// DialSocket connects to a unix socket on the host: through the connection where
// the login may reach the socket itself, through a relaying root helper where it
// has to become root.
func (h *Host) DialSocket(ctx context.Context, path string) (net.Conn, error) {
	if !filepath.IsAbs(path) || strings.ContainsAny(path, ":\n") {
		return nil, fmt.Errorf("%s: %q is not the path of a socket", h.target.Name, path)
	}
	switch {
	case h.target.Become != "":
		return h.dialHelper(ctx, path)
	case h.target.Local:
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if errors.Is(err, os.ErrPermission) {
			return nil, h.notRoot("", "")
		}
		return conn, err
	}
	return h.dialForward(ctx, path)
}

// dialForward connects through a forwarded socket, one for each path, which the
// master makes and which goes with it.
func (h *Host) dialForward(ctx context.Context, path string) (net.Conn, error) {
	m, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	f := h.forwards[path]
	if f == nil {
		f = &forward{local: fmt.Sprintf("%s.%d", m.path, len(h.forwards)), done: make(chan struct{})}
		h.forwards[path] = f
		go h.makeForward(m, f, path)
	}
	h.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if f.err != nil {
		return nil, f.err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", f.local)
	if err != nil {
		return nil, h.fail(ErrUnreachable, diag.HostUnreachable, fmt.Sprintf("%s: the forwarded socket: %v", h.target, err), "")
	}
	return &forwarded{Conn: conn, m: m, path: path, seen: len(m.log.String())}, nil
}

// makeForward asks the master for the forward. No configuration is read: a
// ClearAllForwardings there would clear this one.
func (h *Host) makeForward(m *master, f *forward, path string) {
	defer close(f.done)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.pool.o.testOnlySSH,
		h.sessionArgs(m.path, "-o", "ExitOnForwardFailure=yes", "-O", "forward", "-L", f.local+":"+path)...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	h.mu.Lock()
	if h.forwards[path] == f {
		delete(h.forwards, path) // so that the next dial tries again
	}
	h.mu.Unlock()
	f.err = h.fail(ErrUnreachable, diag.HostUnreachable,
		fmt.Sprintf("%s: ssh does not forward %s: %s", h.target, path, orWord(lastLine(string(out)), err.Error())), "")
}

// forwarded says why the host closed a connection before it sent anything: ssh
// accepts it locally first, and only its log tells that the host refused.
type forwarded struct {
	net.Conn
	m    *master
	path string
	seen int
	got  bool
}

// Read reads, and turns an end before the first byte into its reason.
func (c *forwarded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.got = true
	}
	if c.got || err == nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return n, err
	}
	log := c.m.log.String()
	log = log[min(c.seen, len(log)):]
	if i := strings.LastIndex(log, ": open failed: "); i >= 0 {
		reason, _, _ := strings.Cut(log[i+len(": open failed: "):], "\n")
		return 0, fmt.Errorf("the host refused to connect %s: %s", c.path, strings.TrimSpace(reason))
	}
	return n, err
}

// CloseWrite ends the sending half, which HTTP's upgraded streams need.
func (c *forwarded) CloseWrite() error {
	if u, ok := c.Conn.(*net.UnixConn); ok {
		return u.CloseWrite()
	}
	return nil
}

// dialHelper connects through "HELPER host-helper dial-socket PATH" run as root.
func (h *Host) dialHelper(ctx context.Context, path string) (net.Conn, error) {
	helper, err := h.EnsureHelper(ctx)
	if err != nil {
		return nil, err
	}
	inR, inW := io.Pipe()
	near, far := net.Pipe()
	s, cancel, err := h.startRelay(ctx, Command{
		Script: `exec "$1" host-helper dial-socket "$2"`, Args: []string{helper, path},
		Stdin: inR, Stdout: far, Root: true,
	})
	if err != nil {
		return nil, err
	}
	r := &relayed{Conn: near, cancel: cancel, in: inW}
	go func() {
		_, _ = io.Copy(inW, far)
		_ = inW.Close()
	}()
	go func() {
		r.fail(s.wait())
		_ = inR.Close()
		_ = far.Close()
	}()
	return r, nil
}

// startRelay starts a session that lives as long as its connection, not as the
// dialling: cancel ends it.
func (h *Host) startRelay(ctx context.Context, c Command) (*session, context.CancelFunc, error) {
	life, cancel := context.WithCancel(context.Background())
	type started struct {
		s   *session
		err error
	}
	ready := make(chan started, 1)
	go func() {
		dialCtx, stop := mergeDone(life, ctx)
		defer stop()
		release, err := acquire(dialCtx, h.dials)
		if err != nil {
			ready <- started{nil, err}
			return
		}
		s, err := h.start(life, make(chan struct{}, 1), c)
		if err != nil {
			release()
		} else {
			s.release = release
		}
		ready <- started{s, err}
	}()
	select {
	case got := <-ready:
		if got.err != nil {
			cancel()
		}
		return got.s, cancel, got.err
	case <-ctx.Done():
		cancel()
		go func() { // it may have started all the same
			if got := <-ready; got.s != nil {
				_ = got.s.wait()
			}
		}()
		return nil, nil, context.Cause(ctx)
	}
}

// mergeDone gives a context that ends with either.
func mergeDone(a, b context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(a)
	stop := context.AfterFunc(b, func() { cancel(context.Cause(b)) })
	return ctx, func() { stop(); cancel(nil) }
}

// relayed is a connection through the helper.
type relayed struct {
	net.Conn
	cancel context.CancelFunc
	in     io.Closer

	mu  sync.Mutex
	err error
}

func (r *relayed) fail(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
}

// Read reads, and says why the helper ended where it failed.
func (r *relayed) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.err != nil && !errors.Is(r.err, context.Canceled) {
			return n, r.err
		}
	}
	return n, err
}

// CloseWrite ends the sending half.
func (r *relayed) CloseWrite() error { return r.in.Close() }

// Close ends the session.
func (r *relayed) Close() error {
	err := r.Conn.Close()
	r.cancel()
	return err
}
