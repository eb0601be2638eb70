package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// quiesceKind runs what comes before and takes the services' tasks away.
var quiesceKind = kind{guard: guardData, act: quiesce}

// archiveDataKind reads the sources and stores them.
var archiveDataKind = kind{guard: guardData, act: archiveData, wait: func(_ context.Context, t *task) (string, error) {
	return t.q.dataSeen(t.j.progress.data[t.s.ID]), nil
}}

// resumeKind gives the services their scale back and runs what comes after.
var resumeKind = kind{guard: guardData, act: func(ctx context.Context, t *task) error { return resumeData(ctx, t) }}

// guardData refuses where the swarm or a host is another than the plan's.
func guardData(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		var list []plan.Change
		for _, name := range t.s.With {
			list = append(list, t.otherMachineOf(name)...)
		}
		return list
	})
}

// isData tells whether a step is one on the applications' data that stands in a sequence
// of its own.
func isData(s plan.Step) bool {
	return s.Recovery == "" && (s.Kind == plan.Quiesce || s.Kind == plan.ArchiveData || s.Kind == plan.Resume)
}

// serviceShape is what a port is told of a service.
func (t *task) serviceShape(name string) Shape {
	return Shape{Cluster: t.p.Cluster, SwarmID: t.p.SwarmID, Token: t.dataToken(), Through: t.through(), Service: name}
}

func (t *task) dataToken() uint64 {
	highest := t.highestToken()
	for _, h := range t.locks {
		highest = max(highest, h.lock.Number())
	}
	return highest
}

// quiesce brings the applications to rest. Where every source of the step may be left
// out, a failure leaves them out, and the backup is made without them.
func quiesce(ctx context.Context, t *task) error {
	err := t.quiesced(ctx)
	if err == nil || t.ends(ctx, err) {
		return err
	}
	if slices.ContainsFunc(t.s.Data.Sources, func(s plan.DataSource) bool { return !s.Continue }) {
		return t.dataFailed("The applications of "+sourcesOf(t.s)+" could not be brought to rest", err)
	}
	for _, s := range t.s.Data.Sources {
		if err := t.leaveOut(s, t.q.archive(), "its application could not be brought to rest: "+err.Error()); err != nil {
			return err
		}
	}
	return nil
}

// ends tells whether an error is one of the whole run, and says nothing of the data.
func (t *task) ends(ctx context.Context, err error) bool {
	return ctx.Err() != nil || t.mayAct() != nil || errors.Is(err, ErrInterrupted) || !t.mayEnd(err)
}

func (t *task) quiesced(ctx context.Context) error {
	for _, c := range t.s.Data.Commands {
		if err := t.serviceUp(ctx, c.Service); err != nil {
			return err
		}
		if err := t.dataCommand(ctx, c); err != nil {
			return err
		}
	}
	return t.servicesDown(ctx, t.s.Data.Services)
}

// servicesDown takes the tasks of the services away and waits until they are gone.
func (t *task) servicesDown(ctx context.Context, services []string) error {
	for _, name := range services {
		if t.stopAsked() {
			return ErrInterrupted
		}
		if err := t.stillHolds(ctx); err != nil {
			return err
		}
		if err := t.insist(ctx, "Scaling the service "+name+" to 0", func(ctx context.Context) error {
			return t.Data.QuiesceService(ctx, t.serviceShape(name))
		}); err != nil {
			return err
		}
	}
	return t.eachService(ctx, services, "has no task any more", t.Data.ServiceQuiesced)
}

// eachService waits until something is so of every service.
func (t *task) eachService(ctx context.Context, services []string, what string, has func(context.Context, Shape) (bool, string, error)) error {
	for _, name := range services {
		err := t.poll(ctx, name+" "+what, func(ctx context.Context) (bool, error) {
			call, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			done, seen, err := has(call, t.serviceShape(name))
			t.lookElsewhere(ctx, err)
			if t.lastSeen = seen; done {
				t.lastSeen = ""
			}
			return done, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dataCommand runs a command of the plan within its own time.
func (t *task) dataCommand(ctx context.Context, c plan.DataCommand) error {
	if err := t.stillHolds(ctx); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, time.Duration(c.TimeoutSeconds)*time.Second+callTimeout)
	defer cancel()
	cmd := DataCommand{Cluster: t.p.Cluster, Token: t.dataToken(), Node: c.Node, Service: c.Service, Args: c.Args, Seconds: c.TimeoutSeconds}
	if h := t.seen.Host(c.Node); h != nil {
		cmd.Host = *h
	}
	t.note(t.s, "runs %q for %s", strings.Join(c.Args, " "), c.Source)
	if err := t.Data.RunDataCommand(call, cmd); err != nil {
		return fmt.Errorf("the command %q of %s: %w", strings.Join(c.Args, " "), c.Source, err)
	}
	return nil
}

// resumeData gives every service its scale back, waits for its tasks, and runs what comes
// after. A service whose tasks do not come is told and waited for no longer: it has its
// scale, and the data is read.
func resumeData(ctx context.Context, t *task) error {
	var failed []error
	for _, name := range t.s.Data.Services {
		err := t.insist(ctx, "Giving the service "+name+" its scale back", func(ctx context.Context) error {
			return t.Data.ResumeService(ctx, t.serviceShape(name))
		})
		var none *NoServiceError
		switch {
		case errors.As(err, &none):
			t.note(t.s, "the service %s is gone: there is no scale to give back", name)
		case err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
		if ctx.Err() != nil || t.mayAct() != nil {
			return errors.Join(failed...)
		}
	}
	if len(failed) == 0 {
		t.awaitServices(ctx)
	}
	for _, c := range t.s.Data.Commands {
		if err := t.dataCommand(ctx, c); err != nil {
			failed = append(failed, err)
		}
	}
	if err := errors.Join(failed...); err != nil && ctx.Err() == nil {
		row, _ := diag.Lookup(diag.ServicesNotResumed)
		return stepError(t.s, diag.ServicesNotResumed, "What was brought to rest did not come back as a whole", ended(sentence(oneText(err)))+" "+row.Meaning, row.Remedy, err)
	}
	return ctx.Err()
}

func (t *task) awaitServices(ctx context.Context) {
	err := t.eachService(ctx, t.s.Data.Services, "has its tasks again", func(ctx context.Context, s Shape) (bool, string, error) {
		done, seen, err := t.Data.ServiceResumed(ctx, s)
		var none *NoServiceError
		return done || errors.As(err, &none), seen, ignoring(err, errors.As(err, &none))
	})
	if err != nil && ctx.Err() == nil && t.mayAct() == nil {
		t.note(t.s, "every service has its scale back, but not yet its tasks: %s", t.lastSeen)
	}
}

func ignoring(err error, ignore bool) error {
	if ignore {
		return nil
	}
	return err
}

func oneText(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func sourcesOf(s plan.Step) string {
	var names []string
	for _, d := range s.Data.Sources {
		names = append(names, d.ID())
	}
	return strings.Join(names, ", ")
}

func (t *task) dataFailed(summary string, err error) error {
	row, _ := diag.Lookup(diag.DataNotRead)
	return stepError(t.s, codeOf(err, diag.DataNotRead), summary, ended(sentence(oneText(err))), row.Remedy, err)
}

// leaveOut journals that the backup goes on without a source.
func (t *task) leaveOut(s plan.DataSource, step int, why string) error {
	t.note(t.s, "the backup is made without %s: %s", s.ID(), why)
	d := backupData(s)
	d.Missing, d.Failure, d.Consistency = true, why, ""
	return t.recordData(step, StoredData{Data: d})
}

// recordData journals what became of a source, as an outcome that the manifest is made of.
func (t *task) recordData(step int, d StoredData) error {
	return t.record(record{Type: recData, Of: step, Data: &d})
}

// backupData is what is known of a source before it is read.
func backupData(s plan.DataSource) state.BackupData {
	return state.BackupData{Kind: s.Kind, Name: s.Name, Node: s.Node, Volume: s.Volume, Path: s.Path, Consistency: s.Consistency, Quiesced: slices.Clone(s.Quiesce)}
}
