package raftdir_test

import (
	"errors"
	"testing"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestContentTellsWhatIsToRun: every service, and every task with its node; and
// nothing of a log that is sealed.
func TestContentTellsWhatIsToRun(t *testing.T) {
	o := sealedSurvivor()
	o.Tasks = 3
	b := build(t, o)
	before := listing(t, b.Dir)
	c, err := raftdir.Content(t.Context(), b.Dir, []byte(raftdirtest.UnlockKey))
	must(t, err)
	if len(c.Services) != o.Services || len(c.Tasks) != o.Tasks || c.Services[0].Name != "service-0" || !c.Services[0].Moves {
		t.Errorf("it tells %+v", c)
	}
	for _, task := range c.Tasks {
		if task.NodeID == "" || task.ServiceID == "" {
			t.Errorf("a task without node or service: %+v", task)
		}
	}
	if _, known := c.Nodes[two.NodeID]; !known {
		t.Errorf("it does not know %s: %+v", two.NodeID, c.Nodes)
	}
	if _, err := raftdir.Content(t.Context(), b.Dir, nil); !errors.Is(err, raftdir.ErrLocked) {
		t.Errorf("without the key: %v", err)
	}
	if after := listing(t, b.Dir); len(after) != len(before) {
		t.Errorf("the directory changed: %v, %v", before, after)
	}
}
