package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

const suite = "sid" // engine 28

// swarm is a lab, and a directory with a configuration for it.
type swarm struct {
	*bench
	lab    *lab.Lab
	dir    string
	engine string // version

	managers []string
	measured string // the manager that is stopped, in every round
}

// up makes a lab, or takes the one that -keep left.
func (b *bench) up(ctx context.Context, name string, managers, workers int) (*swarm, error) {
	b.say("making lab %s: %d managers, %d workers", name, managers, workers)
	l, err := lab.Up(ctx, lab.Options{Name: name, Managers: managers, Workers: workers, DrainManagers: true, Suite: suite, Install: true},
		func(line string) { b.say("  %s", line) })
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "requeen-bench-")
	if err != nil {
		return nil, err
	}
	s := &swarm{bench: b, lab: l, dir: dir}
	for i := range managers {
		s.managers = append(s.managers, fmt.Sprintf("m%d", i+1))
	}
	s.measured = s.managers[min(1, managers-1)]
	var version struct{ Version string }
	if err := s.call(ctx, "m1", http.MethodGet, "/version", nil, &version); err != nil {
		return s, err
	}
	s.engine = version.Version
	return s, nil
}

// down takes the lab away, also after an interrupt.
func (s *swarm) down() {
	_ = os.RemoveAll(s.dir)
	if s.keep {
		s.say("lab %s is kept; remove it: requeen lab down -name %s", s.lab.Name(), s.lab.Name())
		return
	}
	if err := s.lab.Down(context.Background()); err != nil {
		s.say("lab %s is not wholly gone: %v", s.lab.Name(), err)
	}
}

var workerBlock = regexp.MustCompile(`(?ms)^node "w\d+" \{.*?^\}\n`)

// configure writes the lab's own configuration, changed by edit, into a
// directory of that name with an empty repository, and gives its path.
func (s *swarm) configure(name string, edit func(string) string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.lab.Dir(), "lab.rq.hcl"))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(s.dir, name)
	repository := filepath.Join(dir, "repository")
	if err := os.MkdirAll(repository, 0o700); err != nil {
		return "", err
	}
	config := strings.ReplaceAll(string(text), "file://"+filepath.Join(s.lab.Dir(), "repository"), "file://"+repository)
	return dir, os.WriteFile(filepath.Join(dir, "lab.rq.hcl"), []byte(edit(config)), 0o600)
}

// ended is a command that has run.
type ended struct {
	took   time.Duration
	memory int64         // bytes, the most that one process of it had resident
	cpu    time.Duration // of requeen itself and of the ssh that it started
}

// requeen runs the program in a configuration's directory; while it runs,
// watch is called with its process number, if it is not nil.
func (s *swarm) requeen(ctx context.Context, dir string, watch func(stop <-chan struct{}), args ...string) (ended, error) {
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RQ_SSH_CONFIG="+s.lab.SSHConfig(), "XDG_STATE_HOME="+filepath.Join(dir, "state"), "NO_COLOR=1", "XDG_RUNTIME_DIR=")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return ended{}, err
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		if watch != nil {
			watch(stop)
		}
	}()
	err := cmd.Wait()
	e := ended{took: time.Since(begin)}
	close(stop)
	<-stopped
	if err != nil {
		return e, fmt.Errorf("requeen %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return e, fmt.Errorf("this system does not tell what memory a process took")
	}
	e.memory = usage.Maxrss << 10
	// The kernel counts what the child had before it became requeen: this program.
	if own := ownPeak(); own >= e.memory {
		return e, fmt.Errorf("requeen took no more memory than the %s of this program, and can't be told from it", megabytes(own))
	}
	e.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return e, nil
}

// call asks a node's engine through its socket.
func (s *swarm) call(ctx context.Context, node, method, path string, in, out any) error {
	socket, err := s.lab.Socket(node)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("node %s: %w", node, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("node %s: %w", node, err)
	}
	if resp.StatusCode >= 300 {
		return &refusal{node, resp.StatusCode, method + " " + path, strings.TrimSpace(string(data))}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// refusal is an engine's answer that is not a success.
type refusal struct {
	node   string
	status int
	what   string
	said   string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("node %s: %s: %d %s", r.node, r.what, r.status, r.said)
}
