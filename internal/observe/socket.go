package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

// info asks the engine for its account of itself, unless asking could start it.
func (l *look) info(parent context.Context, m machine, r *row) {
	if down, may := notDialled(r.host.Name, r.host.Service); !may {
		r.host.Engine = down
		return
	}
	ctx, cancel := bounded(parent, l.o.HostTimeout)
	defer cancel()
	e, err := l.ports.engine(func(ctx context.Context) (net.Conn, error) { return m.DialSocket(ctx, l.o.Socket) })
	if err == nil {
		r.engine = e
		var got state.Engine
		if got, err = within(ctx, e.Info); err == nil {
			got.Answered = state.Present
			r.host.Engine = got
			return
		}
	}
	if parent.Err() == nil {
		r.host.Engine = unanswered(r.host.Name, l.o.Socket, err)
	}
}

// notDialled tells whether the engine's socket may be dialled, which it may only
// where the engine's unit runs: systemd would start it otherwise. If it may not,
// it gives what is known of the engine without.
func notDialled(node string, s state.Service) (e state.Engine, may bool) {
	switch s.ActiveState {
	case "active", "activating", "reloading", "refreshing":
		return e, true
	case "":
		text, remedy := "whether "+s.Unit+" runs is unknown, and dialling its socket could start it", ""
		if s.Unit == "" {
			text = "no unit of an engine was found, and dialling the socket could start one"
			remedy = "Set engine { service } of this node to the systemd unit that runs its engine."
		}
		if s.FileState == "masked" {
			text = "the unit of its engine is masked, and is not dialled or started"
			remedy = "Run systemctl unmask on that host, unless it is masked on purpose."
		}
		return state.Engine{Problem: problem(codeEngine, node, text, remedy)}, false
	}
	text := fmt.Sprintf("%s is %s", s.Unit, s.ActiveState)
	if !s.ExitedAt.IsZero() {
		text += " since " + s.ExitedAt.UTC().Format(time.RFC3339)
	}
	return state.Engine{Answered: state.Absent, Problem: problem(codeEngine, node, text, "")}, false
}

// unanswered is an engine that was asked and gave no answer. Only a socket that
// refuses or hangs says something about the engine; a connection to the host
// that broke, or a socket that may not be opened, does not.
func unanswered(node, socket string, err error) state.Engine {
	text := socket + " gives no answer: " + plain(err)
	var helper *host.HelperError
	switch {
	case errors.As(err, &helper):
		_, remedy := words(err)
		return state.Engine{Answered: state.Unknown, Problem: problem(codeHelper, node, text, remedy)}
	case strings.Contains(text, "administratively prohibited"):
		return state.Engine{Answered: state.Unknown, Problem: problem(codeEngine, node, text,
			"Let sshd on that host forward sockets (AllowStreamLocalForwarding yes).")}
	case errors.Is(err, host.ErrSudo), errors.Is(err, host.ErrAuth), errors.Is(err, fs.ErrPermission):
		return state.Engine{Answered: state.Unknown, Problem: problem(codeRoot, node, text, "")}
	case errors.Is(err, host.ErrUnreachable), errors.Is(err, host.ErrHostKeyChanged), errors.Is(err, host.ErrHostKeyUnknown):
		return state.Engine{Answered: state.Unknown, Problem: problem(codeUnreachable, node, text, "")}
	}
	return state.Engine{Answered: state.Absent, Problem: problem(codeEngine, node, text, "")}
}
