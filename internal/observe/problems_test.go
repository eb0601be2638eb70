package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// said is an error as the host package gives it.
func said(kind error, code string) error {
	return &host.Error{Kind: kind, HostKey: "SHA256:shown", Diagnostic: diag.Diagnostic{
		Code: code, Summary: "A summary", Detail: "what was seen", Remedy: "Do this.",
	}}
}

func fails(err error) func(context.Context) error { return func(context.Context) error { return err } }

// Each way in which a host fails: its code, and whether the host was there.
func TestHostProblems(t *testing.T) {
	for _, test := range []struct {
		err    error
		code   string
		looked state.Presence
	}{
		{said(host.ErrUnreachable, diag.HostUnreachable), diag.HostUnreachable, state.Absent},
		{said(host.ErrAuth, diag.HostUnreachable), diag.HostUnreachable, state.Absent},
		{said(host.ErrHostKeyUnknown, diag.HostKeyUnknown), diag.HostKeyUnknown, state.Absent},
		{said(host.ErrHostKeyChanged, diag.HostKeyChanged), diag.HostKeyChanged, state.Absent},
		{said(host.ErrSudo, diag.NotRoot), diag.NotRoot, state.Present},
		{said(host.ErrIncomplete, diag.HostIncomplete), diag.HostIncomplete, state.Present},
		{&host.ExitError{Host: "m1", Status: 2, Stderr: "sh: syntax error"}, diag.HostIncomplete, state.Present},
		{errors.New("something else"), diag.HostUnreachable, state.Absent},
	} {
		for _, when := range []string{"connecting", "probing"} {
			t.Run(fmt.Sprintf("%v %s", test.err, when), func(t *testing.T) {
				cfg := declare("m1")
				w := healthyWorld(cfg)
				m := w.machines["m1"]
				if when == "connecting" {
					m.connect = fails(test.err)
				} else {
					m.probe = func(context.Context, probe) (facts, error) { return facts{}, test.err }
				}
				h := observe(t, cfg, w).Host("m1")
				if h.Looked != test.looked || h.Problem == nil || h.Problem.Code != test.code {
					t.Fatalf("looked %q, problem %+v", h.Looked, h.Problem)
				}
				if strings.HasPrefix(h.Problem.Text, "m1: ") || h.Problem.Text == "" || h.Problem.Remedy == "" {
					t.Errorf("problem %+v", h.Problem)
				}
				if h.SwarmDir.Presence != state.Unknown || h.Engine.Answered != state.Unknown {
					t.Errorf("what was not looked at is told: %+v, %+v", h.SwarmDir, h.Engine)
				}
				if len(m.dials) != 0 {
					t.Error("the socket of an engine whose unit is unknown was dialled")
				}
			})
		}
	}
}

func TestHostProblemBringsItsOwnWords(t *testing.T) {
	cfg := declare("m1")
	w := healthyWorld(cfg)
	w.machines["m1"].connect = fails(said(host.ErrHostKeyChanged, diag.HostKeyChanged))
	h := observe(t, cfg, w).Host("m1")
	want := state.Problem{Code: diag.HostKeyChanged, Text: "A summary: what was seen", Remedy: "Do this."}
	if *h.Problem != want || h.HostKey != "SHA256:shown" {
		t.Errorf("problem %+v, key %q", h.Problem, h.HostKey)
	}
}

func TestHostThatThePoolLacks(t *testing.T) {
	cfg := declare("m1")
	h := observe(t, cfg, &world{}).Host("m1")
	if h.Looked != state.Unknown || h.Problem == nil || h.Problem.Code != diag.HostUnreachable {
		t.Errorf("%+v", h)
	}
}

// Only a socket that refuses or hangs tells something about the engine.
func TestEngineProblems(t *testing.T) {
	for _, test := range []struct {
		name     string
		err      error
		code     string
		answered state.Presence
	}{
		{"refused", errors.New("connect: connection refused"), diag.EngineUnanswered, state.Absent},
		{"deadline", context.DeadlineExceeded, diag.EngineUnanswered, state.Absent},
		{"not forwarded", errors.New("open failed: administratively prohibited"), diag.EngineUnanswered, state.Unknown},
		{"connection lost", said(host.ErrUnreachable, diag.HostUnreachable), diag.HostUnreachable, state.Unknown},
		{"not root", said(host.ErrSudo, diag.NotRoot), diag.NotRoot, state.Unknown},
		{"no permission", fs.ErrPermission, diag.NotRoot, state.Unknown},
		{"no helper", &host.HelperError{Node: "m1", Helper: "/h", Have: "linux/amd64", Want: "Linux aarch64"}, diag.HelperMissing, state.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := declare("m1")
			w := healthyWorld(cfg)
			w.machines["m1"].dial = test.err
			h := observe(t, cfg, w).Host("m1")
			if h.Looked != state.Present || h.Problem != nil || !h.SwarmDir.Complete() {
				t.Errorf("host %+v", h)
			}
			e := h.Engine
			if e.Answered != test.answered || e.Problem == nil || e.Problem.Code != test.code {
				t.Fatalf("answered %q, problem %+v", e.Answered, e.Problem)
			}
			if e.Problem.Text == "" || e.Problem.Remedy == "" {
				t.Errorf("problem %+v", e.Problem)
			}
		})
	}
}

// A look must not start an engine: systemd does so when its socket is dialled.
func TestStoppedEngineIsNotDialled(t *testing.T) {
	for _, test := range []struct {
		service  state.Service
		dialled  bool
		answered state.Presence
	}{
		{state.Service{Unit: "docker.service", Socket: "docker.socket", ActiveState: "active"}, true, state.Present},
		{state.Service{Unit: "docker.service", ActiveState: "activating"}, true, state.Present},
		{state.Service{Unit: "docker.service", ActiveState: "reloading"}, true, state.Present},
		{state.Service{Unit: "docker.service", ActiveState: "refreshing"}, true, state.Present},
		{state.Service{Unit: "docker.service", Socket: "docker.socket", ActiveState: "inactive", ExitedAt: observedAt}, false, state.Absent},
		{state.Service{Unit: "docker.service", ActiveState: "failed"}, false, state.Absent},
		{state.Service{Unit: "docker.service", ActiveState: "deactivating"}, false, state.Absent},
		{state.Service{Unit: "docker.service"}, false, state.Unknown},
		{state.Service{}, false, state.Unknown}, // a unit of another name can own the socket
		{state.Service{FileState: "masked"}, false, state.Unknown},
	} {
		cfg := declare("m1")
		w := healthyWorld(cfg)
		m := w.machines["m1"]
		m.facts.host.Service = test.service
		e := observe(t, cfg, w).Host("m1").Engine
		if (len(m.dials) > 0) != test.dialled || e.Answered != test.answered {
			t.Errorf("%+v: dialled %v, answered %q", test.service, m.dials, e.Answered)
		}
		if !test.dialled && (e.Problem == nil || e.Problem.Code != diag.EngineUnanswered || e.Problem.Remedy == "") {
			t.Errorf("%+v: problem %+v", test.service, e.Problem)
		}
	}
}

func TestDiskProblems(t *testing.T) {
	told := &state.Problem{Code: diag.DiskUnread, Text: "it is not mounted", Remedy: "Mount it."}
	for _, test := range []struct {
		name        string
		dir         state.SwarmDir
		certificate string
		presence    state.Presence
		problem     bool
	}{
		{"absent", state.SwarmDir{Presence: state.Absent, Path: "/var/lib/docker/swarm"}, "", state.Absent, false},
		{"unknown", state.SwarmDir{Path: "/var/lib/docker/swarm"}, "", state.Unknown, true},
		{"unknown, told why", state.SwarmDir{Path: "/var/lib/docker/swarm", Problem: told}, "", state.Unknown, true},
		{"no certificate", state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", HasKey: true}, "", state.Present, false},
		{"broken certificate", state.SwarmDir{Presence: state.Present, Path: "/var/lib/docker/swarm", HasKey: true, HasRootCA: true, HasRaft: true}, "broken", state.Present, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := declare("m1")
			w := healthyWorld(cfg)
			m := w.machines["m1"]
			m.facts.host.SwarmDir, m.facts.certificate = test.dir, []byte(test.certificate)
			d := observe(t, cfg, w).Host("m1").SwarmDir
			if d.Presence != test.presence || (d.Problem != nil) != test.problem || d.NodeID != "" || d.Complete() {
				t.Fatalf("%+v", d)
			}
			if d.Problem != nil && (d.Problem.Code != diag.DiskUnread || d.Problem.Text == "" || d.Problem.Remedy == "") {
				t.Errorf("problem %+v", d.Problem)
			}
		})
	}
}

// The engine says where its data is; absence elsewhere says nothing.
func TestDataRootElsewhere(t *testing.T) {
	at := func(root, path string, p state.Presence) facts {
		return facts{dataRoot: root, host: state.Host{MachineID: "machine-m1", SwarmDir: state.SwarmDir{Presence: p, Path: path},
			Service: state.Service{Unit: "docker.service", ActiveState: "active"}}}
	}
	for _, test := range []struct {
		name     string
		second   facts
		err      error
		presence state.Presence
		problem  bool
	}{
		{"found there", at("/data", "/data/swarm", state.Present), nil, state.Present, false},
		{"not there either", at("/data/", "/data/swarm", state.Absent), nil, state.Absent, false},
		{"looked in the first place again", at("/var/lib/docker", "/var/lib/docker/swarm", state.Absent), nil, state.Unknown, true},
		{"second look fails", facts{}, said(host.ErrUnreachable, diag.HostUnreachable), state.Unknown, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := declare("m1")
			w := healthyWorld(cfg)
			m := w.machines["m1"]
			m.engine.info.DataRoot = "/data"
			m.probe = func(_ context.Context, what probe) (facts, error) {
				if what.dataRoot == "/data" {
					return test.second, test.err
				}
				return at("/var/lib/docker", "/var/lib/docker/swarm", state.Absent), nil
			}
			h := observe(t, cfg, w).Host("m1")
			if h.SwarmDir.Presence != test.presence || (h.SwarmDir.Problem != nil) != test.problem {
				t.Errorf("%+v", h.SwarmDir)
			}
			if h.Looked != state.Present || h.Engine.Answered != state.Present || h.MachineID != "machine-m1" || h.Target != "root@m1" {
				t.Errorf("%+v", h)
			}
			if len(m.probes) != 2 {
				t.Errorf("%d looks", len(m.probes))
			}
		})
	}
}

// A data root that is a link is the same place.
func TestDataRootThroughALink(t *testing.T) {
	cfg := declare("m1")
	w := healthyWorld(cfg)
	m := w.machines["m1"]
	m.facts.dataRoot, m.facts.host.SwarmDir.Path, m.engine.info.DataRoot = "/var/lib/docker", "/data/swarm", "/data"
	if h := observe(t, cfg, w).Host("m1"); !h.SwarmDir.Complete() || len(m.probes) != 1 {
		t.Errorf("%d looks, %+v", len(m.probes), h.SwarmDir)
	}
}

// A host that lacks a tool is told as it is, as far as it could be seen.
func TestIncompleteHost(t *testing.T) {
	cfg := declare("m1")
	w := healthyWorld(cfg)
	m := w.machines["m1"]
	m.probe = func(context.Context, probe) (facts, error) {
		return m.facts, said(host.ErrIncomplete, diag.HostIncomplete)
	}
	h := observe(t, cfg, w).Host("m1")
	if h.Looked != state.Present || h.Problem == nil || h.Problem.Code != diag.HostIncomplete {
		t.Errorf("%+v", h)
	}
	if !h.SwarmDir.Complete() || h.Engine.Answered != state.Present || h.MachineID != "machine-m1" {
		t.Errorf("what could be seen was dropped: %+v", h)
	}
}

func TestShownTarget(t *testing.T) {
	for want, c := range map[string]schema.Connection{
		"none":           {None: true},
		"local":          {Local: true},
		"ops@h.lan:2222": {SSH: schema.Target{User: "ops", Host: "h.lan", Port: 2222}, Become: "sudo"},
	} {
		if got := shownTarget(schema.Node{Connection: c}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
