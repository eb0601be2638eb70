package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/schema"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestGiven: a configuration that was read on a laptop is one of the schedule's host.
func TestGiven(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "values", "UNLOCK_KEY"), "hush")
	put(t, filepath.Join(dir, "values", "RQ_TEST_EXPORTED"), "exported")
	put(t, filepath.Join(dir, "values", "var.dc"), "ams")
	put(t, filepath.Join(dir, "keys", "offsite"), "key")
	t.Setenv("RQ_TEST_EXPORTED", "")
	g := given{dir: dir, on: "m1", export: []string{"RQ_TEST_EXPORTED"}}
	var f configFlags
	if err := g.values(&f); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(f.environ, "UNLOCK_KEY=hush") || !slices.Equal(f.inputs, []schema.Input{{Name: "dc", Value: "ams"}}) {
		t.Errorf("environment %v, variables %v", f.environ, f.inputs)
	}
	if os.Getenv("RQ_TEST_EXPORTED") != "exported" || os.Getenv("UNLOCK_KEY") != "" {
		t.Error("what is exported is not what was named")
	}
	cfg := &schema.Config{
		Nodes: []schema.Node{{Name: "laptop", Connection: schema.Connection{Local: true}}, {Name: "m1", Connection: schema.Connection{Become: "sudo"}},
			{Name: "m2", Connection: schema.Connection{SSH: schema.Target{Host: "m2"}}}},
		Repositories: []schema.Repository{{Name: "nas", SignKeyFile: "/home/ops/key"}, {Name: "offsite", SignKey: schema.NewSecret("old")}},
	}
	if err := g.adapt(cfg); err != nil {
		t.Fatal(err)
	}
	if c := cfg.Nodes[1].Connection; !c.Local || c.Become != "" {
		t.Errorf("the node itself is reached by %+v", c)
	}
	if !cfg.Nodes[0].Connection.None || cfg.Nodes[2].Connection.SSH.Host != "m2" {
		t.Errorf("the others are reached by %+v", cfg.Nodes)
	}
	if r := cfg.Repositories[1]; r.SignKeyFile != filepath.Join(dir, "keys", "offsite") || r.SignKey.Set() || cfg.Repositories[0].SignKeyFile != "/home/ops/key" {
		t.Errorf("the keys are %+v", cfg.Repositories)
	}
	if (given{on: "m9"}).adapt(cfg) == nil {
		t.Error("a node that is not declared is taken")
	}
}

// TestStaleValues: what is at hand and is another there is told; what is not at hand is
// not judged.
func TestStaleValues(t *testing.T) {
	prints := map[string]string{}
	for name, value := range map[string]string{"SAME": "a", "OTHER": "a", "AWAY": "a", "var.gone": "a", host.SignKeyValue("offsite"): "k"} {
		p, err := host.Print([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		prints[name] = p
	}
	now := effects.Schedule{Values: map[string][]byte{"SAME": []byte("a"), "OTHER": []byte("b"), "NEW": []byte("n")}, SignKeys: map[string][]byte{"offsite": []byte("k")}}
	if have, want := staleValues(prints, now), []string{"NEW", "OTHER", "var.gone"}; !slices.Equal(have, want) {
		t.Errorf("stale are %v, want %v", have, want)
	}
}

// TestScheduleTakesWhatEveryRepositoryNeeds: a backup with copies is signed in each of
// them, but where it lies as it was signed elsewhere; what its runs write and run is told.
func TestScheduleTakesWhatEveryRepositoryNeeds(t *testing.T) {
	signs := func(name, key string) schema.Repository {
		r := schema.Repository{Name: name, VerifyKeys: []string{"pub"}}
		if key != "" {
			r.SignKey = schema.NewSecret(key)
		}
		return r
	}
	s := &session{cfg: &schema.Config{
		Repositories: []schema.Repository{signs("nas", "k2"), signs("offsite", "k1"), signs("third", "")},
		Backups: []schema.Backup{{Name: "state", Repository: "offsite", Copies: []string{"offsite", "nas", "third"}, Schedule: &schema.Schedule{On: "m1"}, Data: []schema.Data{
			{Kind: schema.DataDirectory, Node: "m1", Path: "/tmp/dumps"},
			{Kind: schema.DataDirectory, Node: "w1", Path: "/etc/traefik", Before: &schema.Command{Args: []string{"dump"}}},
			{Kind: schema.DataVolume, Node: "m1", Volume: "pg", Timeout: time.Hour, After: &schema.Command{Service: "db", Args: []string{"thaw"}}},
		}}},
	}}
	out, err := s.scheduleOf("state")
	if err != nil {
		t.Fatal(err)
	}
	if len(out.SignKeys) != 2 || string(out.SignKeys["offsite"]) != "k1" || string(out.SignKeys["nas"]) != "k2" {
		t.Errorf("the keys are of %d repositories", len(out.SignKeys))
	}
	if !slices.Equal(out.Repositories, []string{"offsite", "nas", "third"}) || !slices.Equal(out.Directories, []string{"/tmp/dumps"}) || out.Commands || out.DataTime != 4*time.Hour {
		t.Errorf("it stores in %v, reads %v, and runs commands: %v", out.Repositories, out.Directories, out.Commands)
	}
	s.cfg.Backups[0].Data[2].After.Service = ""
	if out, err = s.scheduleOf("state"); err != nil || !out.Commands {
		t.Errorf("a command on its own host is not told: %v", err)
	}
	s.cfg.Repositories[1].SignKey = schema.Secret{}
	if _, err := s.scheduleOf("state"); err == nil {
		t.Error("the repository that it is made in has no key, and it is put there all the same")
	}
}
