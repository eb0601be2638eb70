package effects

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

func TestSeen(t *testing.T) {
	nodes := []state.SwarmNode{
		{ID: "a", Leader: true, Status: "unknown", Reachability: "reachable"},
		{ID: "b", Status: "ready", Reachability: "reachable"},
		{ID: "c", Status: "down", Reachability: "reachable"},
		{ID: "d", Status: "ready", Reachability: "unreachable"},
	}
	for id, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "e": false} {
		have, words, err := reachableIn(nodes, "m1", "m2", id)
		if have != want || err != nil || !strings.Contains(words, "m1") {
			t.Errorf("%s: %v (%s), want %v", id, have, words, want)
		}
	}
}

// TestItsOwnWord: another manager's goes before it, and where none can be asked, the
// reason of that ends no wait for a node that is still away.
func TestItsOwnWord(t *testing.T) {
	seen := []state.SwarmNode{{ID: "c", Status: "ready", Reachability: "reachable"}}
	unknown, away := diag.Diagnostic{Code: diag.HostKeyUnknown}, errors.New("no engine")
	for _, c := range []struct {
		what   string
		others []state.SwarmNode // nil: they can't be asked
		own    error
		want   bool
	}{
		{"another sees it", seen, away, true},
		{"another does not see it", []state.SwarmNode{{ID: "c", Status: "down", Reachability: "unreachable"}}, nil, false},
		{"its own word", nil, nil, true},
		{"it is away", nil, away, false},
	} {
		have, _, err := reachableFor([]string{"m1", "m2", "m3"}, "m3", "c", func(name string) ([]state.SwarmNode, error) {
			switch {
			case name == "m3":
				return seen, c.own
			case c.others == nil:
				return nil, unknown
			}
			return c.others, nil
		})
		if have != c.want || errors.As(err, new(diag.Diagnostic)) || (err != nil) != (c.others == nil && c.own != nil) {
			t.Errorf("%s: %v, %v", c.what, have, err)
		}
	}
}

// Of the managers that are asked about a node, the node itself is the last.
func TestManagersAskTheNodeItselfLast(t *testing.T) {
	w := New(Options{Nodes: map[string]Node{"m3": {Manager: true}, "m1": {Manager: true}, "m2": {Manager: true}, "w1": {}}})
	if have := w.managers("m1"); !slices.Equal(have, []string{"m2", "m3", "m1"}) {
		t.Error(have)
	}
	if have := w.managers("w1"); !slices.Equal(have, []string{"m1", "m2", "m3"}) {
		t.Error(have)
	}
}

// A copy of another swarm, or of another node, is not the one that was planned.
func TestFits(t *testing.T) {
	req := apply.StoreRequest{Run: apply.Run{SwarmID: "s", NodeID: "n"}}
	for _, c := range []struct {
		swarm, node string
		want        bool
	}{{"s", "n", true}, {"x", "n", false}, {"s", "x", false}} {
		if err := fits(state.RaftReport{ClusterID: c.swarm, NodeID: c.node}, req); (err == nil) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
