package host

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

// listen makes a unix socket in a short path and answers on it.
func listen(t *testing.T, handler http.Handler) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "rqt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return path
}

func get(ctx context.Context, h *Host, path string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return h.DialSocket(ctx, path) }}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestDialSocket(t *testing.T) {
	big := strings.Repeat("pong", 100_000)
	path := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, big) }))
	for name, target := range map[string]Target{
		"local": {Local: true}, "forwarded": {User: "root"}, "helper": {User: "ops", Become: "sudo"},
		"local helper": {Local: true, Become: "sudo"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeSSH(t)
			write(t, f.path("bin/sudo"), "#!/bin/sh\nshift 2\nexec \"$@\"\n", 0o755)
			t.Setenv("PATH", f.path("bin")+":"+os.Getenv("PATH"))
			h := f.host(t, target, Options{})
			var wg sync.WaitGroup
			for range 9 {
				wg.Go(func() {
					if got, err := get(context.Background(), h, path); err != nil || got != big {
						t.Errorf("got %d bytes, %v", len(got), err)
					}
				})
			}
			wg.Wait()
			if _, err := get(context.Background(), h, path+"not"); err == nil {
				t.Error("a socket that is not there answers")
			}
			if name == "forwarded" && strings.Count(read(t, f.path("forwards")), "\n") != 2 {
				t.Errorf("forwards: %s", read(t, f.path("forwards")))
			}
		})
	}
}

func TestHelperForAnotherSystem(t *testing.T) {
	f := newFakeSSH(t)
	write(t, f.path("bin/uname"), "#!/bin/sh\necho Linux sparc64\n", 0o755)
	h := f.host(t, Target{}, Options{})
	_, err := h.EnsureHelper(context.Background())
	var e *HelperError
	if !errors.As(err, &e) || e.Want != "Linux sparc64" || !strings.HasPrefix(e.Have, "linux/") {
		t.Fatalf("got %v", err)
	}
	if exists(f.path("state")) {
		t.Error("something was put on the host all the same")
	}
	write(t, f.path("script"), "#!/bin/sh\n", 0o755)
	h = f.host(t, Target{}, Options{Helper: f.path("script")})
	if _, err = h.EnsureHelper(context.Background()); !errors.As(err, &e) {
		t.Errorf("a helper that is no Linux binary: %v", err)
	}
}

func TestEnsureHelperRepairs(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{}, Options{})
	path, err := h.EnsureHelper(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v, %v", info, err)
	}
	write(t, path, "cut", 0o700)
	h.helper = ""
	if _, err := h.EnsureHelper(context.Background()); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Size() < 1000 {
		t.Error("a damaged helper was taken for good")
	}
}

func TestUnlock(t *testing.T) {
	const key = "SWMKEY-1-secret"
	tests := []struct {
		name    string
		answers []int
		status  int
	}{
		{"unlocked", []int{503, 500, 200}, helperOK},
		{"not locked", []int{409}, helperOK},
		{"wrong key", []int{503, 401}, helperWrongKey},
		{"no key at all", []int{400}, helperWrongKey},
		{"never", []int{503}, helperFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			path := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body struct{ UnlockKey string }
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.UnlockKey != key || r.URL.Path != "/swarm/unlock" {
					t.Errorf("asked %s with %+v, %v", r.URL, body, err)
				}
				http.Error(w, "told "+body.UnlockKey, tt.answers[min(n, len(tt.answers)-1)])
				n++
			}))
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if tt.status == helperFailed {
				ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
			}
			defer cancel()
			err := unlock(ctx, path, key, time.Millisecond)
			switch {
			case tt.status == helperOK && err != nil, tt.status == helperWrongKey && !errors.Is(err, errWrongKey),
				tt.status == helperFailed && (err == nil || errors.Is(err, errWrongKey)):
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the key is told: %v", err)
			}
		})
	}
}

func TestRunHelperRefusesNonsense(t *testing.T) {
	for _, args := range [][]string{nil, {"other"}, {"dial-socket"}, {"dial-socket", "/nonexistent/socket"}, {"unlock", "-x"}, {"unlock"}} {
		if got := RunHelper(args, strings.NewReader(""), io.Discard); got != helperFailed {
			t.Errorf("%q: status %d", args, got)
		}
	}
}
