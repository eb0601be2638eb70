package apply_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/plan"
)

// withData is a world with an application, and the plan of a backup that takes its volume.
func withData(edit func(*plan.DataSource)) (*applytest.World, *plan.Plan) {
	w := applytest.New(3)
	w.AddApplication("db", 3)
	p := thePlan(w)
	source := plan.DataSource{Kind: "volume", Name: "pgdata", Node: "m2", Volume: "pgdata", Consistency: "quiesced", Quiesce: []string{"db"}, TimeoutSeconds: 600}
	if edit != nil {
		edit(&source)
	}
	command := func(name string) []plan.DataCommand {
		return []plan.DataCommand{{Source: source.ID(), Node: "m2", Args: []string{name}, TimeoutSeconds: 60}}
	}
	services, sources := []string{"db"}, []plan.DataSource{source}
	var steps []plan.Step
	add := func(kind plan.Kind, work plan.DataWork) {
		steps = append(steps, plan.Step{Kind: kind, Node: "m2", NodeID: "node2", Backup: "state", Repository: "offsite", Reason: "because", Risk: plan.Safe,
			Margin: plan.Margin{Managers: 3, Up: 3, Quorum: 2}, TimeoutSeconds: 700, Data: &work})
	}
	add(plan.Quiesce, plan.DataWork{Services: services, Commands: command("checkpoint"), Sources: sources})
	add(plan.ArchiveData, plan.DataWork{Services: services, Sources: sources})
	add(plan.Resume, plan.DataWork{Services: services, Commands: command("tell"), Sources: sources})
	p.Steps = append(steps, p.Steps...)
	for i := range p.Steps {
		p.Steps[i].ID = i + 1
	}
	return w, p
}

func theBackup(t *testing.T, w *applytest.World, where string) {
	t.Helper()
	for _, wrong := range append(w.End(1), w.AtScale()...) {
		t.Errorf("%s: %s", where, wrong)
	}
	list := w.State().Repositories[0].Backups
	if len(list) != 1 || len(list[0].Data) != 1 || list[0].Data[0].Missing || list[0].Data[0].Object == "" {
		t.Errorf("%s: the backup does not hold the volume: %+v", where, list)
	}
}

func TestDataIsReadWhileItsServiceIsDown(t *testing.T) {
	w, p := withData(nil)
	res, err, _ := start(w.Process(), request(p, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	theBackup(t, w, "at the end")
	if have := strings.Join(w.Commands(), " "); have != "checkpoint tell" {
		t.Errorf("commands that ran: %s", have)
	}
	if d := res.Backups[0].Data[0]; d.Volume != "" || len(d.Quiesced) != 0 || d.Files != 3 {
		t.Errorf("the manifest tells %+v", d)
	}
}

// TestDataCutAnywhere kills the program at every point there is: what scale a service is
// to have is always in the swarm, and the next apply ends with every service at it.
func TestDataCutAnywhere(t *testing.T) {
	for _, away := range []time.Duration{0, 3 * time.Hour} {
		for at := 1; ; at++ {
			w, p := withData(nil)
			cut := &points{at: at, do: func() error { panic(kill{}) }}
			q := cut.attach(w, request(p, t.TempDir()))
			_, err, killed := start(w.Process(), q)
			where := fmt.Sprintf("away %s, cut %d (%s)", away, at, cut.where)
			if !killed {
				if err != nil || at < 60 {
					t.Errorf("%s: %v", where, err)
				}
				break
			}
			if !w.Recorded() {
				t.Errorf("%s: a service is at 0, and its scale is nowhere", where)
			}
			w.Clock.Advance(away)
			if _, found, _ := apply.Resume(q.JournalRoot, p.Cluster); !found && len(w.End(1)) == 0 {
				continue
			}
			if again, _, err := resume(t, w, q); err != nil {
				t.Errorf("%s: %v\n%s", where, err, texts(again, apply.Note))
				continue
			}
			theBackup(t, w, where)
		}
	}
}

// TestDataErrorAnywhere gives an error, once, at every point there is: where the run fails
// over it, every service has its scale again or the failure says so, and the next apply
// reaches the end.
func TestDataErrorAnywhere(t *testing.T) {
	for at := 1; ; at++ {
		w, p := withData(nil)
		fault := &points{at: at, do: func() error { return errors.New("input/output error") }}
		q := fault.attach(w, request(p, t.TempDir()))
		process := w.Process()
		_, err, _ := start(process, q)
		if fault.n < at {
			break
		}
		process.Kill()
		where := fmt.Sprintf("error %d (%s)", at, fault.where)
		if wrong := w.AtScale(); len(wrong) > 0 && (err == nil || !strings.Contains(err.Error(), "requeen apply gives them their scale back")) {
			t.Errorf("%s: %v, and is not told by: %v", where, wrong, err)
		}
		if err != nil {
			if _, _, err := resume(t, w, q); err != nil {
				t.Errorf("%s: apply again: %v", where, err)
				continue
			}
		}
		theBackup(t, w, where)
	}
}

// TestDataInterruptAnywhere asks to stop at every point there is: every service has its
// scale at the end.
func TestDataInterruptAnywhere(t *testing.T) {
	for at := 1; ; at++ {
		w, p := withData(nil)
		ask := make(chan struct{})
		when := &points{at: at, do: func() error { close(ask); return nil }}
		q := when.attach(w, request(p, t.TempDir()))
		q.Interrupt = ask
		_, err, _ := start(w.Process(), q)
		if when.n < at {
			break
		}
		where := fmt.Sprintf("interrupt %d (%s)", at, when.where)
		for _, wrong := range w.AtScale() {
			t.Errorf("%s: %s", where, wrong)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, apply.ErrInterrupted) {
			t.Errorf("%s: %v", where, err)
		}
		q.Interrupt = nil
		if _, _, err := resume(t, w, q); err != nil {
			t.Errorf("%s: apply again: %v", where, err)
		}
		theBackup(t, w, where)
	}
}

func TestDataThatCantBeRead(t *testing.T) {
	for name, goesOn := range map[string]bool{"fail": false, "continue": true} {
		t.Run(name, func(t *testing.T) {
			w, p := withData(func(s *plan.DataSource) { s.Continue = goesOn })
			w.Unread = map[string]bool{"volume.pgdata": true}
			_, err, _ := start(w.Process(), request(p, t.TempDir()))
			for _, wrong := range w.AtScale() {
				t.Error(wrong)
			}
			if !goesOn {
				var told *apply.RunError
				if !errors.As(err, &told) || told.Diag.Code != "RQ430" || w.Stops() != 0 {
					t.Errorf("%v, %d stops", err, w.Stops())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := w.State().Repositories[0].Backups[0].Data; len(d) != 1 || !d[0].Missing || d[0].Failure != "" {
				t.Errorf("the manifest tells %+v", d)
			}
		})
	}
}

// TestServicesLeftAtRest is a plan that finds what a cut run left, without its journal.
func TestServicesLeftAtRest(t *testing.T) {
	w, p := withData(nil)
	killAfter(w, "StoreData")
	start(w.Process(), request(p, t.TempDir()))
	w.Hook = nil
	if len(w.AtScale()) == 0 {
		t.Fatal("nothing was left at rest")
	}
	left := thePlan(w)
	left.Steps = []plan.Step{{ID: 1, Kind: plan.Resume, Node: "m1", NodeID: "node1", Repository: "offsite", Reason: "because", Risk: plan.Safe, TimeoutSeconds: 300,
		Data: &plan.DataWork{Services: []string{"db"}}}}
	if _, err, _ := start(w.Process(), request(left, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range w.AtScale() {
		t.Error(wrong)
	}
}
