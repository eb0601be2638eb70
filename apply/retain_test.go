package apply_test

import (
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// TestVolumesAreRetainedBeforeAnEngineStops, and the run says which container holds
// them.
func TestVolumesAreRetainedBeforeAnEngineStops(t *testing.T) {
	w := applytest.New(3)
	w.Orphan("m2")
	w.Orphan("m3")
	st := w.State()
	st.FirstLookedAt = st.ObservedAt.Add(-10 * time.Minute)
	for i := range st.Hosts {
		st.Hosts[i].ContainersLooked, st.Hosts[i].SwarmDir.Store = state.Present, &state.Store{}
	}
	st.Host("m3").Containers = []state.Container{{ID: "c1", Name: "db.1", State: "running", TaskID: "t1", AnonymousVolumes: []string{"v1"}}}
	p, err := plan.Build(plan.Input{Config: recoveryConfig(w), State: st, Now: w.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	w.Hook = func(c applytest.Call) error {
		if c.Stage == applytest.Before && (c.Port == "Retain" || c.Port == "Hold" || c.Port == "Fence") {
			order = append(order, c.Port+" "+c.Node)
		}
		return nil
	}
	proc := w.Process()
	if _, err, _ := start(proc, approved(p, t.TempDir())); err != nil {
		t.Fatalf("%v\n%s", err, texts(proc, apply.StepFailed))
	}
	if len(order) < 3 || order[0] != "Retain m3" || strings.Contains(strings.Join(order[1:], " "), "Retain") {
		t.Errorf("the order is %q", order)
	}
	told := false
	for _, e := range proc.Events {
		told = told || strings.Contains(e.Text, "requeen-"+p.Recovery.ID+"-c1") && strings.Contains(e.Text, "db.1")
	}
	if !told {
		t.Error("nothing tells which container holds the volumes")
	}
}
