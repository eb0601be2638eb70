package observe

import (
	"cmp"
	"context"
	"errors"

	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// row is one declared node: its host, and where its engine runs a manager, that
// manager's account of the swarm.
type row struct {
	host    state.Host
	role    string    // declared
	engine  engineAPI // nil when it was not asked
	silent  bool      // it gave no answer in time
	asked   bool      // for an account of the swarm
	account state.Swarm
	err     error // of the account
}

func byName(a, b row) int { return cmp.Compare(a.host.Name, b.host.Name) }

// row looks at one host. It ends with the host's time-out and, where there is a
// manager to ask, that of the swarm's account; or with ctx.
func (l *look) row(ctx context.Context, n schema.Node) row {
	r := row{role: n.Role, host: state.Host{Name: n.Name, Address: n.Address, Target: shownTarget(n)}}
	if n.Connection.None {
		return r
	}
	m, ok := l.ports.machine(n.Name)
	if !ok {
		r.host.Problem = problem(codeUnreachable, n.Name, "it is not among the hosts that this run can reach", "")
		return r
	}
	if n.Role != schema.RoleManager {
		select {
		case l.slots <- struct{}{}:
			defer func() { <-l.slots }()
		case <-ctx.Done():
			return r
		}
	}
	l.reach(ctx, n, m, &r)
	if r.engine != nil && r.host.Engine.ControlAvailable {
		l.account(ctx, &r)
	}
	return r
}

// reach asks the host and its engine, each question within the host's time-out:
// a host that is dead costs one of them, one that is slow is given its time.
func (l *look) reach(ctx context.Context, n schema.Node, m machine, r *row) {
	err := l.connect(ctx, m)
	if err != nil {
		r.host.HostKey = shownKey(err)
	}
	if l.failed(ctx, &r.host, err) {
		return
	}
	r.host.HostKey = m.HostKey()
	f, err := l.probe(ctx, n, m, n.Engine.DataRoot)
	if l.failed(ctx, &r.host, unfinished(err)) && !errors.Is(err, host.ErrIncomplete) {
		return
	}
	r.host.Looked = state.Present
	l.take(&r.host, f)
	l.info(ctx, m, r)
	l.elsewhere(ctx, n, m, r, f)
}

func (l *look) connect(parent context.Context, m machine) error {
	ctx, cancel := bounded(parent, l.o.HostTimeout)
	defer cancel()
	_, err := within(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, m.Connect(ctx) })
	return err
}

func (l *look) probe(parent context.Context, n schema.Node, m machine, dataRoot string) (facts, error) {
	ctx, cancel := bounded(parent, l.o.HostTimeout)
	defer cancel()
	return within(ctx, func(ctx context.Context) (facts, error) {
		return m.Probe(ctx, probe{service: n.Engine.Service, dataRoot: dataRoot, cluster: l.cfg.Cluster.Name})
	})
}

// failed notes a host that could not be reached or looked at. One that was not
// asked to the end, since the whole look ended, is unknown.
func (l *look) failed(parent context.Context, h *state.Host, err error) bool {
	if err == nil {
		return false
	}
	if parent.Err() != nil {
		return true
	}
	h.Looked, h.Problem = state.Absent, hostProblem(h, err)
	if answered(err) {
		h.Looked = state.Present
	}
	return true
}

// take puts a host's answers into its row.
func (l *look) take(h *state.Host, f facts) {
	known := *h
	*h = f.host
	h.Name, h.Address, h.Target = known.Name, known.Address, known.Target
	h.Looked, h.Problem, h.HostKey, h.Engine = known.Looked, known.Problem, known.HostKey, known.Engine
	l.certificate(h, f.certificate)
	addresses(h, f.stateFile)
	if h.SwarmDir.Presence == state.Unknown && h.SwarmDir.Problem == nil {
		h.SwarmDir.Problem = problem(codeDisk, h.Name, "whether there is a swarm directory could not be found out", "")
	}
}

// shownTarget is how the host is reached, in words.
func shownTarget(n schema.Node) string {
	switch c := n.Connection; {
	case c.None:
		return "none"
	case c.Local:
		return "local"
	default:
		return c.SSH.String()
	}
}

// shownKey is the host key in an error, where the host showed one.
func shownKey(err error) string {
	var e *host.Error
	if errors.As(err, &e) {
		return e.HostKey
	}
	return ""
}
