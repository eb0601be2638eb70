package host

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

var (
	hostKeyLine = regexp.MustCompile(`(?m)^debug1: Server host key: \S+ (\S+)`)
	offending   = regexp.MustCompile(`(?m)^Offending \S+ key in (\S+):\d+`)
)

// shownHostKey finds the key in ssh's debug output. Of several the last one
// counts: those of jump hosts come before it.
func shownHostKey(log string) string {
	all := hostKeyLine.FindAllStringSubmatch(log, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// sshMessages drops ssh's debug lines and leaves what a person would have seen.
func sshMessages(log string) string {
	var keep []string
	for _, line := range strings.Split(log, "\n") {
		line = strings.TrimSpace(strings.TrimSuffix(line, "\r"))
		if line == "" || strings.HasPrefix(line, "debug") || strings.HasPrefix(line, "OpenSSH_") || line == readyWord ||
			strings.HasPrefix(line, "Authenticated to ") || strings.HasPrefix(line, "Transferred: ") ||
			strings.HasPrefix(line, "Bytes per second: ") || strings.HasPrefix(line, "Authenticated using ") {
			continue
		}
		keep = append(keep, line)
	}
	return strings.Join(keep, "\n")
}

// classify turns what ssh wrote when it gave no connection into an Error. The
// texts are OpenSSH's own and are not translated.
func (h *Host) classify(log string) *Error {
	messages, key := sshMessages(log), shownHostKey(log)
	var e *Error
	has := func(s string) bool { return strings.Contains(messages, s) }
	switch {
	case has("IDENTIFICATION HAS CHANGED"), has("POSSIBLE DNS SPOOFING"), has("REVOKED HOST KEY"):
		e = h.keyChanged(messages, key)
	case has("host key is known for"), has("Host key verification failed"):
		e = h.keyUnknown(messages, key)
	case has("Permission denied"), has("Too many authentication failures"), has("No more authentication methods"),
		has("All configured authentication methods failed"):
		e = h.fail(ErrAuth, diag.HostUnreachable,
			fmt.Sprintf("%s answered and refused the login: %s", h.target, lastLine(messages)),
			"Load the key into the agent (ssh-add), or set User and IdentityFile for this host in the ssh configuration; try: ssh "+h.tryArgs())
		e.Diagnostic.Summary = "A host refused the login"
	default:
		detail := lastLine(messages)
		if detail == "" {
			detail = "ssh gave no connection and no reason"
		}
		e = h.fail(ErrUnreachable, diag.HostUnreachable, fmt.Sprintf("%s: %s", h.target, detail), "")
	}
	e.HostKey = key
	return e
}

func (h *Host) keyChanged(messages, key string) *Error {
	where := ""
	if m := offending.FindStringSubmatch(messages); m != nil {
		where = " -f " + m[1]
	}
	detail := fmt.Sprintf("%s is alive and shows another key than the one on record, so it was reinstalled or it is another machine", h.target)
	if key != "" {
		detail += "; it shows " + key
	}
	return h.fail(ErrHostKeyChanged, diag.HostKeyChanged, detail, fmt.Sprintf(
		"Find out why, and compare %s with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on the host's console; only then: ssh-keygen%s -R '%s', and connect once with ssh %s",
		orWord(key, "the key"), where, h.knownName(), h.tryArgs()))
}

func (h *Host) keyUnknown(messages, key string) *Error {
	detail := fmt.Sprintf("ssh has no key on record for %s, and requeen never accepts one unseen: %s", h.target, lastLine(messages))
	if key != "" {
		detail += "; the host shows " + key
	}
	scan := "ssh-keyscan "
	if h.target.Port != 0 {
		scan += fmt.Sprintf("-p %d ", h.target.Port)
	}
	return h.fail(ErrHostKeyUnknown, diag.HostKeyUnknown, detail, fmt.Sprintf(
		"Compare %s with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on the host's console; if it is the same: %s%s >>~/.ssh/known_hosts",
		orWord(key, "the key"), scan, h.target.Host))
}

// notRoot is the Error of a login that is not root and can't become it.
func (h *Host) notRoot(user, said string) *Error {
	if user == "" {
		user = orWord(h.target.User, "USER")
	}
	detail := fmt.Sprintf("%s is logged in to as %s", h.target, user)
	if said != "" {
		detail += ", and sudo said: " + said
	}
	line := fmt.Sprintf("%s ALL=(root) NOPASSWD: /bin/sh", user)
	remedy := fmt.Sprintf("Connect as root, or set become = \"sudo\" and put this line into /etc/sudoers.d/requeen on the host: %s", line)
	if h.target.Become == "sudo" {
		remedy = "Put this line into /etc/sudoers.d/requeen on the host: " + line
	}
	if strings.Contains(said, "tty") {
		remedy += fmt.Sprintf("; and: Defaults:%s !requiretty", user)
	}
	return h.fail(ErrSudo, diag.NotRoot, detail, remedy)
}

// tryArgs are the arguments with which the operator repeats the connection.
func (h *Host) tryArgs() string {
	s := ""
	if c := h.pool.o.SSHConfig; c != "" {
		s = "-F " + c + " "
	}
	if h.target.Port != 0 {
		s += fmt.Sprintf("-p %d ", h.target.Port)
	}
	return s + h.target.destination()
}

// knownName is the host's name as known_hosts has it.
func (h *Host) knownName() string {
	if p := h.target.Port; p != 0 && p != 22 {
		return fmt.Sprintf("[%s]:%d", h.target.Host, p)
	}
	return h.target.Host
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:])
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
