package observe

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

func TestTargets(t *testing.T) {
	cfg := &schema.Config{Nodes: []schema.Node{
		{Name: "m1", Connection: schema.Connection{SSH: schema.Target{User: "ops", Host: "h", Port: 2222}, Become: "sudo"}},
		{Name: "m2", Connection: schema.Connection{Local: true, Become: "sudo"}},
		{Name: "w1", Connection: schema.Connection{None: true}},
	}}
	want := []host.Target{
		{Name: "m1", User: "ops", Host: "h", Port: 2222, Become: "sudo"},
		{Name: "m2", Local: true, Become: "sudo"},
	}
	if d := cmp.Diff(want, Targets(cfg)); d != "" {
		t.Error(d)
	}
}

// What is wired answers through the real packages, as far as that takes no host.
func TestReadThroughTheRealPackages(t *testing.T) {
	dir := t.TempDir()
	cfg := &schema.Config{
		Cluster: schema.Cluster{Name: "prod"},
		Nodes: []schema.Node{
			{Name: "m1", Role: schema.RoleManager, Connection: schema.Connection{None: true}},
			{Name: "m2", Role: schema.RoleManager, Connection: schema.Connection{SSH: schema.Target{Host: "h"}}},
		},
		Repositories: []schema.Repository{
			{Name: "bad", URL: "ftp://h/x", Plaintext: true},
			{Name: "good", URL: "file://" + filepath.Join(dir, "new"), Plaintext: true},
		},
	}
	pool, err := host.NewPool(nil, host.Options{ControlDir: filepath.Join(dir, "ssh")})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s, err := Read(t.Context(), cfg, pool, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Repository("bad"); r.Looked != state.Absent || r.Problem == nil || r.Problem.Code != codeRepository {
		t.Errorf("%+v, %+v", r, r.Problem)
	}
	if r := s.Repository("good"); r.Looked != state.Present || r.Problem != nil || r.Lock != nil || r.Backups == nil {
		t.Errorf("%+v, %+v", r, r.Problem)
	}
	if h := s.Host("m1"); h.Looked != state.Unknown || h.Target != "none" || h.Problem != nil {
		t.Errorf("%+v", h)
	}
	if h := s.Host("m2"); h.Looked != state.Unknown || h.Problem == nil {
		t.Errorf("%+v", h)
	}
	if s.ObservedAt.IsZero() || s.SwarmProblem == nil {
		t.Errorf("%+v", s)
	}
}

func TestWiredEngine(t *testing.T) {
	p := wire(nil)
	if e, err := p.engine(nil); e != nil || err == nil {
		t.Errorf("%v, %v", e, err)
	}
	if _, _, _, _, err := p.inspect([]byte("no PEM")); err == nil {
		t.Error("a certificate that is none was read")
	}
}

func TestReadWithoutItsParts(t *testing.T) {
	if s, err := Read(t.Context(), nil, nil, Options{}); s != nil || err == nil {
		t.Errorf("%v, %v", s, err)
	}
}

// A host that a real pool can't reach goes through the whole way of its error.
func TestRealPoolCancelled(t *testing.T) {
	cfg := declare("m1")
	pool, err := host.NewPool(Targets(cfg), host.Options{ControlDir: filepath.Join(t.TempDir(), "ssh")})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := Read(ctx, cfg, pool, Options{})
	if !errors.Is(err, context.Canceled) || s.Host("m1").Looked != state.Unknown {
		t.Errorf("%v, %+v", err, s)
	}
}
