//go:build lab

package objectstore

import (
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// line is a connection to the server that can be slow, silent or cut.
type line struct {
	address string
	slow    atomic.Int64 // pause, in nanoseconds, after each piece
	cutAt   atomic.Int64 // bytes after which every connection is cut; 0 never
	moved   atomic.Int64
	open    sync.Map
}

// newLine is a proxy of bytes in front of a server.
func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &line{address: l.Addr().String()}
	t.Cleanup(func() { l.Close(); x.cut() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			x.open.Store(near, far)
			go x.carry(far, near)
			go x.carry(near, far)
		}
	}()
	return x
}

func (x *line) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			moved, cut := x.moved.Add(int64(n)), x.cutAt.Load()
			if cut > 0 && moved > cut {
				return
			}
			time.Sleep(time.Duration(x.slow.Load()))
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (x *line) cut() {
	x.open.Range(func(near, far any) bool {
		near.(io.Closer).Close()
		far.(io.Closer).Close()
		return true
	})
}

// careless is a proxy that takes away what a conditional write could run into,
// which makes of the server one that ignores the condition. The rest it hands
// on, signature and all.
func (s *server) careless() string {
	s.t.Helper()
	p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.address})
	rewrite := p.Director
	p.Director = func(q *http.Request) { host := q.Host; rewrite(q); q.Host = host }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	front := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("If-None-Match") != "" {
			for _, kept := range []string{"data", "meta"} {
				_ = os.RemoveAll(filepath.Join(s.root, kept, filepath.FromSlash(q.URL.Path)))
			}
		}
		p.ServeHTTP(w, q)
	})}
	go func() { _ = front.Serve(l) }()
	s.t.Cleanup(func() { front.Close() })
	return l.Addr().String()
}
