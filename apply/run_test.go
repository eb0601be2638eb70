package apply_test

import (
	"fmt"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
)

func TestRunReachesItsEnd(t *testing.T) {
	for _, autolock := range []bool{false, true} {
		t.Run(fmt.Sprint("autolock=", autolock), func(t *testing.T) {
			w := applytest.New(3)
			w.Autolock = autolock
			p, root := w.Process(), t.TempDir()
			res, err, _ := start(p, request(thePlan(w), root))
			if err != nil {
				t.Fatal(err)
			}
			mustEnd(t, w, 1)
			if len(res.Backups) != 1 || res.Backups[0].Raft.Index != w.Index || res.Resumed || len(res.Skipped) > 0 {
				t.Errorf("result %+v", res)
			}
			if w.Stops() != 1 {
				t.Errorf("%d stops", w.Stops())
			}
			if open, _ := apply.Unfinished(root, applytest.ClusterName); len(open) > 0 {
				t.Errorf("unfinished: %v", open)
			}
		})
	}
}
