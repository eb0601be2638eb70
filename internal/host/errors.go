package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

// The kinds of an Error, for errors.Is.
var (
	// ErrUnreachable: no connection, or the connection was lost.
	ErrUnreachable = errors.New("host unreachable")
	// ErrHostKeyUnknown: ssh has no key on record for the host.
	ErrHostKeyUnknown = errors.New("host key unknown")
	// ErrHostKeyChanged: the host shows another key than the one on record. The
	// host is alive, whoever it is.
	ErrHostKeyChanged = errors.New("host key changed")
	// ErrAuth: the host refused the login.
	ErrAuth = errors.New("login refused")
	// ErrSudo: logged in, but not root.
	ErrSudo = errors.New("not root")
	// ErrGuard: the host is not in the state that the command was made for.
	ErrGuard = errors.New("guard refused")
	// ErrToken: the host has seen a higher run token.
	ErrToken = errors.New("run token refused")
	// ErrRunInFlight: another run of the cluster is under way on the host.
	ErrRunInFlight = errors.New("another run is in flight")
	// ErrNoRoom: too little space or too few inodes for the copy.
	ErrNoRoom = errors.New("no room")
	// ErrIncomplete: the host lacks a tool.
	ErrIncomplete = errors.New("host incomplete")
	// ErrChanged: the swarm directory changed while it was read.
	ErrChanged = errors.New("changed while it was read")
	// ErrHeld: a recovery, another one than the command's, holds the engine.
	ErrHeld = errors.New("held by a recovery")
	// ErrUnitBusy: the run's unit still works; its run can't be removed.
	ErrUnitBusy = errors.New("the backup unit is still at work")
)

// Error is a failure with a kind and with the words for the operator.
type Error struct {
	Kind       error
	Diagnostic diag.Diagnostic
	HostKey    string // of the key that the host showed, where one was seen
}

// Error gives the diagnostic's text.
func (e *Error) Error() string { return e.Diagnostic.Error() }

// Unwrap lets errors.Is find the kind and errors.As the diagnostic.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Diagnostic} }

// ExitError is a command that ran on the host and failed there.
type ExitError struct {
	Host   string // the node's name
	Status int
	Stderr string // its end, at most 8 KiB
}

// Error gives the status and the last line that the command wrote.
func (e *ExitError) Error() string {
	text := strings.TrimSpace(e.Stderr)
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	if text == "" {
		return fmt.Sprintf("%s: command ended with status %d", e.Host, e.Status)
	}
	return fmt.Sprintf("%s: command ended with status %d: %s", e.Host, e.Status, text)
}

// HelperError says that the helper binary can't serve a host.
type HelperError struct {
	Node   string
	Helper string // the binary's path
	Have   string // what the binary is for: "linux/amd64"
	Want   string // what the host is: "Linux aarch64"
	Err    error
}

// Error gives the diagnostic's text.
func (e *HelperError) Error() string { return e.diagnostic().Error() }

// Unwrap lets errors.As find the diagnostic.
func (e *HelperError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.diagnostic()}
	}
	return []error{e.diagnostic(), e.Err}
}

func (e *HelperError) diagnostic() diag.Diagnostic {
	row, _ := diag.Lookup(diag.HelperMissing)
	detail := fmt.Sprintf("%s is for %s, the host is %s", e.Helper, e.Have, e.Want)
	if e.Err != nil {
		detail = fmt.Sprintf("%s: %v", e.Helper, e.Err)
	}
	return diag.Diagnostic{
		Severity: diag.Error, Code: diag.HelperMissing, Node: e.Node,
		Summary: row.Title, Detail: detail, Remedy: row.Remedy,
	}
}

// fail makes an Error with a row of the code table; an empty remedy takes the
// table's.
func (h *Host) fail(kind error, code, detail, remedy string) *Error {
	d := diag.Diagnostic{Severity: diag.Error, Code: code, Node: h.target.Name, Detail: detail, Remedy: remedy}
	if row, ok := diag.Lookup(code); ok {
		d.Summary = row.Title
		if d.Remedy == "" {
			d.Remedy = row.Remedy
		}
	}
	if d.Summary == "" {
		d.Summary = kind.Error()
	}
	return &Error{Kind: kind, Diagnostic: d}
}
