package observe

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/schema"
)

// marked stands in everything secret that a look comes by.
const marked = "marked-secret"

// answers are what an engine gives to whoever may ask it: tokens, the unlock key,
// the environment, arguments and labels of what runs, payloads.
var answers = map[string]string{
	"/info":     `{"ServerVersion": "28.5.2", "DockerRootDir": "/var/lib/docker", "Labels": ["token=marked-secret"], "HttpProxy": "http://u:marked-secret@proxy", "Swarm": {"NodeID": "id-m1", "NodeAddr": "10.0.0.1", "LocalNodeState": "active", "ControlAvailable": true, "Cluster": {"ID": "c1aaaaaaaaaaaaaaaaaaaaaaa"}}}`,
	"/swarm":    `{"ID": "c1aaaaaaaaaaaaaaaaaaaaaaa", "Version": {"Index": 12}, "CreatedAt": "2025-03-01T11:00:00Z", "Spec": {"Name": "default", "Labels": {"password": "marked-secret"}, "EncryptionConfig": {"AutoLockManagers": true}}, "TLSInfo": {"TrustRoot": "marked-secret"}, "JoinTokens": {"Worker": "SWMTKN-1-marked-secret", "Manager": "SWMTKN-1-marked-secret"}}`,
	"/nodes":    `[{"ID": "id-m1", "Version": {"Index": 9}, "Spec": {"Role": "manager", "Availability": "active", "Labels": {"zone": "a"}}, "Description": {"Hostname": "m1", "Engine": {"EngineVersion": "28.5.2", "Labels": {"token": "marked-secret"}}}, "Status": {"State": "ready", "Addr": "10.0.0.1"}, "ManagerStatus": {"Leader": true, "Reachability": "reachable", "Addr": "10.0.0.1:2377"}}]`,
	"/services": `[{"ID": "s1", "Version": {"Index": 3}, "Spec": {"Name": "web", "Labels": {"auth": "marked-secret"}, "TaskTemplate": {"ContainerSpec": {"Image": "web:1", "Env": ["PASSWORD=marked-secret"], "Args": ["-token", "marked-secret"]}}}}]`,
	"/tasks":    `[{"ID": "t1", "Version": {"Index": 4}, "ServiceID": "s1", "NodeID": "id-m1", "Status": {"State": "running", "Err": "marked-secret"}, "Spec": {"ContainerSpec": {"Env": ["PASSWORD=marked-secret"]}}}]`,
	"/secrets":  `[{"ID": "x1", "Version": {"Index": 5}, "Spec": {"Name": "db", "Labels": {"hint": "marked-secret"}, "Data": "bWFya2VkLXNlY3JldA=="}}]`,
	"/configs":  `[{"ID": "c1", "Version": {"Index": 6}, "Spec": {"Name": "app", "Data": "bWFya2VkLXNlY3JldA=="}}]`,

	"/swarm/unlockkey": `{"UnlockKey": "SWMKEY-1-marked-secret"}`,
	"/containers/json": `[{"Id": "k1", "Names": ["/web.1"], "State": "running", "Command": "web -token marked-secret", "Labels": {"com.docker.swarm.task.id": "t1", "com.docker.swarm.service.id": "s1", "com.docker.swarm.service.name": "web", "auth": "marked-secret"}, "Mounts": []}]`,
}

// secretEngine is a real client of an engine that tells all of answers.
func secretEngine(t *testing.T) func(func(context.Context) (net.Conn, error)) (engineAPI, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rq") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if rest, ok := strings.CutPrefix(path, "/v1."); ok {
			path = rest[strings.Index(rest, "/"):]
		}
		w.Header().Set("Api-Version", "1.51")
		w.Header().Set("Content-Type", "application/json")
		text, known := answers[path]
		if !known {
			text = "[]"
		}
		_, _ = io.WriteString(w, text)
	}))
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return func(func(context.Context) (net.Conn, error)) (engineAPI, error) {
		c, err := engine.New(func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		})
		return c, err
	}
}

// secretConfig has a secret wherever a configuration can have one.
func secretConfig() *schema.Config {
	cfg := declare("m1")
	cfg.Cluster.UnlockKey = schema.NewSecret("SWMKEY-1-" + marked)
	cfg.Repositories = []schema.Repository{{Name: "s3", URL: "s3://user:" + marked + "@bucket/x?secret=" + marked, Identity: "/root/" + marked},
		{Name: "shut", URL: "https://" + marked + "@host/x?" + marked}}
	return cfg
}

// written is the file that a look becomes.
func written(t *testing.T, s *state.State) []byte {
	t.Helper()
	document, err := statefile.Encode(s, "test")
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestNoSecretOfAnEngineIsInTheFile(t *testing.T) {
	cfg := secretConfig()
	w := healthyWorld(cfg)
	w.machines["m1"].facts.stateFile = []byte(`{"LocalAddr": "10.0.0.1", "JoinToken": "marked-secret"}`)
	w.repositories["shut"].open = errors.New("access denied")
	p := w.ports()
	p.engine = secretEngine(t)
	s, err := read(t.Context(), cfg, p, Options{Now: func() time.Time { return observedAt }, Containers: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.Swarm == nil || !s.Swarm.UnlockKeyKnown || s.Swarm.Objects.Secrets != 1 || len(s.Hosts[0].Containers) != 1 {
		t.Fatalf("the engine was not looked at: %+v, %+v, %+v", s.Swarm, s.SwarmProblem, s.Hosts[0])
	}
	if document := written(t, s); bytes.Contains(document, []byte(marked)) || bytes.Contains(document, []byte("SWMTKN")) || bytes.Contains(document, []byte("bWFya2Vk")) {
		t.Errorf("a secret is in the file:\n%s", document)
	}
}

// onDisk is a machine with a swarm directory, of which a tar archive can be had.
type onDisk struct {
	*fakeMachine
	dir string
}

func (m onDisk) OpenLive(context.Context, string) (io.ReadCloser, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(filepath.Dir(m.dir))); err != nil {
		return nil, err
	}
	return io.NopCloser(&b), w.Close()
}

func TestNothingOfARaftLogsPayloadsIsInTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "swarm")
	raftdirtest.Build(t, dir, raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey, Services: 2, Secrets: 3, Configs: 2, Tasks: 2, Workers: 1})
	cfg := secretConfig()
	cfg.Cluster.UnlockKey = schema.NewSecret(raftdirtest.UnlockKey)
	w := healthyWorld(cfg)
	leaderless(w)
	p := w.ports()
	p.machine = func(name string) (machine, bool) { return onDisk{w.machines[name], dir}, true }
	p.survey = surveyHost
	s, err := read(t.Context(), cfg, p, Options{Now: func() time.Time { return observedAt }})
	if err != nil {
		t.Fatal(err)
	}
	d := s.Hosts[0].SwarmDir
	if d.Raft == nil || d.Raft.Objects.Secrets != 3 || d.Store == nil || len(d.Store.Services) != 2 {
		t.Fatalf("the log was not opened: %+v, %+v, %+v", d.Raft, d.RaftProblem, d.Store)
	}
	document := written(t, s)
	for _, secret := range []string{raftdirtest.UnlockKey, "payload-", "setting-", "secret-0", "SWMTKN", "PRIVATE KEY", marked} {
		if bytes.Contains(document, []byte(secret)) {
			t.Errorf("%q is in the file:\n%s", secret, document)
		}
	}
}
