package host

import (
	"fmt"
	"strings"
)

// Target says how a declared node's machine is reached.
type Target struct {
	Name   string // the node's name in the configuration
	User   string // empty: ssh's own choice
	Host   string
	Port   int    // 0: ssh's own choice
	Become string // "" or "sudo"
	Local  bool   // this machine, without ssh
}

// String gives the form that is shown: "root@h", "h:2222", "local".
func (t Target) String() string {
	if t.Local {
		return "local"
	}
	s := t.destination()
	if t.Port != 0 {
		s += fmt.Sprintf(":%d", t.Port)
	}
	return s
}

// destination is what ssh gets after "--".
func (t Target) destination() string {
	if t.User == "" {
		return t.Host
	}
	return t.User + "@" + t.Host
}

// validate refuses what ssh could take for something else than a destination
// (safety rule 22).
func (t Target) validate() error {
	if t.Name == "" {
		return fmt.Errorf("host: a target without a name")
	}
	if t.Become != "" && t.Become != "sudo" {
		return fmt.Errorf("host: %s: become is %q, it can only be \"sudo\"", t.Name, t.Become)
	}
	if t.Local {
		return nil
	}
	if t.Port < 0 || t.Port > 65535 {
		return fmt.Errorf("host: %s: %d is no port", t.Name, t.Port)
	}
	if err := plainWord(t.Host); err != nil {
		return fmt.Errorf("host: %s: ssh host %q: %w", t.Name, t.Host, err)
	}
	if t.User == "" {
		return nil
	}
	if err := plainWord(t.User); err != nil {
		return fmt.Errorf("host: %s: ssh user %q: %w", t.Name, t.User, err)
	}
	return nil
}

// plainWord refuses the characters that ssh's configuration, a ProxyCommand or
// a shell might act on; ssh itself has refused most of them since 9.6 only.
func plainWord(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("it is empty")
	case strings.HasPrefix(s, "-"):
		return fmt.Errorf("it begins with '-'")
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("'\"`$\\;&<>|(){}*?!#@/,", r) {
			return fmt.Errorf("it has the character %q", r)
		}
	}
	return nil
}
