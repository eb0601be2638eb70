package observe

import (
	"context"
	"fmt"
	"time"
)

// Options say how long a look may take. The zero value takes the defaults.
type Options struct {
	// Now is the operator's clock, read once at the beginning.
	Now func() time.Time // nil: time.Now
	// HostTimeout bounds each question to one host: to connect, the look at it,
	// and its engine's account of itself.
	HostTimeout time.Duration // 0: 15 s
	// SilentTimeout is how long an engine is waited for where another manager is
	// out of the swarm: one that has just lost its quorum answers nobody for up to
	// 40 s, and its disk tells more. Elsewhere it has its HostTimeout.
	SilentTimeout time.Duration // 0: 2 s
	// SwarmTimeout bounds one manager's account of the swarm. A manager without
	// a quorum holds its callers for 20 s.
	SwarmTimeout time.Duration // 0: 10 s
	// RepositoryTimeout bounds the listing of one repository.
	RepositoryTimeout time.Duration // 0: 60 s
	// Socket is the engine's socket on every host.
	Socket string // empty: /run/docker.sock
	// Containers asks for the tasks' containers also where the swarm answers; where
	// it does not, they are looked at anyway.
	Containers bool
	// VolumeHolders asks every engine for the containers that recoveries left to
	// hold volumes: only who lists or removes them needs it.
	VolumeHolders bool
	// Parallel bounds how many workers are looked at at once; managers never
	// wait.
	Parallel int // 0: 64
}

// The defaults of Options.
const (
	DefaultHostTimeout       = 15 * time.Second
	DefaultSilentTimeout     = 2 * time.Second
	DefaultSwarmTimeout      = 10 * time.Second
	DefaultRepositoryTimeout = 60 * time.Second
	DefaultSocket            = "/run/docker.sock"
	DefaultParallel          = 64
)

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HostTimeout <= 0 {
		o.HostTimeout = DefaultHostTimeout
	}
	if o.SilentTimeout <= 0 {
		o.SilentTimeout = DefaultSilentTimeout
	}
	o.SilentTimeout = min(o.SilentTimeout, o.HostTimeout)
	if o.SwarmTimeout <= 0 {
		o.SwarmTimeout = DefaultSwarmTimeout
	}
	if o.RepositoryTimeout <= 0 {
		o.RepositoryTimeout = DefaultRepositoryTimeout
	}
	if o.Socket == "" {
		o.Socket = DefaultSocket
	}
	if o.Parallel <= 0 {
		o.Parallel = DefaultParallel
	}
	return o
}

// tooLate is the cause of a context that ran out here, so that the words can
// name the time.
type tooLate time.Duration

// Error names the time that was given.
func (t tooLate) Error() string { return fmt.Sprintf("no answer within %s", time.Duration(t)) }

// Is makes it a deadline for errors.Is.
func (t tooLate) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout makes it a time-out for net.Error's users.
func (t tooLate) Timeout() bool { return true }

func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, tooLate(d))
}

// within calls f and gives its answer, or gives up with ctx even where f does
// not: nothing that is looked at may hold the others up. An answer that is
// there counts, however late it is.
func within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		v, err := f(ctx)
		done <- answer{v, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-done:
		return a.value, a.err
	default:
		var none T
		return none, context.Cause(ctx)
	}
}
