package effects

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

// TestEachManager: whoever can't answer is passed over, what no other manager would
// do otherwise is said at once, and that none answered can be told.
func TestEachManager(t *testing.T) {
	refused := errors.New("the swarm refuses it")
	s := apply.Shape{Through: []apply.Manager{{Name: "m1"}, {Name: "m2"}, {Name: "m3"}}}
	for _, c := range []struct {
		say    []error
		asked  int
		is     error
		absent error
	}{
		{[]error{nil}, 1, nil, nil},
		{[]error{engine.ErrNoLeader, fmt.Errorf("m2: %w", engine.ErrNotManager), nil}, 3, nil, nil},
		{[]error{host.ErrUnreachable, nil}, 2, nil, nil},
		{[]error{engine.ErrUndecided, engine.ErrVersionConflict, engine.ErrLocked}, 3, apply.ErrNoManager, nil},
		{[]error{refused}, 1, refused, apply.ErrNoManager},
		{[]error{engine.ErrQuorumAtRisk}, 1, engine.ErrQuorumAtRisk, apply.ErrNoManager},
		{[]error{host.ErrToken}, 1, host.ErrToken, apply.ErrNoManager},
		{[]error{host.ErrGuard}, 1, host.ErrGuard, apply.ErrNoManager},
	} {
		asked := 0
		err := eachManager(t.Context(), s, func(apply.Manager) error { asked++; return c.say[asked-1] })
		if asked != c.asked || !errors.Is(err, c.is) || c.absent != nil && errors.Is(err, c.absent) {
			t.Errorf("%v: asked %d, %v", c.say, asked, err)
		}
	}
	if err := eachManager(t.Context(), apply.Shape{}, nil); !errors.Is(err, apply.ErrNoManager) {
		t.Errorf("of none: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := eachManager(ended, s, func(apply.Manager) error { return engine.ErrNoLeader }); errors.Is(err, apply.ErrNoManager) {
		t.Errorf("after the end: %v", err)
	}
}

func TestInRole(t *testing.T) {
	for _, c := range []struct {
		n    state.SwarmNode
		role string
		want bool
	}{
		{state.SwarmNode{Role: "manager", Reachability: "reachable", Status: "ready"}, "manager", true},
		{state.SwarmNode{Role: "manager", Reachability: "reachable", Leader: true, Status: "unknown"}, "manager", true},
		{state.SwarmNode{Role: "manager", Reachability: "unreachable", Status: "ready"}, "manager", false},
		{state.SwarmNode{Role: "manager", Reachability: "reachable", Status: "down"}, "manager", false},
		{state.SwarmNode{Role: "manager", Status: "ready"}, "manager", false}, // desired, and no member yet
		{state.SwarmNode{Role: "worker", Reachability: "reachable", Status: "ready"}, "manager", false},
		{state.SwarmNode{Role: "worker", Status: "ready"}, "worker", true},
		{state.SwarmNode{Role: "worker", Status: "down"}, "worker", true},
		{state.SwarmNode{Role: "worker", Status: "ready", Reachability: "reachable"}, "worker", false}, // demoted, and a member still
		{state.SwarmNode{Role: "worker", Leader: true}, "worker", false},
		{state.SwarmNode{Role: "manager", Status: "ready"}, "worker", false},
	} {
		if have, seen := inRole(&c.n, apply.Shape{Entry: "n1"}, c.role); have != c.want || !strings.Contains(seen, "node n1") {
			t.Errorf("%+v as a %s: %v, %s", c.n, c.role, have, seen)
		}
	}
}

func TestConverged(t *testing.T) {
	for _, c := range []struct {
		s       engine.Service
		want    bool
		stopped bool
	}{
		{engine.Service{Mark: "other", Update: "completed"}, false, false},
		{engine.Service{Update: "completed"}, false, false},
		{engine.Service{Mark: "m", Update: "completed"}, true, false},
		{engine.Service{Mark: "m", Update: "updating", Replicas: 3, Current: 3}, false, false},
		{engine.Service{Mark: "m", Replicas: 3, Running: 3, Current: 0}, false, false}, // the old ones, before it has begun
		{engine.Service{Mark: "m", Replicas: 3, Running: 3, Current: 3}, true, false},
		{engine.Service{Mark: "m"}, true, false}, // scaled to none
		{engine.Service{Mark: "m", Update: "rollback_started"}, false, false},
		{engine.Service{Mark: "m", Update: "paused", Message: "why"}, false, true},
		{engine.Service{Mark: "m", Update: "rollback_completed", Message: "why"}, false, true},
		{engine.Service{Mark: "m", Update: "rollback_paused", Message: "why"}, false, true},
		{engine.Service{Mark: "m", Update: "a new word", Message: "why"}, false, true},
	} {
		have, _, err := converged(c.s, "m")
		var stopped *apply.UpdateStoppedError
		if have != c.want || errors.As(err, &stopped) != c.stopped || c.stopped && stopped.Text != "why" {
			t.Errorf("%+v: %v, %v", c.s, have, err)
		}
	}
}

// TestUndeliveredKeyIsNoted: the update that makes the key says that it is to be
// delivered, and only where there is a place for it.
func TestUndeliveredKeyIsNoted(t *testing.T) {
	on, off := true, false
	to := apply.KeyTo{Command: "keep"}
	for _, c := range []struct {
		s    apply.Shape
		want map[string]string
	}{
		{apply.Shape{ID: "i", Settings: apply.Settings{Autolock: &on}, KeyTo: to}, map[string]string{state.UnlockKeyLabel: "i delivered"}},
		{apply.Shape{ID: "i", Settings: apply.Settings{Autolock: &on}}, nil},
		{apply.Shape{ID: "i", Settings: apply.Settings{Autolock: &off}, KeyTo: to}, nil},
		{apply.Shape{ID: "i", KeyTo: to}, nil},
	} {
		if have := wanted(c.s).Labels; fmt.Sprint(have) != fmt.Sprint(c.want) {
			t.Errorf("%+v: %v", c.s, have)
		}
	}
}
