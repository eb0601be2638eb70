package host

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// master is the ssh process that holds a host's connection.
type master struct {
	cmd     *exec.Cmd
	stdin   io.Closer // its end ends the remote command, and so the master
	path    string    // the control socket
	log     *readyLog
	hostKey string
	done    chan struct{} // closed when the process has ended
}

// readyWord is what the master's remote command prints, on both of its outputs:
// the login is done, and a session works.
const readyWord = "requeen-ready"

// stderrIn is how long the word may take on standard error after it came on
// standard output; an account that silences its standard error goes without.
const stderrIn = 2 * time.Second

// readyLog is what ssh wrote to standard error. ready is closed when readyWord
// came there: what ssh told before, the host key, has been read by then.
type readyLog struct {
	tail
	ready chan struct{}
	seen  bool
}

func newReadyLog() *readyLog {
	return &readyLog{tail: tail{max: 32 << 10, keep: true}, ready: make(chan struct{})}
}

// Write has one caller, the copying of the process's standard error.
func (l *readyLog) Write(p []byte) (int, error) {
	n, err := l.tail.Write(p)
	if !l.seen && strings.Contains("\n"+l.String(), "\n"+readyWord) {
		l.seen = true
		close(l.ready)
	}
	return n, err
}

// grace is allowed on top of the connect time-out for key exchange, login and
// the first session.
const grace = 15 * time.Second

func (m *master) alive() bool {
	select {
	case <-m.done:
		return false
	default:
		return true
	}
}

// masterArgs are the arguments of the master: the operator's configuration
// holds, but for what would ask, accept, forward or run something by itself.
func (h *Host) masterArgs(path string) []string {
	o := h.pool.o
	var args []string
	if o.SSHConfig != "" {
		args = append(args, "-F", o.SSHConfig)
	}
	seconds := max(1, int((o.ConnectTimeout+time.Second-1)/time.Second))
	for _, opt := range []string{
		"BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no",
		"ConnectTimeout=" + strconv.Itoa(seconds), "ConnectionAttempts=1",
		"ServerAliveInterval=5", "ServerAliveCountMax=3", "TCPKeepAlive=yes",
		"ControlMaster=yes", "ControlPath=" + path, "ControlPersist=no",
		"ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "Tunnel=no",
		"PermitLocalCommand=no", "RemoteCommand=none", "RequestTTY=no",
		"LogLevel=DEBUG1", // tells the host key; not -v, which a ProxyJump would inherit
	} {
		args = append(args, "-o", opt)
	}
	if h.target.Port != 0 {
		args = append(args, "-p", strconv.Itoa(h.target.Port))
	}
	return append(args, "-e", "none", "--", h.target.destination(), "echo "+readyWord+"; echo "+readyWord+" >&2; exec cat >/dev/null")
}

// sessionArgs are the arguments of a further session over the master. No
// configuration is read: the master has it all. If the master is gone, ssh would
// connect by itself; the ProxyCommand makes that fail.
func (h *Host) sessionArgs(path string, extra ...string) []string {
	args := []string{"-F", "/dev/null"}
	for _, opt := range []string{
		"BatchMode=yes", "StrictHostKeyChecking=yes", "ControlMaster=no", "ControlPath=" + path,
		"ProxyCommand=exit 1", "RequestTTY=no", "LogLevel=ERROR",
	} {
		args = append(args, "-o", opt)
	}
	args = append(args, "-e", "none")
	args = append(args, extra...)
	return append(args, "--", h.target.destination())
}

// open starts a master and waits until a session works over it.
func (h *Host) open(ctx context.Context) (*master, error) {
	h.masters++
	m := &master{
		path: fmt.Sprintf("%s/%d.%d", h.pool.dir, h.index, h.masters),
		log:  newReadyLog(),
		done: make(chan struct{}),
	}
	_ = os.Remove(m.path)
	m.cmd = exec.Command(h.pool.o.testOnlySSH, h.masterArgs(m.path)...)
	m.cmd.SysProcAttr = masterAttr()
	m.cmd.Stderr = m.log
	m.cmd.WaitDelay = time.Second // a ProxyCommand may outlive ssh and hold stderr
	stdin, err := m.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	m.stdin = stdin
	stdout, stdoutW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	m.cmd.Stdout = stdoutW
	err = m.cmd.Start()
	_ = stdoutW.Close()
	if err != nil {
		_ = stdout.Close()
		return nil, h.fail(ErrUnreachable, diag.HostUnreachable, fmt.Sprintf("ssh can't be started: %v", err), "Install the OpenSSH client.")
	}
	go func() {
		_ = m.cmd.Wait()
		close(m.done)
	}()
	if err := h.waitReady(ctx, m, stdout); err != nil {
		m.kill()
		return nil, err
	}
	select {
	case <-m.log.ready:
	case <-time.After(stderrIn):
	}
	m.hostKey = shownHostKey(m.log.String())
	return m, nil
}

// waitReady waits for readyWord, the end of ssh, or the time-out.
func (h *Host) waitReady(ctx context.Context, m *master, stdout *os.File) error {
	ready := make(chan bool, 1)
	go func() {
		defer stdout.Close()
		lines := bufio.NewScanner(stdout)
		for lines.Scan() { // a login shell's rc files may print before
			if strings.TrimSpace(lines.Text()) == readyWord {
				ready <- true
				_, _ = io.Copy(io.Discard, stdout)
				return
			}
		}
		ready <- false
	}()
	limit := h.pool.o.ConnectTimeout + grace
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case ok := <-ready:
		if ok {
			return nil
		}
		m.kill()
		return h.classify(m.log.String())
	case <-timer.C:
		m.kill()
		return h.fail(ErrUnreachable, diag.HostUnreachable,
			fmt.Sprintf("%s: no session within %v; ssh said last: %s", h.target, limit, orWord(lastLine(sshMessages(m.log.String())), "nothing")), "")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// kill ends the master and waits for its end.
func (m *master) kill() {
	_ = m.stdin.Close()
	_ = m.cmd.Process.Kill()
	<-m.done
	_ = os.Remove(m.path)
}

// close lets the master end by itself, which closes the connection in good
// order, and kills it when it does not.
func (m *master) close() {
	_ = m.stdin.Close()
	select {
	case <-m.done:
	case <-time.After(2 * time.Second):
	}
	m.kill()
}
