package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/requeen/requeen/internal/forgetest"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

func TestMain(m *testing.M) {
	repository.RunJanitorIfAsked()
	programs := map[string]func(){"requeen": main, "requeen-sealed": func() { seal(); main() }}
	for _, name := range forgetest.Programs {
		programs[name] = func() { os.Exit(forgetest.Main(name, os.Args[1:])) }
	}
	testscript.Main(m, programs)
}

// TestScripts runs the command line as a person types it; the hosts of these
// scripts can't be reached. What needs hosts is tested on the lab.
func TestScripts(t *testing.T) {
	template, two := makeTemplate(t), makeTemplate(t)
	if err := storeBackup(t, two, recipientOf(t, two), raftdirtest.Options{Services: 3, Secrets: 1, Configs: 1, Labels: map[string]string{"zone": "b"}}, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			if err := prepare(env, two, "two"); err != nil {
				return err
			}
			return prepare(env, template, "prod")
		},
	})
}

// makeTemplate makes a configuration with its identities, and a repository
// that holds one backup which was really made.
func makeTemplate(t *testing.T) string {
	dir := t.TempDir()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	recipient := identity.Recipient().String()
	for name, text := range map[string]string{
		"identity.txt": identity.String() + "\n", "other.txt": other.String() + "\n",
		"prod.rq.hcl": strings.ReplaceAll(prodConfig, "RECIPIENT", recipient),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := storeBackup(t, dir, recipient, raftdirtest.Options{Services: 2, Secrets: 3, Configs: 1}, time.Hour); err != nil {
		t.Fatal(err)
	}
	return dir
}

// recipientOf is the recipient in a template's configuration.
func recipientOf(t *testing.T, dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "prod.rq.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "recipients = [\"")
	recipient, _, _ := strings.Cut(rest, "\"")
	return recipient
}

// prepare gives a script a template as $WORK/NAME: "prod", or "two", which has an older
// backup beside that of "prod".
func prepare(env *testscript.Env, template, name string) error {
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
	env.Setenv("NO_COLOR", "1")
	if err := plansInto(env.WorkDir); err != nil {
		return err
	}
	dir := filepath.Join(env.WorkDir, name)
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		return err
	}
	config := filepath.Join(dir, "prod.rq.hcl")
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	return os.WriteFile(config, []byte(strings.ReplaceAll(string(text), "DIR", dir)), 0o600)
}

const prodConfig = `cluster "prod" {
}

node "m1" {
  address = "127.0.0.1"
  role    = "manager"

  connection {
    ssh = "root@127.0.0.1:1"
  }
}

repository "nas" {
  url        = "file://DIR/repository"
  recipients = ["RECIPIENT"]
  identity   = "identity.txt"
}

backup "state" {
  repository = "nas"
  max_age    = "24h"

  swarm {
    from = "follower"
  }
}
`

// storeBackup makes a swarm directory with swarmkit's own packages and stores
// it as apply does.
func storeBackup(t *testing.T, dir, recipient string, o raftdirtest.Options, age time.Duration) error {
	ctx := context.Background()
	source := filepath.Join(t.TempDir(), "swarm")
	raftdirtest.Build(t, source, o)
	report, err := raftdir.Verify(ctx, source, raftdir.Options{Now: time.Now()})
	if err != nil {
		return err
	}
	repo, err := repository.Open(ctx, repository.Options{Name: "nas", URL: "file://" + filepath.Join(dir, "repository"),
		Cluster: "prod", Recipients: []string{recipient}})
	if err != nil {
		return err
	}
	defer repo.Close()
	taken := time.Now().Add(-age).UTC()
	b := state.Backup{ID: repository.NewID(taken, rand.Reader), FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod",
		Backup: "state", SwarmID: report.ClusterID, Node: "m2", NodeID: report.NodeID, EngineVersion: "28.5.2",
		Consistency: "stopped", TakenAt: taken, UploadedAt: taken, Raft: report, Verified: "raft", VerifiedAt: taken,
		Recipients: []string{recipient}}
	w, err := repo.Create(ctx, b.ID)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	tarred := tar.NewWriter(&archive)
	if err := tarred.AddFS(os.DirFS(filepath.Dir(source))); err != nil {
		return err
	}
	if err := tarred.Close(); err != nil {
		return err
	}
	stored, err := w.Put(ctx, "swarm.tar", &archive, nil)
	if err != nil {
		return err
	}
	b.Stored = append(b.Stored, stored)
	if stored, err = storeConfig(ctx, w, dir); err != nil {
		return err
	}
	b.Stored = append(b.Stored, stored)
	return w.Commit(ctx, b)
}

// storeConfig stores the configuration as apply does.
func storeConfig(ctx context.Context, w *repository.Writer, dir string) (state.StoredObject, error) {
	config, err := os.ReadFile(filepath.Join(dir, "prod.rq.hcl"))
	if err != nil {
		return state.StoredObject{}, err
	}
	var archive bytes.Buffer
	err = repository.WriteTar(&archive, []repository.File{{Name: "config/prod.rq.hcl", Data: config, Mode: 0o600},
		{Name: "config/outside/more.rqvars", Data: []byte("x = 1\n"), Mode: 0o600}})
	if err != nil {
		return state.StoredObject{}, err
	}
	return w.Put(ctx, "config.tar", &archive, nil)
}
