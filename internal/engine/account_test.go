package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/state"
)

func TestInfoOfAManager(t *testing.T) {
	got, err := newReplay(t, "1.51", healthy()).client().Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := state.Engine{
		Answered:         state.Present,
		Version:          "28.5.2",
		DataRoot:         "/var/lib/docker",
		LocalNodeState:   "active",
		ControlAvailable: true,
		NodeID:           "n1aaaaaaaaaaaaaaaaaaaaaaa",
		NodeAddr:         "10.0.0.11",
		ClusterID:        "c1aaaaaaaaaaaaaaaaaaaaaaa",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestInfoWithoutALeader(t *testing.T) {
	answers := map[string]answer{"GET /info": {file: "20.10-info-leaderless.json"}}
	got, err := newReplay(t, "1.41", answers).client().Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !got.ControlAvailable || got.ClusterID != "" || !got.LiveRestore || got.DataRoot != "/srv/docker" {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(got.SwarmError, "does not have a leader") || strings.Contains(got.SwarmError, "\n") {
		t.Errorf("SwarmError %q", got.SwarmError)
	}
}

func TestSwarmAccount(t *testing.T) {
	got, err := newReplay(t, "1.51", healthy()).client().Swarm(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := state.Swarm{
		ID:           "c1aaaaaaaaaaaaaaaaaaaaaaa",
		CreatedAt:    time.Date(2025, 3, 1, 10, 0, 0, 123456789, time.UTC),
		Epoch:        "20250401T000000Z-0a1b2c",
		Autolock:     true,
		VersionIndex: 77, // a secret's
		Settings:     defaults(),
		Objects:      state.Objects{Nodes: 3, Services: 2, Networks: 1, Secrets: 1, Tasks: 5},
		Services:     []state.ServiceScale{{ID: "s2", Name: "db"}, {ID: "s1", Name: "web"}},
		Nodes: []state.SwarmNode{
			{ID: "n1aaaaaaaaaaaaaaaaaaaaaaa", Hostname: "m1", Role: "manager", Availability: "drain", Status: "ready",
				Addr: "10.0.0.11", ManagerAddr: "10.0.0.11:2377", Reachability: "reachable", Leader: true,
				EngineVersion: "28.5.2", Labels: map[string]string{"zone": "a"}},
			{ID: "n2bbbbbbbbbbbbbbbbbbbbbbb", Hostname: "m2", Role: "manager", Availability: "active", Status: "ready",
				Addr: "10.0.0.12", ManagerAddr: "10.0.0.12:2377", Reachability: "unreachable",
				EngineVersion: "28.5.2", RunningTasks: 2},
			{ID: "n3ccccccccccccccccccccccc", Hostname: "w1", Role: "worker", Availability: "active", Status: "down",
				Addr: "10.0.0.21", EngineVersion: "20.10.24+dfsg1", ChangedAt: time.Date(2025, 4, 2, 6, 30, 0, 250000000, time.UTC)},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Whatever holds the highest version, it is seen.
func TestVersionIndexIsOverAllListings(t *testing.T) {
	for path, body := range map[string]string{
		"GET /swarm":    `{"ID": "c", "Version": {"Index": 1000}}`,
		"GET /nodes":    `[{"ID": "o", "Version": {"Index": 1000}}]`,
		"GET /tasks":    `[{"ID": "o", "Version": {"Index": 1000}}]`,
		"GET /services": `[{"ID": "o", "Version": {"Index": 1000}}]`,
		"GET /secrets":  `[{"ID": "o", "Version": {"Index": 1000}}]`,
		"GET /configs":  `[{"ID": "o", "Version": {"Index": 1000}}]`,
	} {
		answers := healthy()
		answers[path] = answer{body: body}
		s, err := newReplay(t, "1.51", answers).client().Swarm(t.Context())
		if err != nil || s.VersionIndex != 1000 {
			t.Errorf("%s: %d, %v", path, s.VersionIndex, err)
		}
	}
}

// The account must not read more than it needs nor write anything.
func TestSwarmAccountOnlyReads(t *testing.T) {
	r := newReplay(t, "1.51", healthy())
	if _, err := r.client().Swarm(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, asked := range r.log() {
		if !strings.HasPrefix(asked, "GET ") && asked != "HEAD /_ping" {
			t.Errorf("asked %s", asked)
		}
		if strings.Contains(asked, "unlockkey") {
			t.Error("the unlock key was fetched unasked")
		}
		if strings.Contains(asked, "/networks") && !strings.Contains(asked, "swarm") {
			t.Errorf("networks without their scope: %s", asked)
		}
	}
}

func TestVersionIsAgreedOnOnce(t *testing.T) {
	for version, want := range map[string]string{
		"1.41": "GET /v1.41/info", // 20.10
		"1.51": "GET /v1.51/info", // 28.5
		"1.99": "GET /v1.51/info", // newer than this client
	} {
		r := newReplay(t, version, healthy())
		c := r.client()
		for range 2 {
			if _, err := c.Info(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff([]string{"HEAD /_ping", want, want}, r.log()); d != "" {
			t.Errorf("API %s: %s", version, d)
		}
	}
}

// An attempt that fails must not settle for a version that an old engine does
// not know.
func TestVersionIsAgreedOnAfterAFailure(t *testing.T) {
	answers := healthy()
	answers["HEAD /_ping"] = answer{broken: true}
	r := newReplay(t, "1.41", answers)
	c := r.client()
	if _, err := c.Info(t.Context()); err == nil {
		t.Fatal("no error")
	}
	r.mu.Lock()
	delete(r.answers, "HEAD /_ping")
	r.mu.Unlock()
	if _, err := c.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log := r.log(); !slices.Contains(log, "GET /v1.41/info") || slices.Contains(log, "GET /v1.51/info") {
		t.Errorf("asked %v", log)
	}
}

func TestUnlockKey(t *testing.T) {
	for file, want := range map[string]string{
		"28.5-unlockkey.json":     "SWMKEY-1-shape",
		"28.5-unlockkey-off.json": "",
	} {
		answers := map[string]answer{"GET /swarm/unlockkey": {file: file}}
		key, err := newReplay(t, "1.51", answers).client().UnlockKey(t.Context())
		if err != nil || string(key) != want {
			t.Errorf("%s: %q, %v", file, key, err)
		}
	}
}

func TestUnlockSendsTheTrimmedKey(t *testing.T) {
	r := newReplay(t, "1.51", healthy())
	if err := r.client().Unlock(t.Context(), []byte(" SWMKEY-1-shape\n")); err != nil {
		t.Fatal(err)
	}
	if last := strings.TrimSpace(r.bodies[len(r.bodies)-1]); last != `{"UnlockKey":"SWMKEY-1-shape"}` {
		t.Errorf("sent %s", last)
	}
}

func TestNodesAlone(t *testing.T) {
	r := newReplay(t, "1.51", map[string]answer{"GET /nodes": {file: "28.5-nodes.json"}})
	nodes, err := r.client().Nodes(t.Context())
	if err != nil || len(nodes) != 3 || nodes[0].ID > nodes[1].ID || !nodes[0].Leader {
		t.Errorf("%+v, %v", nodes, err)
	}
	answers := map[string]answer{"GET /nodes": {status: 500, file: "error-no-leader.json"}}
	_, err = newReplay(t, "1.51", answers).client().Nodes(t.Context())
	expect(t, err, ErrNoLeader)
}

func defaults() *state.SwarmSettings {
	return &state.SwarmSettings{TaskHistoryLimit: 5, CertExpiry: 90 * 24 * time.Hour, SnapshotInterval: 10000, LogEntriesForSlowFollowers: 500,
		HeartbeatTick: 1, ElectionTick: 10, DispatcherHeartbeat: 5 * time.Second, DataPathPort: 4789}
}

// What a swarm's spec leaves out is what engines do without it; a task history
// of none is not left out.
func TestSettings(t *testing.T) {
	for body, want := range map[string]func(*state.SwarmSettings){
		`{"ID": "c"}`: func(*state.SwarmSettings) {},
		`{"ID": "c", "DataPathPort": 7777, "DefaultAddrPool": ["10.20.0.0/16"], "SubnetSize": 26, "RootRotationInProgress": true,
			"TLSInfo": {"TrustRoot": "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"}, "Spec": {
			"Orchestration": {"TaskHistoryRetentionLimit": 0}, "CAConfig": {"NodeCertExpiry": 3600000000000},
			"Raft": {"SnapshotInterval": 3, "LogEntriesForSlowFollowers": 4, "ElectionTick": 12, "HeartbeatTick": 2},
			"Dispatcher": {"HeartbeatPeriod": 7000000000}}}`: func(s *state.SwarmSettings) {
			*s = state.SwarmSettings{CertExpiry: time.Hour, SnapshotInterval: 3, LogEntriesForSlowFollowers: 4, HeartbeatTick: 2, ElectionTick: 12,
				DispatcherHeartbeat: 7 * time.Second, DataPathPort: 7777, DefaultAddrPool: []string{"10.20.0.0/16"}, DefaultAddrPoolMaskLength: 26}
		},
	} {
		answers := healthy()
		answers["GET /swarm"] = answer{status: 200, body: body}
		got, err := newReplay(t, "1.51", answers).client().Swarm(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		settings := defaults()
		want(settings)
		if d := cmp.Diff(settings, got.Settings); d != "" {
			t.Error(d)
		}
		if got.RootRotating != strings.Contains(body, "Rotation") {
			t.Errorf("RootRotating %t", got.RootRotating)
		}
		if (got.RootCASHA256 != "") != strings.Contains(body, "TrustRoot") {
			t.Errorf("the root CA's digest is %q", got.RootCASHA256)
		}
	}
}
