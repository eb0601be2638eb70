package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/requeen/requeen/plan"
)

// archiveData reads every source that the journal does not hold yet: those of one node
// after each other, those of several side by side. The services are seen down before:
// somebody may have scaled one up since.
func archiveData(ctx context.Context, t *task) error {
	have := t.j.progress.data[t.s.ID]
	nodes := map[string][]plan.DataSource{}
	for _, s := range t.s.Data.Sources {
		switch _, done := have[s.ID()]; {
		case done:
		case s.LeftOut != "":
			if err := t.leaveOut(s, t.s.ID, s.LeftOut); err != nil {
				return err
			}
		default:
			nodes[s.Node] = append(nodes[s.Node], s)
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	if err := t.servicesDown(ctx, t.s.Data.Services); err != nil {
		if t.ends(ctx, err) {
			return err
		}
		return t.dataFailed("The services of "+sourcesOf(t.s)+" did not stay down", err)
	}
	r := &reading{t: t}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	for _, h := range t.locks {
		lost := h.lock.Lost()
		go func() {
			select {
			case <-lost:
				r.cancel(nil)
			case <-ctx.Done():
			}
		}()
	}
	r.all(ctx, nodes)
	if err := t.mayAct(); err != nil {
		return err
	}
	if r.err != nil {
		return r.err
	}
	return t.tellDisturbed(ctx, nodes)
}

// reading is sources of several nodes being read. What belongs to the run, which is one
// thing at a time, is used with mu held.
type reading struct {
	t          *task
	cancel     context.CancelCauseFunc
	sideBySide bool

	mu   sync.Mutex
	err  error
	told time.Time
}

func (r *reading) all(ctx context.Context, nodes map[string][]plan.DataSource) {
	if len(nodes) == 1 {
		for _, list := range nodes {
			r.node(ctx, list)
		}
		return
	}
	r.sideBySide = true
	free := make(chan struct{}, plan.DataNodesAtOnce)
	var wg sync.WaitGroup
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			r.node(ctx, nodes[name])
		})
	}
	wg.Wait()
}

func (r *reading) node(ctx context.Context, list []plan.DataSource) {
	for _, s := range list {
		if ctx.Err() != nil {
			return
		}
		stored, err := r.read(ctx, s)
		if err := r.ended(ctx, s, stored, err); err != nil {
			return
		}
	}
}

func (r *reading) read(ctx context.Context, s plan.DataSource) (StoredData, error) {
	req := r.request(s)
	limit := time.Duration(s.TimeoutSeconds) * time.Second
	call, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it was not read within %s", limit))
	defer cancel()
	stored, err := r.t.Data.StoreData(call, req, func(p StoreProgress) { r.progress(s, p) })
	if err != nil && ctx.Err() == nil && call.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(call), err)
	}
	return stored, err
}

func (r *reading) request(s plan.DataSource) DataRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	req := DataRequest{ID: r.t.q.id, Repository: r.t.s.Repository, Source: backupData(s), SideBySide: r.sideBySide}
	if h := r.t.seen.Host(s.Node); h != nil {
		req.Host = *h
	}
	return req
}

// progress tells how far the reading has come, at most once a second, and ends it where
// the operator asked to stop: the services come back, and nothing is half stored.
func (r *reading) progress(s plan.DataSource, p StoreProgress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.t.stopAsked() {
		r.fail(ErrInterrupted)
		return
	}
	if now := r.t.Clock.Now(); now.Sub(r.told) >= progressEvery {
		r.told = now
		r.t.emit(Event{Type: StepProgress, Stage: p.Stage, Bytes: p.Bytes, Total: p.Total, Text: "reads " + s.ID()})
	}
}

func (r *reading) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.cancel(err)
}

// ended journals what became of a source; its error ends the reading.
func (r *reading) ended(ctx context.Context, s plan.DataSource, stored StoredData, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		if stored.Data.Changed {
			r.t.note(r.t.s, "files of %s changed or vanished while they were read: %s", s.ID(), stored.Data.Failure)
		}
		if len(stored.Apart) > 0 {
			r.t.note(r.t.s, "%s holds nothing of what is mounted on %s", s.ID(), strings.Join(stored.Apart, ", "))
		}
		err = r.t.recordData(r.t.s.ID, stored)
	case ctx.Err() != nil:
		r.fail(ctx.Err())
		return err
	case s.Continue:
		err = r.t.leaveOut(s, r.t.s.ID, oneText(err))
	default:
		err = r.t.dataFailed(sentence(s.ID())+" of "+s.Node+" could not be read and stored", err)
	}
	if err != nil {
		r.fail(err)
	}
	return err
}

// dataOf gives what a backup holds beside the swarm, in the order of the plan's steps.
func (r *runner) dataOf(q *sequence) []StoredData {
	var list []StoredData
	for _, d := range q.data {
		for _, s := range d.steps {
			if s.Kind != plan.ArchiveData {
				continue
			}
			for _, source := range s.Data.Sources {
				if stored, ok := r.j.progress.data[s.ID][source.ID()]; ok {
					list = append(list, stored)
				}
			}
		}
	}
	return slices.Clip(list)
}
