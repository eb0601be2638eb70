package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// Command is a shell script to run on a host. Neither Script nor Args may hold a
// secret: both can be seen in the host's list of processes.
type Command struct {
	Script string
	Args   []string // $1 and so on
	Stdin  io.Reader
	Stdout io.Writer
	Root   bool // as root, by sudo where the target says so
}

// statusNotRoot ends a Root script that does not run as root.
const statusNotRoot = 113

const rootCheck = `[ "$(id -u)" = 0 ] || { echo "requeen-not-root $(id -un)" >&2; exit 113; }
`

// Run runs the script and waits for its end. A script that ran and failed gives
// *ExitError, a connection that failed *Error, a cancelled context its cause.
func (h *Host) Run(ctx context.Context, c Command) error {
	s, err := h.start(ctx, h.slots, c)
	if err != nil {
		return err
	}
	return s.wait()
}

// Output runs the script and gives its standard output.
func (h *Host) Output(ctx context.Context, c Command) (string, error) {
	var b bytes.Buffer
	c.Stdout = &b
	err := h.Run(ctx, c)
	return b.String(), err
}

// session is a command that runs.
type session struct {
	h       *Host
	ctx     context.Context
	cmd     *exec.Cmd
	m       *master
	stderr  *tail
	root    bool
	release func()
}

// start starts c when one of slots is free.
func (h *Host) start(ctx context.Context, slots chan struct{}, c Command) (*session, error) {
	release, err := acquire(ctx, slots)
	if err != nil {
		return nil, err
	}
	m, err := h.connect(ctx)
	if err != nil {
		release()
		return nil, err
	}
	s := &session{h: h, ctx: ctx, m: m, root: c.Root, release: release, stderr: &tail{max: 4 << 10, keep: true}}
	s.cmd = h.command(ctx, m, c)
	s.cmd.Stdout = c.Stdout
	s.cmd.Stderr = s.stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Cancel = func() error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }
	s.cmd.WaitDelay = time.Second // the master holds stdout and stderr until the host's command ends
	var stdin io.WriteCloser
	if c.Stdin != nil {
		// Not cmd.Stdin: Wait would wait for a reader that never ends.
		if stdin, err = s.cmd.StdinPipe(); err != nil {
			release()
			return nil, err
		}
	}
	if err := s.cmd.Start(); err != nil {
		release()
		return nil, h.fail(ErrUnreachable, diag.HostUnreachable, fmt.Sprintf("%s can't be started: %v", s.cmd.Path, err), "")
	}
	if stdin != nil {
		go func() {
			_, _ = io.Copy(stdin, c.Stdin)
			_ = stdin.Close()
		}()
	}
	return s, nil
}

// command builds what runs on this machine.
func (h *Host) command(ctx context.Context, m *master, c Command) *exec.Cmd {
	words := []string{"/bin/sh", "-c", c.Script, "requeen"}
	if c.Root {
		words[2] = rootCheck + c.Script
		if h.target.Become == "sudo" {
			words = append([]string{"sudo", "-n", "--"}, words...)
		}
	}
	words = append(words, c.Args...)
	if h.target.Local {
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		cmd.Env = append(append(cmd.Environ(), "LC_ALL=C"), h.pool.o.testOnlyEnv...)
		return cmd
	}
	for i, w := range words {
		words[i] = quote(w)
	}
	line := "LC_ALL=C; export LC_ALL; exec " + strings.Join(words, " ")
	return exec.CommandContext(ctx, h.pool.o.testOnlySSH, append(h.sessionArgs(m.path), line)...)
}

// quote makes s one word of a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// wait waits for the end of the command and types its failure.
func (s *session) wait() error {
	defer s.release()
	err := s.cmd.Wait()
	if err == nil {
		return nil
	}
	if cause := context.Cause(s.ctx); cause != nil {
		return fmt.Errorf("%s: %w", s.h.target.Name, cause)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", s.h.target.Name, err)
	}
	text, status := s.stderr.String(), exit.ExitCode()
	if s.root {
		if e := s.h.rootFailure(status, text); e != nil {
			return e
		}
	}
	if s.m != nil && (status == 255 || status < 0) && s.h.lost(s.m) {
		return s.h.fail(ErrUnreachable, diag.HostUnreachable,
			fmt.Sprintf("%s: the connection was lost while a command ran; whether it ended is unknown", s.h.target), "")
	}
	return &ExitError{Host: s.h.target.Name, Status: status, Stderr: text}
}

// rootFailure finds out whether a Root command failed for want of root.
func (h *Host) rootFailure(status int, stderr string) *Error {
	first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	if user, ok := strings.CutPrefix(first, "requeen-not-root "); ok && status == statusNotRoot {
		return h.notRoot(strings.TrimSpace(user), "")
	}
	if h.target.Become != "sudo" {
		return nil
	}
	switch {
	case status == 1 && (strings.HasPrefix(first, "sudo: ") || strings.HasPrefix(first, "Sorry, user ") ||
		strings.Contains(first, "is not in the sudoers file") || strings.Contains(stderr, "sudo: a password is required")):
		return h.notRoot("", first)
	case status == 127 && strings.Contains(first, "sudo"):
		return h.notRoot("", first)
	}
	return nil
}

// lost tells whether the master has gone, or does not answer on its socket. A
// session that ends with 255 may be the command's own doing.
func (h *Host) lost(m *master) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, h.pool.o.testOnlySSH, h.sessionArgs(m.path, "-O", "check")...).Run() != nil
}
