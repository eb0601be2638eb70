package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

// The codes that this package gives.
const (
	codeUnreachable = diag.HostUnreachable
	codeKeyUnknown  = diag.HostKeyUnknown
	codeKeyChanged  = diag.HostKeyChanged
	codeRoot        = diag.NotRoot
	codeEngine      = diag.EngineUnanswered
	codeDisk        = diag.DiskUnread
	codeIncomplete  = diag.HostIncomplete
	codeHelper      = diag.HelperMissing
	codeSwarm       = diag.NotHealthy
	codeRepository  = diag.RepositoryUnusable
)

// problem takes the code's own remedy where none is given. The text does not
// begin with the node's name: it stands in that node's row, and whoever shows it
// alone says whose it is.
func problem(code, node, text, remedy string) *state.Problem {
	if remedy == "" {
		if row, ok := diag.Lookup(code); ok {
			remedy = row.Remedy
		}
	}
	return &state.Problem{Code: code, Text: strings.TrimPrefix(text, node+": "), Remedy: remedy}
}

// errUnfinished is a host that let us in and did not get done with the look.
var errUnfinished = errors.New("it let us in, but the look at it did not get done")

func unfinished(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", errUnfinished, err)
	}
	return err
}

// kinds maps how a host fails to a code. answered: the machine is there and let
// us in, it only can't be looked at as it must be.
var kinds = []struct {
	kind     error
	code     string
	answered bool
}{
	{host.ErrHostKeyChanged, codeKeyChanged, false},
	{host.ErrHostKeyUnknown, codeKeyUnknown, false},
	{host.ErrSudo, codeRoot, true},
	{host.ErrIncomplete, codeIncomplete, true},
	{host.ErrAuth, codeUnreachable, false},
	{host.ErrUnreachable, codeUnreachable, false},
	{errUnfinished, codeDisk, true},
	{context.DeadlineExceeded, codeUnreachable, false},
}

// hostProblem is why a host could not be reached or looked at.
func hostProblem(h *state.Host, err error) *state.Problem {
	code := codeUnreachable
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			code = k.code
			break
		}
	}
	var failed *host.ExitError
	if code == codeUnreachable && errors.As(err, &failed) {
		code = codeIncomplete // it ran what it was given, and that failed
	}
	text, remedy := words(err)
	if errors.Is(err, errUnfinished) {
		remedy = "The host is overloaded, or a disk or mount there hangs: look at that, then look again."
	}
	if errors.Is(err, context.DeadlineExceeded) {
		text = h.Target + ": " + text
	}
	return problem(code, h.Name, text, remedy)
}

// answered tells whether the host was there, though the look failed.
func answered(err error) bool {
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.answered
		}
	}
	var failed *host.ExitError
	return errors.As(err, &failed)
}

// words are an error's text and remedy. An error that is a diagnostic brings
// its own.
func words(err error) (text, remedy string) {
	var d diag.Diagnostic
	if !errors.As(err, &d) {
		return oneLine(err.Error()), ""
	}
	text = d.Summary
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return oneLine(text), d.Remedy
}

// plain is an error's text on one line.
func plain(err error) string {
	text, _ := words(err)
	return text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func isLeaderless(err error) bool { return errors.Is(err, engine.ErrNoLeader) }
