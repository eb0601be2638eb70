package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// replay is an engine that gives answers of a recorded shape over a unix
// socket, and remembers what it was asked.
type replay struct {
	t       *testing.T
	version string // of the API; empty tells none
	socket  string

	mu      sync.Mutex
	answers map[string]answer // by "METHOD /path", without the version
	asked   []string          // "METHOD /v1.41/path?query"
	bodies  []string
}

type answer struct {
	status int
	file   string          // under testdata; empty for an empty body
	wait   <-chan struct{} // answered only when it is closed
	body   string          // instead of a file
	broken bool            // the connection is cut instead of an answer
	next   *answer         // to the same question afterwards; nil: this one again
}

func newReplay(t *testing.T, version string, answers map[string]answer) *replay {
	t.Helper()
	dir, err := os.MkdirTemp("", "rq") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &replay{t: t, version: version, socket: filepath.Join(dir, "s"), answers: answers}
	listener, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(r)
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return r
}

// client is a client of this engine.
func (r *replay) client() *Client {
	r.t.Helper()
	c, err := New(r.dial)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *replay) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", r.socket)
}

func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	path := req.URL.Path
	if rest, ok := strings.CutPrefix(path, "/v1."); ok {
		path = rest[strings.Index(rest, "/"):]
	}
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+req.URL.String())
	r.bodies = append(r.bodies, string(body))
	a, ok := r.answers[req.Method+" "+path]
	if a.next != nil {
		r.answers[req.Method+" "+path] = *a.next
	}
	r.mu.Unlock()
	if r.version != "" {
		w.Header().Set("Api-Version", r.version)
	}
	if path == "/_ping" && !ok {
		return
	}
	if !ok {
		http.Error(w, `{"message":"page not found"}`, http.StatusNotFound)
		return
	}
	r.give(w, req, a)
}

func (r *replay) give(w http.ResponseWriter, req *http.Request, a answer) {
	if a.wait != nil {
		select {
		case <-a.wait:
		case <-req.Context().Done():
		}
	}
	if a.broken {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(max(a.status, http.StatusOK))
	if a.file == "" {
		_, _ = io.WriteString(w, a.body)
		return
	}
	text, err := os.ReadFile(filepath.Join("testdata", a.file))
	if err != nil {
		r.t.Error(err)
	}
	_, _ = w.Write(text)
}

// log is what was asked so far.
func (r *replay) log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.asked...)
}

// sent are the bodies of what was asked of this path, without the version.
func (r *replay) sent(methodAndPath string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	method, path, _ := strings.Cut(methodAndPath, " ")
	var bodies []string
	for i, asked := range r.asked {
		rest, ok := strings.CutPrefix(asked, method+" /v1.")
		if ok && strings.HasPrefix(rest[strings.Index(rest, "/"):], path) {
			bodies = append(bodies, r.bodies[i])
		}
	}
	return bodies
}

// healthy are the answers of a manager with a quorum.
func healthy() map[string]answer {
	return map[string]answer{
		"GET /info":            {file: "28.5-info-manager.json"},
		"GET /swarm":           {file: "28.5-swarm.json"},
		"GET /nodes":           {file: "28.5-nodes.json"},
		"GET /tasks":           {file: "28.5-tasks.json"},
		"GET /services":        {file: "28.5-services.json"},
		"GET /networks":        {file: "28.5-networks.json"},
		"GET /secrets":         {file: "28.5-secrets.json"},
		"GET /configs":         {file: "28.5-configs.json"},
		"GET /swarm/unlockkey": {file: "28.5-unlockkey.json"},
		"POST /swarm/unlock":   {},
	}
}
