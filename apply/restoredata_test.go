package apply_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// withPlaces is a swarm in which two services use data of two nodes.
func withPlaces() *applytest.World {
	w := applytest.New(3)
	w.Places = map[string]*applytest.Place{"m1 volume.pgdata": {Holds: "now"}, "m2 directory.etc": {}}
	w.Apps = map[string]*applytest.App{"db": {Uses: "m1 volume.pgdata", Scale: 2}, "proxy": {Uses: "m2 directory.etc", Scale: 1}}
	return w
}

// restorePlan restores both, as package plan makes it.
func restorePlan(w *applytest.World, replace bool) *plan.Plan {
	st := w.State()
	p := &plan.Plan{FormatVersion: 1, Cluster: applytest.ClusterName, SwarmID: applytest.SwarmID, PlannedAt: st.ObservedAt, Summary: "data",
		Expires: st.ObservedAt.Add(time.Hour), Fingerprint: plan.Fingerprint{SwarmID: applytest.SwarmID}}
	for _, n := range st.Swarm.Nodes {
		p.Fingerprint.Managers = append(p.Fingerprint.Managers, plan.ManagerPrint{NodeID: n.ID, Name: n.Hostname, Reachable: true})
	}
	for _, name := range []string{"m1", "m2"} {
		h := st.Host(name)
		p.Fingerprint.Hosts = append(p.Fingerprint.Hosts, plan.HostPrint{Name: name, MachineID: h.MachineID, HostKey: h.HostKey, NodeID: h.SwarmDir.NodeID, ClusterID: applytest.SwarmID})
	}
	add := func(k plan.Kind, node, repository string, r plan.DataRestore) {
		r.ID, r.Backup, r.Replace = "20260301T030000Z-aaaaaa", "20260228T030000Z-bbbbbb", replace
		p.Steps = append(p.Steps, plan.Step{ID: len(p.Steps) + 1, Kind: k, Node: node, Repository: repository, Reason: "because", Risk: plan.Safe,
			Margin: plan.Margin{Managers: 3, Up: 3, Quorum: 2}, TimeoutSeconds: 300, DataRestore: &r})
	}
	add(plan.Quiesce, "m1", "", plan.DataRestore{Services: []string{"db", "gone", "proxy"}})
	add(plan.RestoreVolume, "m1", "offsite", plan.DataRestore{Kind: "volume", Name: "pgdata", Volume: "pgdata", Services: []string{"db"}})
	add(plan.RestoreVolume, "m2", "offsite", plan.DataRestore{Kind: "directory", Name: "etc", Path: "/etc/app", Services: []string{"proxy"}})
	add(plan.Resume, "m1", "", plan.DataRestore{Services: []string{"db", "gone", "proxy"}})
	return p
}

// restoreEnds tells what is not as it must be when both are restored.
func restoreEnds(w *applytest.World) (wrong []string) {
	const backup = "20260228T030000Z-bbbbbb"
	for name, p := range w.Places {
		if p.Holds != backup {
			wrong = append(wrong, fmt.Sprintf("%s holds %q", name, p.Holds))
		}
	}
	if asides := w.Places["m1 volume.pgdata"].Asides; len(asides) != 1 || asides[0] != "now" {
		wrong = append(wrong, fmt.Sprintf("set aside are %q", asides))
	}
	for name, scale := range map[string]int{"db": 2, "proxy": 1} {
		if a := w.Apps[name]; a.Scale != scale || a.Waits != "" {
			wrong = append(wrong, fmt.Sprintf("%s has the scale %d and waits for %q", name, a.Scale, a.Waits))
		}
	}
	if w.Restores() != 2 {
		wrong = append(wrong, fmt.Sprintf("%d archives were unpacked", w.Restores()))
	}
	return wrong
}

func TestRestoreDataInTurn(t *testing.T) {
	w := withPlaces()
	p := w.Process()
	q := request(restorePlan(w, true), t.TempDir())
	if _, err, _ := start(p, q); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range restoreEnds(w) {
		t.Error(wrong)
	}
	if told := texts(p, apply.StepDone); !strings.Contains(told, "what was there is in now") {
		t.Errorf("told:\n%s", told)
	}
	calls := w.Restores()
	if _, err, _ := start(w.Process(), q); err != nil || w.Restores() != calls {
		t.Errorf("a second run of the same plan: %v", err)
	}
	for _, wrong := range restoreEnds(w) {
		t.Error(wrong)
	}
}

// TestRestoreDataCut: cut before and after every call and around each journal write,
// and gone on with from the journal, it ends the same, each archive unpacked once, and
// no service runs before its data are back.
func TestRestoreDataCut(t *testing.T) {
	for at := 1; ; at++ {
		w := withPlaces()
		q := request(restorePlan(w, true), t.TempDir())
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		_, err, killed := start(w.Process(), cut.attach(w, q))
		if !killed {
			if err != nil || at < 20 {
				t.Fatalf("%d points, %v", at-1, err)
			}
			break
		}
		if _, _, err := resume(t, w, q); err != nil {
			t.Fatalf("cut at %s: %v", cut.where, err)
		}
		for _, wrong := range append(restoreEnds(w), w.End(0)...) {
			t.Errorf("cut at %s: %s", cut.where, wrong)
		}
	}
}

// TestRestoreDataKeeps: where only what is lost is brought back.
func TestRestoreDataKeeps(t *testing.T) {
	w := withPlaces()
	p := w.Process()
	if _, err, _ := start(p, request(restorePlan(w, false), t.TempDir())); err != nil {
		t.Fatal(err)
	}
	if place := w.Places["m1 volume.pgdata"]; place.Holds != "now" || len(place.Asides) > 0 || w.Restores() != 1 || w.Apps["db"].Scale != 2 {
		t.Errorf("the volume %+v, %d restored", place, w.Restores())
	}
	if told := texts(p, apply.StepDone); !strings.Contains(told, "-restore=20260228T030000Z-bbbbbb -only=volume.pgdata") {
		t.Errorf("told:\n%s", told)
	}
}

// TestExpiredDataRestoreIsNotBegun, and what is begun is finished whatever the hour.
func TestExpiredDataRestoreIsNotBegun(t *testing.T) {
	w := withPlaces()
	p := restorePlan(w, true)
	w.Clock.Advance(2 * time.Hour)
	var stale *apply.StaleError
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); !errors.As(err, &stale) || !strings.Contains(err.Error(), "was good until") {
		t.Errorf("an old plan was begun: %v", err)
	}
	if a := w.Apps["db"]; a.Scale != 2 || a.Waits != "" || w.Restores() != 0 {
		t.Errorf("the service %+v", a)
	}
	for _, call := range []string{"Withhold", "RestoreData"} {
		w = withPlaces()
		q := request(restorePlan(w, true), t.TempDir())
		killAfter(w, call)
		start(w.Process(), q)
		w.Clock.Advance(2 * time.Hour)
		if _, _, err := resume(t, w, q); err != nil {
			t.Errorf("cut after %s: %v", call, err)
		}
		for _, wrong := range restoreEnds(w) {
			t.Errorf("cut after %s: %s", call, wrong)
		}
	}
}

// TestRestoreDataDamaged: an archive that does not open is found before any service is
// stopped.
func TestRestoreDataDamaged(t *testing.T) {
	w := withPlaces()
	w.Damaged = "etc"
	if _, err, _ := start(w.Process(), request(restorePlan(w, true), t.TempDir())); err == nil || !strings.Contains(err.Error(), "its digest does not hold") {
		t.Errorf("got %v", err)
	}
	if w.Apps["db"].Scale != 2 || w.Apps["db"].Waits != "" || w.Restores() != 0 {
		t.Errorf("the service %+v", w.Apps["db"])
	}
}

// TestRestoreDataInUse: a container of no service ends the step, and what waits goes on
// waiting; once it is gone the run goes on.
func TestRestoreDataInUse(t *testing.T) {
	w := withPlaces()
	w.Places["m1 volume.pgdata"].Stranger = "psql"
	q := request(restorePlan(w, true), t.TempDir())
	_, err, _ := start(w.Process(), q)
	var told *apply.RunError
	if !errors.As(err, &told) || told.Diag.Code != diag.DataUsed || !strings.Contains(told.Diag.Detail, "psql") {
		t.Fatalf("got %v", err)
	}
	if w.Apps["db"].Waits == "" || w.Apps["db"].Scale != 0 || w.Places["m1 volume.pgdata"].Holds != "now" {
		t.Errorf("the service %+v", w.Apps["db"])
	}
	w.Places["m1 volume.pgdata"].Stranger = ""
	if _, _, err := resume(t, w, q); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range restoreEnds(w) {
		t.Error(wrong)
	}
}

// TestRestoreDataUsedMeanwhile: a container that is started while the archive is unpacked
// ends the step with nothing moved; what is unpacked is not fetched again.
func TestRestoreDataUsedMeanwhile(t *testing.T) {
	w := withPlaces()
	place := w.Places["m1 volume.pgdata"]
	place.Comes = "psql"
	q := request(restorePlan(w, true), t.TempDir())
	_, err, _ := start(w.Process(), q)
	var told *apply.RunError
	if !errors.As(err, &told) || told.Diag.Code != diag.DataUsed || !strings.Contains(told.Diag.Detail, "in use by psql. Nothing of it was changed") {
		t.Fatalf("got %v", err)
	}
	if place.Holds != "now" || len(place.Asides) > 0 || w.Apps["db"].Waits == "" {
		t.Errorf("the place %+v", place)
	}
	place.Stranger = ""
	if _, _, err := resume(t, w, q); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range restoreEnds(w) {
		t.Error(wrong)
	}
}

// TestRestoresOfDataAreKeptApart: a plan that goes on with two restores lets each service
// wait for its own, so that a cut mixes up no backups.
func TestRestoresOfDataAreKeptApart(t *testing.T) {
	w := withPlaces()
	p := restorePlan(w, true)
	const one, other = "20260301T030000Z-aaaaaa", "20260302T030000Z-cccccc"
	p.Steps[0].DataRestore.Services, p.Steps[3].DataRestore.Services = []string{"db"}, []string{"db"}
	p.Steps = []plan.Step{p.Steps[0], p.Steps[1], p.Steps[3], p.Steps[0], p.Steps[2], p.Steps[3]}
	for i := range p.Steps {
		p.Steps[i].ID = i + 1
		if i >= 3 {
			r := *p.Steps[i].DataRestore
			r.ID, r.Backup, r.Services = other, "20260227T030000Z-dddddd", []string{"proxy"}
			p.Steps[i].DataRestore = &r
		}
	}
	waits := map[string]string{}
	w.Hook = func(c applytest.Call) error {
		for name, a := range w.Apps {
			if a.Waits != "" {
				waits[name] = a.Waits
			}
		}
		return nil
	}
	if _, err, _ := start(w.Process(), request(p, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"db": one + " 20260228T030000Z-bbbbbb offsite replace volume.pgdata", "proxy": other + " 20260227T030000Z-dddddd offsite replace directory.etc"} {
		if waits[name] != want {
			t.Errorf("%s waited for %q", name, waits[name])
		}
	}
}
