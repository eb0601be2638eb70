package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// surveyed reads a world with a survey of its own; asked are the machines whose
// logs were read.
func surveyed(t *testing.T, cfg *schema.Config, w *world, survey func(context.Context, string, []byte) (state.RaftReport, error)) (s *state.State, asked []string) {
	t.Helper()
	var mu sync.Mutex
	p := w.ports()
	p.survey = func(ctx context.Context, m machine, dir string, key []byte) (surveyedLog, error) {
		name := m.(*fakeMachine).name
		mu.Lock()
		asked = append(asked, name+" "+dir)
		mu.Unlock()
		report, err := survey(ctx, name, key)
		return surveyedLog{report: report}, err
	}
	s, err := read(t.Context(), cfg, p, Options{Now: func() time.Time { return observedAt }, HostTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	return s, asked
}

func leaderless(w *world) {
	for _, m := range w.machines {
		m.engine.swarmErr = errors.New("The swarm does not have a leader.")
	}
}

// TestLogsAreReadWhereNoManagerAnswers, of every host that holds one, and of no
// other.
func TestLogsAreReadWhereNoManagerAnswers(t *testing.T) {
	cfg := declare("m1", "m2", "m3", "m4", "w1")
	cfg.Cluster.UnlockKey = schema.NewSecret("SWMKEY-1-test")
	w := healthyWorld(cfg)
	leaderless(w)
	w.machines["w1"].facts.host.SwarmDir.HasRaft = false
	w.machines["m4"].connect = func(context.Context) error { return errors.New("no route to host") }
	s, asked := surveyed(t, cfg, w, func(_ context.Context, name string, key []byte) (state.RaftReport, error) {
		if string(key) != "SWMKEY-1-test" {
			t.Errorf("%s is read with the key %q", name, key)
		}
		if name == "m2" {
			return state.RaftReport{Index: 5}, errors.New("the log has a gap")
		}
		return state.RaftReport{Term: 7, Index: 960}, nil
	})
	if want := []string{"m1 /var/lib/docker/swarm", "m2 /var/lib/docker/swarm", "m3 /var/lib/docker/swarm"}; !slices.Equal(asked, want) {
		t.Errorf("read: %q", asked)
	}
	for _, name := range []string{"m1", "m3"} {
		if d := s.Host(name).SwarmDir; d.Raft == nil || d.Raft.Index != 960 || d.RaftProblem != nil {
			t.Errorf("%s: %+v, %+v", name, d.Raft, d.RaftProblem)
		}
	}
	d := s.Host("m2").SwarmDir
	if d.Raft != nil || d.RaftProblem == nil || !strings.Contains(d.RaftProblem.Text, "the log has a gap") || d.RaftProblem.Remedy == "" {
		t.Errorf("m2: %+v, %+v", d.Raft, d.RaftProblem)
	}
	for _, name := range []string{"m4", "w1"} {
		if d := s.Host(name).SwarmDir; d.Raft != nil || d.RaftProblem != nil {
			t.Errorf("%s: %+v, %+v", name, d.Raft, d.RaftProblem)
		}
	}
}

// TestNoLogIsReadWhereAManagerAnswers: a look at a swarm that is well copies
// nothing.
func TestNoLogIsReadWhereAManagerAnswers(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	_, asked := surveyed(t, cfg, healthyWorld(cfg), func(context.Context, string, []byte) (state.RaftReport, error) {
		return state.RaftReport{}, nil
	})
	if len(asked) > 0 {
		t.Errorf("read: %q", asked)
	}
}

// TestALogThatHangsCostsItsTimeOut, and the others are read beside it.
func TestALogThatHangsCostsItsTimeOut(t *testing.T) {
	cfg := declare("m1", "m2", "m3")
	w := healthyWorld(cfg)
	leaderless(w)
	s, _ := surveyed(t, cfg, w, func(ctx context.Context, name string, _ []byte) (state.RaftReport, error) {
		if name == "m1" {
			return state.RaftReport{}, hangs(ctx)
		}
		return state.RaftReport{Index: 3}, nil
	})
	if d := s.Host("m1").SwarmDir; d.Raft != nil || d.RaftProblem == nil {
		t.Errorf("m1: %+v, %+v", d.Raft, d.RaftProblem)
	}
	if s.Host("m2").SwarmDir.Raft == nil || s.Host("m3").SwarmDir.Raft == nil {
		t.Error("the others were not read")
	}
}
