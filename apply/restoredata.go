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

// dataRestoreKinds are how the steps of a restore of the applications' data are run.
// All of them can be begun anew: the services carry what they wait for, and the host
// keeps what was restored.
var dataRestoreKinds = map[plan.Kind]kind{
	plan.Quiesce:       {guard: guardDataRestore, act: withholdServices, wait: waitWithheld},
	plan.RestoreVolume: {guard: guardDataRestore, act: restoreVolume, wait: waitRestored},
	plan.Resume:        {guard: guardDataRestore, act: releaseServices, wait: waitReleased},
}

// dataRestore is what the port is told of the step.
func (t *task) dataRestore() DataRestore {
	r := t.s.DataRestore
	return DataRestore{Shape: t.shape(), RestoreID: r.ID, Label: withheldLabel(t.p, r.ID), Services: r.Services, Repository: t.s.Repository, Backup: r.Backup,
		Kind: r.Kind, Name: r.Name, Volume: r.Volume, Path: r.Path, ObjectSHA256: r.ObjectSHA256, Replace: r.Replace}
}

// withheldLabel is what the services of a restore wait for: of one that was cut, what
// they carry already. A plan may go on with more than one.
func withheldLabel(p *plan.Plan, id string) string {
	pending, any := state.PendingRestore{}, false
	for _, s := range p.Steps {
		r := s.DataRestore
		if r == nil || s.Kind != plan.RestoreVolume || r.ID != id {
			continue
		}
		any = true
		pending.ID, pending.Backup, pending.Repository, pending.Replace = r.ID, r.Backup, s.Repository, r.Replace
		pending.Sources = append(pending.Sources, r.Kind+"."+r.Name)
	}
	if !any {
		return ""
	}
	return pending.Value()
}

// withheld is what a prepared swarm directory must not run before its data are back.
func withheld(p *plan.Plan) Withheld {
	w := Withheld{Label: withheldLabel(p, p.Recovery.ID)}
	for _, s := range p.Steps {
		r := s.DataRestore
		if r == nil || s.Kind != plan.RestoreVolume {
			continue
		}
		if r.Volume != "" {
			w.Volumes = append(w.Volumes, r.Volume)
		}
		if r.Path != "" {
			w.Paths = append(w.Paths, r.Path)
		}
		w.Services = append(w.Services, r.Services...)
	}
	slices.Sort(w.Services)
	w.Services = slices.Compact(w.Services)
	return w
}

// readyData proves the archives before any service is stopped for them. What a recovery
// restores its prepare step proves.
func (r *runner) readyData(ctx context.Context) error {
	for _, s := range r.p.Steps {
		if s.DataRestore == nil || s.Kind != plan.RestoreVolume || r.p.Recovery != nil || r.byStep[s.ID].met || r.j.progress.intended(s.ID) {
			continue
		}
		r.emit(Event{Type: Note, Text: "reads " + s.DataRestore.Kind + "." + s.DataRestore.Name + " of backup " + s.DataRestore.Backup + " to its end, before anything is stopped"})
		if err := r.Recoverer.ReadyData(ctx, r.task(s).dataRestore()); err != nil {
			return dataNotReady(s, err)
		}
	}
	return nil
}

// guardDataRestore looks again, and waits until the swarm answers and the host of the
// data can be reached: it may have joined just now.
func guardDataRestore(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change { return nil })
}

// opens tells whether an epoch is the one that this plan's own recovery opens.
func (t *task) opens(epoch string) bool {
	return t.p.Recovery != nil && epoch != "" && t.p.Recovery.ID == epoch
}

func withholdServices(ctx context.Context, t *task) error {
	return t.dataTell(ctx, "Scaling the services to 0", t.Recoverer.Withhold)
}

func releaseServices(ctx context.Context, t *task) error {
	return t.dataTell(ctx, "Scaling the services back", t.Recoverer.Release)
}

// dataTell has an effect through those managers that may take it.
func (t *task) dataTell(ctx context.Context, doing string, tell func(context.Context, DataRestore) error) error {
	var refused error
	return t.insist(ctx, doing, func(ctx context.Context) error {
		t.lookElsewhere(ctx, refused)
		refused = tell(ctx, t.dataRestore())
		return refused
	})
}

func waitWithheld(ctx context.Context, t *task) (string, error) {
	return t.dataPoll(ctx, "no task of "+strings.Join(t.s.DataRestore.Services, ", ")+" is left", t.Recoverer.Withheld)
}

func waitReleased(ctx context.Context, t *task) (string, error) {
	return t.dataPoll(ctx, "the services have their scale back", t.Recoverer.Released)
}

func (t *task) dataPoll(ctx context.Context, what string, has func(context.Context, DataRestore) (bool, string, error)) (seen string, err error) {
	err = t.poll(ctx, what, func(ctx context.Context) (done bool, err error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		done, seen, err = has(call, t.dataRestore())
		t.lookElsewhere(ctx, err)
		if t.lastSeen = seen; done {
			t.lastSeen = ""
		}
		return done, err
	})
	return seen, err
}

// usedPatience is how long the tasks of services that were withheld may take to end.
const usedPatience = 3 * time.Minute

// restoreVolume puts one volume or directory back, once no task uses it any more.
func restoreVolume(ctx context.Context, t *task) error {
	what := t.s.DataRestore.Kind + "." + t.s.DataRestore.Name
	late := t.Clock.Now().Add(usedPatience)
	return t.acts(ctx, "Restoring "+what, func(ctx context.Context) error {
		for told := false; ; told = true {
			var err error
			t.restored, err = t.Recoverer.RestoreData(ctx, t.dataRestore(), t.tellRestore(what))
			var used *DataUsedError
			if !errors.As(err, &used) {
				return err
			}
			if len(used.Strangers) > 0 || !t.Clock.Now().Before(late) {
				return dataUsed(used)
			}
			if !told {
				t.note(t.s, "%s; they are waited for until %s", used.Error(), clock(late))
			}
			if err := t.sleep(ctx, t.req.PollEvery); err != nil {
				return err
			}
			if err := t.mayAct(); err != nil {
				return err
			}
		}
	})
}

// dataUsed is the refusal to replace what a container works on.
func dataUsed(e *DataUsedError) error {
	row, _ := diag.Lookup(diag.DataUsed)
	names := e.Containers
	if len(e.Strangers) > 0 {
		names = e.Strangers
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.DataUsed, Node: e.Node, Summary: row.Title,
		Detail: fmt.Sprintf("%s on %s is in use by %s. Nothing of it was changed", e.Source, e.Node, strings.Join(names, ", ")), Remedy: row.Remedy}
}

// tellRestore tells every so often how far the data have come.
func (t *task) tellRestore(what string) func(StoreProgress) {
	told := t.Clock.Now()
	return func(p StoreProgress) {
		if now := t.Clock.Now(); now.Sub(told) >= progressEvery {
			told = now
			t.emit(Event{Type: StepProgress, Text: fmt.Sprintf("restores %s, %d of %d MB", what, p.Bytes>>20, p.Total>>20)})
		}
	}
}

func waitRestored(_ context.Context, t *task) (string, error) {
	r, d := t.restored, t.s.DataRestore
	switch {
	case r.Kept:
		return fmt.Sprintf("kept as it is, for %s holds something; to replace it: requeen plan -restore=%s -only=%s.%s", r.Place, d.Backup, d.Kind, d.Name), nil
	case r.Before:
		return "it was restored before" + asideWords(r), nil
	}
	return fmt.Sprintf("%d files are in %s%s", r.Files, r.Place, asideWords(r)), nil
}

func asideWords(r DataRestored) string {
	if len(r.Asides) == 0 {
		return ""
	}
	return "; what was there is in " + strings.Join(r.Asides, ", ")
}

// restoresData tells whether the plan puts the applications' data back.
func restoresData(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.DataRestore != nil })
}

// dataPayload refuses a step that does not say what it is to do.
func dataPayload(s plan.Step) error {
	r := s.DataRestore
	if _, ok := dataRestoreKinds[s.Kind]; !ok || s.Node == "" || r.ID == "" || r.Backup == "" ||
		s.Kind == plan.RestoreVolume && (r.Kind == "" || r.Name == "" || r.Volume == "" && r.Path == "" || s.Repository == "") {
		return fmt.Errorf("step %d (%s %s) does not say what it restores, or where", s.ID, s.Kind, s.Node)
	}
	return nil
}
