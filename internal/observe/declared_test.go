package observe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

func declaredWorld(t *testing.T) (*schema.Config, *state.State) {
	t.Helper()
	cfg := declare("m1", "m2", "m3", "w1")
	cfg.Repositories = []schema.Repository{{Name: "nas", URL: "file:///srv/backups"}, {Name: "s3", URL: "s3://bucket/x?region=a"}}
	s := observe(t, cfg, healthyWorld(cfg))
	s.Repositories[0].URL, s.Repositories[1].URL = "file:///srv/backups", "s3://bucket/x?…"
	return cfg, s
}

// With the configuration that a look was made with, the look is what it was.
func TestDeclaredChangesNothing(t *testing.T) {
	cfg, s := declaredWorld(t)
	got, err := Declared(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, got); d != "" {
		t.Error(d)
	}
}

// What was declared otherwise since is unknown, never absent and never what was
// seen in another place.
func TestDeclaredOtherwise(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*schema.Config)
		host  string
		says  string
		wants state.Presence
	}{
		"another way":    {func(c *schema.Config) { c.Nodes[0].Connection.SSH.Host = "else" }, "m1", "may be another machine", state.Unknown},
		"another user":   {func(c *schema.Config) { c.Nodes[0].Connection.SSH.User = "ops" }, "m1", "as ops@m1, and was observed as root@m1", state.Unknown},
		"no connection":  {func(c *schema.Config) { c.Nodes[0].Connection = schema.Connection{None: true} }, "m1", "", state.Unknown},
		"a new node":     {func(c *schema.Config) { c.Nodes = append(c.Nodes, node("m4", schema.RoleManager)) }, "m4", "not in the observation", state.Unknown},
		"become":         {func(c *schema.Config) { c.Nodes[0].Connection.Become = "sudo" }, "m1", "", state.Present},
		"an address":     {func(c *schema.Config) { c.Nodes[0].Address = "10.9.9.9" }, "m1", "", state.Present},
		"another label":  {func(c *schema.Config) { c.Nodes[0].Labels = map[string]string{"zone": "b"} }, "m1", "", state.Present},
		"the other role": {func(c *schema.Config) { c.Nodes[0].Role = schema.RoleWorker }, "m1", "", state.Present},
	} {
		cfg, s := declaredWorld(t)
		before := cmp.Diff(nil, s)
		c.edit(cfg)
		got, err := Declared(cfg, s)
		if err != nil {
			t.Fatal(err)
		}
		h := got.Host(c.host)
		switch {
		case h == nil || h.Looked != c.wants || len(got.Hosts) != len(cfg.Nodes):
			t.Errorf("%s: %+v", name, h)
		case c.says == "" && h.Problem != nil, c.says != "" && (h.Problem == nil || !strings.Contains(h.Problem.Text, c.says) || !strings.Contains(h.Problem.Remedy, "requeen observe")):
			t.Errorf("%s: %+v", name, h.Problem)
		case h.Address != cfg.Node(c.host).Address:
			t.Errorf("%s: the address is %s", name, h.Address)
		case cmp.Diff(nil, s) != before:
			t.Errorf("%s: the recorded look was changed", name)
		}
	}
}

func TestDeclaredLeavesOut(t *testing.T) {
	cfg, s := declaredWorld(t)
	cfg.Nodes, cfg.Repositories = cfg.Nodes[:2], cfg.Repositories[:1]
	got, err := Declared(cfg, s)
	if err != nil || len(got.Hosts) != 2 || len(got.Repositories) != 1 || got.Swarm == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDeclaredRepositories(t *testing.T) {
	cfg, s := declaredWorld(t)
	cfg.Repositories[0].URL = "file:///srv/elsewhere"
	cfg.Repositories[1].URL = "s3://bucket/x?region=b" // what follows the question mark is not recorded
	cfg.Repositories = append(cfg.Repositories, schema.Repository{Name: "new", URL: "file:///new"})
	got, err := Declared(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"nas": "was observed at file:///srv/backups", "new": "not in the observation", "s3": ""} {
		r := got.Repository(name)
		if r == nil || (r.Problem == nil) != (says == "") || (r.Looked == state.Present) != (says == "") {
			t.Errorf("%s: %+v", name, r)
		} else if says != "" && !strings.Contains(r.Problem.Text, says) {
			t.Errorf("%s: %q", name, r.Problem.Text)
		}
	}
}

func TestDeclaredOfAnotherCluster(t *testing.T) {
	cfg, s := declaredWorld(t)
	s.Cluster = "test"
	if got, err := Declared(cfg, s); got != nil || err == nil || !strings.Contains(err.Error(), `"test"`) {
		t.Errorf("%+v, %v", got, err)
	}
}
