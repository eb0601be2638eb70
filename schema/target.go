package schema

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Target is where ssh connects to. Host may be an alias of the operator's
// ssh configuration. User "" and Port 0 leave the choice to ssh.
type Target struct {
	User string
	Host string
	Port int
}

// String is user@host:port without what is not set; an IPv6 address stands in
// brackets where a port follows.
func (t Target) String() string {
	var b strings.Builder
	if t.User != "" {
		b.WriteString(t.User + "@")
	}
	switch {
	case t.Port == 0:
		b.WriteString(t.Host)
	case strings.Contains(t.Host, ":"):
		fmt.Fprintf(&b, "[%s]:%d", t.Host, t.Port)
	default:
		fmt.Fprintf(&b, "%s:%d", t.Host, t.Port)
	}
	return b.String()
}

// ParseTarget reads host, user@host, user@host:port, [v6]:port and
// ssh://user@host:port. It refuses everything that ssh could take for an
// option or a shell for more than a word (safety rule 22).
func ParseTarget(s string) (Target, error) {
	rest, isURL := s, false
	for _, r := range s {
		if unicode.IsControl(r) || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return Target{}, errors.New("it holds a space or a control character")
		}
	}
	if r, ok := strings.CutPrefix(s, "ssh://"); ok {
		rest, isURL = strings.TrimSuffix(r, "/"), true
	} else if scheme, _, ok := strings.Cut(s, "://"); ok {
		return Target{}, fmt.Errorf("%q is not a way to reach a host; only ssh:// is", scheme+"://")
	}
	var t Target
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		t.User, rest = rest[:i], rest[i+1:]
		if err := checkUser(t.User, isURL); err != nil {
			return Target{}, err
		}
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return Target{}, err
	}
	t.Host, t.Port = host, port
	return t, checkHost(t.Host)
}

func checkUser(user string, isURL bool) error {
	if _, err := url.PathUnescape(user); isURL && (err != nil || strings.ContainsAny(user, ":%")) {
		return errors.New("the user's name holds a password or an escape; ssh takes neither")
	}
	switch {
	case user == "":
		return errors.New("there is nothing before the @")
	case user[0] == '-':
		return errors.New("the user's name begins with \"-\", which ssh would take for an option")
	}
	if r, bad := badRune(user, "._-+\\"); bad {
		return fmt.Errorf("the user's name holds %q", r)
	}
	return nil
}

// splitPort takes host, host:port, [v6], [v6]:port or a bare IPv6 address.
func splitPort(s string) (host string, port int, err error) {
	host = s
	text, has := "", false
	switch {
	case strings.HasPrefix(s, "["):
		inside, after, ok := strings.Cut(s[1:], "]")
		if _, err := netip.ParseAddr(inside); !ok || err != nil {
			return "", 0, errors.New("brackets stand around an IPv6 address only")
		}
		host = inside
		if after != "" {
			if text, has = strings.CutPrefix(after, ":"); !has {
				return "", 0, fmt.Errorf("%q follows the bracket; only :port can", after)
			}
		}
	case strings.Count(s, ":") == 1:
		host, text, has = strings.Cut(s, ":")
	}
	if !has {
		return host, 0, nil
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || strings.HasPrefix(text, "+") {
		return "", 0, fmt.Errorf("%q is not a port; ports are 1 to 65535", text)
	}
	return host, port, nil
}

func checkHost(host string) error {
	switch {
	case host == "":
		return errors.New("it names no host")
	case host[0] == '-':
		return errors.New("the host begins with \"-\", which ssh would take for an option")
	case len(host) > 253:
		return errors.New("the host is longer than a name can be")
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return errors.New("it has several colons, but is not an IPv6 address")
		}
	}
	if r, bad := badRune(host, "._-:%"); bad {
		return fmt.Errorf("the host holds %q", r)
	}
	return nil
}

// badRune finds the first rune of s that is neither an ASCII letter or digit
// nor one of extra.
func badRune(s, extra string) (rune, bool) {
	for _, r := range s {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune(extra, r) {
			continue
		}
		return r, true
	}
	return 0, false
}
