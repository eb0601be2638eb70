package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// runner carries one plan out.
type runner struct {
	Ports
	req    Request
	p      *plan.Plan
	seqs   []*sequence
	byStep map[int]*sequence
	j      *journal
	locks  []heldLock
	missed map[string]error // repositories that the run goes on without, see spares

	seen        *state.State  // the newest look
	changes     []plan.Change //  the plan is stale; only what is begun is finished
	interrupted bool
	ranBefore   bool // the plan came to its end before
	result      Result
}

// Start runs a plan, or goes on with it where its journal shows that an earlier
// try was cut. The error of a run that was asked to stop is ErrInterrupted.
func Start(ctx context.Context, ports Ports, req Request) (Result, error) {
	if req.Plan != nil {
		if err := Check(req.Plan, req.Digest, req.Approval); err != nil {
			return Result{}, err
		}
	}
	r, err := prepare(ports, req)
	if err != nil {
		return Result{}, err
	}
	defer r.j.close()
	return r.end(ctx, r.run(ctx))
}

// run is the way of a run: look, compare, lock, settle what was cut, make
// ready, then step after step.
func (r *runner) run(ctx context.Context) error {
	ranBefore, err := r.begin()
	if err != nil {
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	if err := r.awaitLeader(ctx); err != nil {
		return err
	}
	r.ranBefore = ranBefore
	r.skipMet(ranBefore)
	if err := r.compare(ranBefore); err != nil {
		return err
	}
	if err := r.lockless(); err != nil {
		return err
	}
	if err := r.takeLocks(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	for _, s := range r.p.Steps {
		if err := r.step(ctx, s); err != nil {
			return err
		}
	}
	r.releaseLocks(ctx)
	if err := r.record(record{Type: recFinished}); err != nil {
		return err
	}
	r.closeSuperseded()
	return nil
}

// begin journals the try. ranBefore tells that the plan came to its end before.
func (r *runner) begin() (ranBefore bool, err error) {
	rec := record{Type: recBegin, Cluster: r.p.Cluster, PlanDigest: r.req.Digest,
		Owner: r.req.Owner, ToolVersion: r.req.ToolVersion}
	ranBefore = !r.j.progress.finishedAt.IsZero()
	if r.j.progress.open {
		rec.Type = recResume
		r.result.Resumed = r.j.progress.everActed
	}
	for _, q := range r.seqs {
		if in, ok := r.j.progress.intents[q.first().ID]; ok && q.own {
			q.id = in.Run
			if in.Facts != nil {
				q.facts = *in.Facts
			}
		}
		r.recallID(q)
	}
	if err := r.record(rec); err != nil {
		return ranBefore, err
	}
	event := Event{Type: RunStarted, Digest: r.req.Digest, Text: r.p.Summary}
	if r.result.Resumed {
		event.Type = RunResumed
		event.Text = fmt.Sprintf("goes on after %d of %d steps", len(r.j.progress.outcomes), len(r.p.Steps))
	}
	r.emit(event)
	return ranBefore, nil
}

// ready lets every run that is still to come find what it needs before the
// first effect: the unlock key, the helper on the host.
func (r *runner) ready(ctx context.Context) error {
	if r.p.Recovery != nil {
		if err := r.readyRecovery(ctx); err != nil {
			return err
		}
	}
	if err := r.readyShape(ctx); err != nil {
		return err
	}
	if err := r.readyData(ctx); err != nil {
		return err
	}
	if err := r.readyComeBack(ctx); err != nil {
		return err
	}
	if err := r.readySchedules(ctx); err != nil {
		return err
	}
	for _, q := range r.seqs {
		if q.met || q.onHost || q.gone || r.j.progress.done(q.steps[len(q.steps)-1].ID) || q.first().Kind == plan.CleanUp {
			continue
		}
		if q.id == "" {
			q.id = r.req.NewID(r.Clock.Now().UTC())
		}
		q.shareID()
		if err := r.rereadOld(q); err != nil {
			return err
		}
		run := r.portRun(q.first())
		run.Later = r.p.Recovery != nil
		if err := r.Hosts.Ready(ctx, run); err != nil {
			return notReady(q.first(), err)
		}
	}
	return nil
}

// look observes the world again.
func (r *runner) look(ctx context.Context) error {
	st, err := r.Observer.Observe(ctx)
	if err != nil {
		return err
	}
	r.seen = st
	return nil
}

// portRun is what a port is told of a step's run.
func (r *runner) portRun(s plan.Step) Run {
	q := r.byStep[s.ID]
	run := Run{
		ID: q.id, Cluster: r.p.Cluster, Backup: s.Backup, Repository: s.Repository,
		Node: s.Node, NodeID: s.NodeID, SwarmID: r.p.SwarmID,
		Autolocked: r.p.Fingerprint.Autolock, Token: r.token(s.Repository),
	}
	if _, ok := q.step(plan.Unlock); ok {
		run.Autolocked = true
	}
	if h := r.seen.Host(s.Node); h != nil {
		run.Host = *h
		run.Autolocked = run.Autolocked || h.SwarmDir.Locked
	}
	return run
}

func (r *runner) record(rec record) error {
	rec.At = r.Clock.Now().UTC()
	return r.j.append(rec)
}

func (r *runner) emit(e Event) {
	e.At = r.Clock.Now().UTC()
	r.Sink.Event(e)
}

func (r *runner) note(s plan.Step, format string, args ...any) {
	r.emit(Event{Type: Note, Step: s.ID, Kind: string(s.Kind), Node: s.Node, Text: fmt.Sprintf(format, args...)})
}

// stopAsked tells whether the operator asked to stop, now or earlier.
func (r *runner) stopAsked() bool {
	if r.interrupted || r.req.Interrupt == nil {
		return r.interrupted
	}
	select {
	case <-r.req.Interrupt:
		r.interrupted = true
	default:
	}
	return r.interrupted
}

// sleep lets d pass, or the context end.
func (r *runner) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.Clock.After(d):
		return ctx.Err()
	}
}
