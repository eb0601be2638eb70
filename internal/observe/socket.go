package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
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
	e, err := l.ports.engine(func(ctx context.Context) (net.Conn, error) { return m.DialSocket(ctx, l.o.Socket) })
	if err == nil {
		r.engine = e
		err = r.asks(parent, l.o.SilentTimeout)
	}
	r.silent = err != nil && errors.Is(err, context.DeadlineExceeded)
	if err != nil && parent.Err() == nil {
		r.host.Engine = unanswered(r.host.Name, l.o.Socket, err)
	}
}

// asks takes the engine's account of itself.
func (r *row) asks(parent context.Context, limit time.Duration) error {
	ctx, cancel := bounded(parent, limit)
	defer cancel()
	got, err := within(ctx, r.engine.Info)
	if err == nil {
		got.Answered = state.Present
		r.host.Engine = got
	}
	return err
}

// patiently asks the engines again that were silent, where no manager is out of
// the swarm: then they are slow, and have the host's time-out.
func (l *look) patiently(ctx context.Context, rows []row) {
	out := ctx.Err() != nil
	for i := range rows {
		r := &rows[i]
		if r.silent && ctx.Err() != nil {
			r.host.Engine = state.Engine{} // it was not asked to the end
		}
		out = out || r.role == "manager" && !r.silent && !r.good()
	}
	if out {
		return
	}
	var wg sync.WaitGroup
	for i := range rows {
		r := &rows[i]
		if !r.silent {
			continue
		}
		r.host.Engine = state.Engine{} // unknown, until it was asked to the end
		wg.Go(func() {
			err := r.asks(ctx, l.o.HostTimeout-l.o.SilentTimeout)
			switch {
			case err == nil && r.host.Engine.ControlAvailable:
				l.account(ctx, r)
			case err != nil && ctx.Err() == nil:
				r.host.Engine = unanswered(r.host.Name, l.o.Socket, err)
			}
		})
	}
	wg.Wait()
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
