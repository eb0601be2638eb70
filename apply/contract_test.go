package apply_test

import (
	"fmt"
	"testing"

	"github.com/requeen/requeen/apply/applytest"
)

// TestFakeKeepsTheContract holds the fake to what the real world is held to on
// the lab (internal/lab/scenario).
func TestFakeKeepsTheContract(t *testing.T) {
	for _, autolock := range []bool{false, true} {
		t.Run(fmt.Sprintf("autolock=%v", autolock), func(t *testing.T) {
			w := applytest.New(3)
			w.Autolock = autolock
			n := 0
			applytest.Contract(t, applytest.Contracted{
				Ports: w.Process().Ports(), Other: w.Process().Ports().Archive,
				Cluster: applytest.ClusterName, Node: "m2", Repository: "offsite",
				NewID: func() string {
					n++
					return fmt.Sprintf("%s-%06x", w.Clock.Now().Format("20060102T150405Z"), n)
				},
			})
		})
	}
}

func TestFakeKeepsTheShapeContract(t *testing.T) {
	w := applytest.New(3)
	w.AddWorker("w1")
	w.SetTasks("w1", 2)
	w.AddService("web")
	applytest.ShapeContract(t, applytest.Contracted{
		Ports: w.Process().Ports(), Other: w.Process().Ports().Archive,
		Cluster: applytest.ClusterName, Node: "m2", Repository: "offsite", Worker: "w1", Service: "web",
	})
	for _, wrong := range w.Violations() {
		t.Error(wrong)
	}
}
