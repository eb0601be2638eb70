package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// TCPAnswer is what a host gets when it connects to an address.
type TCPAnswer string

// The answers. Only TCPUnknown tells nothing about the address.
const (
	TCPOpen    TCPAnswer = "open"    // something listens
	TCPRefused TCPAnswer = "refused" // the machine is there, and nothing listens
	TCPSilent  TCPAnswer = "silent"  // no answer in time, or no way to the machine
	TCPUnknown TCPAnswer = "unknown" // it could not be tried
)

// dialWait is how long a connection may take to be accepted.
const dialWait = 5 * time.Second

// dialScript connects with bash, which most hosts have; 127: this one has none
// that can.
const dialScript = `command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1 || exit 127
said=$(timeout "$3" bash -c 'exec 3<>"/dev/tcp/$1/$2"' requeen "$1" "$2" 2>&1)
case $? in
0) echo dialled=open; exit ;;
124) echo dialled=silent; exit ;;
esac
case $said in
*'onnection refused'*) echo dialled=refused ;;
*'No route to host'* | *'imed out'* | *'Host is down'*) echo dialled=silent ;;
*) exit 127 ;;
esac`

// DialTCP tells whether addr, an IP address with a port, accepts a TCP connection
// that comes from the host, within five seconds or until ctx ends. An error comes
// with TCPUnknown only: the host could not be asked, or can't tell.
func (h *Host) DialTCP(ctx context.Context, addr string) (TCPAnswer, error) {
	ip, port, err := net.SplitHostPort(addr)
	if err != nil || net.ParseIP(ip) == nil {
		return TCPUnknown, fmt.Errorf("host: %q is not an IP address with a port", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return TCPUnknown, fmt.Errorf("host: %q has no port", addr)
	}
	if h.target.Local {
		return h.dialHere(ctx, addr)
	}
	seconds := strconv.Itoa(int(dialWait / time.Second))
	out, err := h.Output(ctx, Command{Script: dialScript, Args: []string{ip, port, seconds}})
	if err == nil {
		for _, line := range strings.Split(out, "\n") {
			if word, ok := strings.CutPrefix(line, "dialled="); ok {
				return TCPAnswer(word), nil
			}
		}
	}
	var exit *ExitError
	if err != nil && !errors.As(err, &exit) {
		return TCPUnknown, err
	}
	return h.dialThrough(ctx, addr)
}

func (h *Host) dialHere(ctx context.Context, addr string) (TCPAnswer, error) {
	conn, err := (&net.Dialer{Timeout: dialWait}).DialContext(ctx, "tcp", addr)
	switch {
	case err == nil:
		_ = conn.Close()
		return TCPOpen, nil
	case context.Cause(ctx) != nil:
		return TCPUnknown, context.Cause(ctx)
	case errors.Is(err, syscall.ECONNREFUSED):
		return TCPRefused, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.EHOSTUNREACH),
		errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.ETIMEDOUT):
		return TCPSilent, nil
	}
	return TCPUnknown, fmt.Errorf("%s: %s: %w", h.target.Name, addr, err)
}

// openedText is what ssh -W says, with -v, once its connection is open. A port
// whose owner hangs is told from one that does not answer by this alone.
const openedText = "master session id"

// openedLog is closed when openedText was written.
type openedLog struct {
	tail
	opened chan struct{}
	seen   bool
}

// Write has one caller, the copying of the process's standard error.
func (l *openedLog) Write(p []byte) (int, error) {
	n, err := l.tail.Write(p)
	if !l.seen && strings.Contains(l.String(), openedText) {
		l.seen = true
		close(l.opened)
	}
	return n, err
}

// dialThrough lets sshd connect (ssh -W) and closes at once. Why a connection did
// not come is told by the master's log.
func (h *Host) dialThrough(ctx context.Context, addr string) (TCPAnswer, error) {
	release, err := acquire(ctx, h.slots)
	if err != nil {
		return TCPUnknown, err
	}
	defer release()
	m, err := h.connect(ctx)
	if err != nil {
		return TCPUnknown, err
	}
	h.dialling.Lock() // so that what the log gains is of this connection
	defer h.dialling.Unlock()
	seen := len(m.log.String())
	wait, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	said := &openedLog{tail: tail{max: 8 << 10}, opened: make(chan struct{})}
	cmd := exec.CommandContext(wait, h.pool.o.testOnlySSH, h.sessionArgs(m.path, "-v", "-W", addr)...)
	cmd.Stderr = said
	cmd.WaitDelay = time.Second
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	select {
	case <-said.opened:
		cancel()
		<-ended
		return TCPOpen, nil
	case err = <-ended:
	}
	switch {
	case err == nil || said.seen:
		return TCPOpen, nil
	case context.Cause(ctx) != nil:
		return TCPUnknown, context.Cause(ctx)
	case wait.Err() != nil:
		return TCPSilent, nil
	}
	if answer := m.openFailure(seen); answer != TCPUnknown {
		return answer, nil
	}
	return TCPUnknown, fmt.Errorf("%s: it can't be seen whether %s answers from there: ssh said: %s",
		h.target.Name, addr, orWord(lastLine(sshMessages(said.String())), err.Error()))
}

// openFailure reads in the log, from seen on, why a channel was not opened. The
// master tells the session first and logs then, so it is waited for a moment.
func (m *master) openFailure(seen int) TCPAnswer {
	for end := time.Now().Add(time.Second); ; time.Sleep(10 * time.Millisecond) {
		log := m.log.String()
		_, reason, ok := strings.Cut(log[min(seen, len(log)):], ": open failed: ")
		reason, _, whole := strings.Cut(reason, "\n")
		if ok && whole {
			return failureAnswer(reason)
		}
		if !m.alive() || time.Now().After(end) {
			return TCPUnknown
		}
	}
}

func failureAnswer(reason string) TCPAnswer {
	why, ok := strings.CutPrefix(reason, "connect failed: ")
	switch {
	case !ok:
		return TCPUnknown
	case strings.Contains(why, "Connection refused"):
		return TCPRefused
	case strings.Contains(why, "No route to host"), strings.Contains(why, "timed out"), strings.Contains(why, "Host is down"):
		return TCPSilent
	}
	return TCPUnknown
}
