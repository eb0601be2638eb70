package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
)

const outOfSequence = "rpc error: code = Unknown desc = update out of sequence"

// spoken is GET /swarm with what requeen does not manage in it.
const spoken = `{"ID": "c1", "Version": {"Index": %d}, "Spec": {"Name": "default", "Labels": {"team": "ops", "io.requeen.epoch": "old"},
	"Orchestration": {"TaskHistoryRetentionLimit": 5},
	"Raft": {"SnapshotInterval": 10000, "KeepOldSnapshots": 2, "LogEntriesForSlowFollowers": 500, "ElectionTick": 10, "HeartbeatTick": 1},
	"Dispatcher": {"HeartbeatPeriod": 5000000000},
	"CAConfig": {"NodeCertExpiry": 7776000000000000, "ForceRotate": 4,
		"ExternalCAs": [{"Protocol": "cfssl", "URL": "https://ca.example.com", "CACert": "PEM"}]},
	"EncryptionConfig": {"AutoLockManagers": %t}},
	"JoinTokens": {"Worker": "SWMTKN-1-shape-worker", "Manager": "SWMTKN-1-shape-manager"}}`

func swarmAt(version int, autolock bool) answer {
	return answer{body: fmt.Sprintf(spoken, version, autolock)}
}

func ptr[T any](v T) *T { return &v }

// The API takes a whole spec and puts what is missing back to its default.
func TestUpdateSwarmKeepsTheRest(t *testing.T) {
	answers := map[string]answer{"GET /swarm": swarmAt(12, false), "POST /swarm/update": {}}
	r := newReplay(t, "1.41", answers)
	err := r.client().UpdateSwarm(t.Context(), SwarmChange{
		Labels: map[string]string{"io.requeen.epoch": "new"}, Autolock: ptr(true), TaskHistoryLimit: ptr(int64(0)),
		CertExpiry: ptr(time.Hour), SnapshotInterval: ptr(uint64(7)), LogEntriesForSlowFollowers: ptr(uint64(8)),
		HeartbeatTick: ptr(2), ElectionTick: ptr(20), DispatcherHeartbeat: ptr(time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	log := r.log()
	if last := log[len(log)-1]; !strings.Contains(last, "version=12&") && !strings.HasSuffix(last, "version=12") {
		t.Errorf("asked %s", last)
	}
	want := map[string]any{
		"Name": "default", "Labels": map[string]any{"team": "ops", "io.requeen.epoch": "new"},
		"Orchestration": map[string]any{"TaskHistoryRetentionLimit": 0.0},
		"Raft": map[string]any{"SnapshotInterval": 7.0, "KeepOldSnapshots": 2.0, "LogEntriesForSlowFollowers": 8.0,
			"ElectionTick": 20.0, "HeartbeatTick": 2.0},
		"Dispatcher": map[string]any{"HeartbeatPeriod": 1e9},
		"CAConfig": map[string]any{"NodeCertExpiry": 3.6e12, "ForceRotate": 4.0,
			"ExternalCAs": []any{map[string]any{"Protocol": "cfssl", "URL": "https://ca.example.com", "CACert": "PEM"}}},
		"TaskDefaults": map[string]any{}, "EncryptionConfig": map[string]any{"AutoLockManagers": true},
	}
	if d := cmp.Diff(want, fields(t, r.sent("POST /swarm/update")[0])); d != "" {
		t.Error(d)
	}
}

// What is so already is done: no write makes everybody else's version stale.
func TestUpdateSwarmThatChangesNothing(t *testing.T) {
	for _, change := range []SwarmChange{
		{},
		{Labels: map[string]string{"team": "ops"}, Autolock: ptr(true), TaskHistoryLimit: ptr(int64(5)), ElectionTick: ptr(10),
			CertExpiry: ptr(90 * 24 * time.Hour), DispatcherHeartbeat: ptr(5 * time.Second)},
	} {
		r := newReplay(t, "1.51", map[string]answer{"GET /swarm": swarmAt(12, true)})
		if err := r.client().UpdateSwarm(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if sent := r.sent("POST /swarm/update"); len(sent) != 0 {
			t.Errorf("sent %v", sent)
		}
	}
}

// A spec with nothing in it takes every change, the empty label among them.
func TestUpdateSwarmOfABareSpec(t *testing.T) {
	answers := map[string]answer{"GET /swarm": {body: `{"ID": "c1", "Version": {"Index": 1}}`}, "POST /swarm/update": {}}
	r := newReplay(t, "1.51", answers)
	change := SwarmChange{Labels: map[string]string{"a": ""}, TaskHistoryLimit: ptr(int64(0))}
	if err := r.client().UpdateSwarm(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	sent := fields(t, r.sent("POST /swarm/update")[0])
	if d := cmp.Diff(map[string]any{"a": ""}, sent["Labels"]); d != "" {
		t.Error(d)
	}
	if at(sent, "Orchestration.TaskHistoryRetentionLimit") != 0.0 {
		t.Errorf("sent %v", sent)
	}
}

// writers are the calls that read a version and write with it.
func writers() map[string]struct {
	read, write string
	call        func(*Client, context.Context) error
} {
	type w = struct {
		read, write string
		call        func(*Client, context.Context) error
	}
	return map[string]w{
		"update swarm": {"/swarm", "/swarm/update", func(c *Client, ctx context.Context) error {
			return c.UpdateSwarm(ctx, SwarmChange{Labels: map[string]string{"a": "b"}})
		}},
		"rotate join tokens": {"/swarm", "/swarm/update", func(c *Client, ctx context.Context) error { return c.RotateJoinTokens(ctx) }},
		"rotate unlock key":  {"/swarm", "/swarm/update", func(c *Client, ctx context.Context) error { return c.RotateUnlockKey(ctx) }},
		"update node": {"/nodes/" + n1, "/nodes/" + n1 + "/update", func(c *Client, ctx context.Context) error {
			return c.UpdateNode(ctx, n1, NodeChange{Availability: ptr("drain")})
		}},
	}
}

// readAt gives the answer to a writer's read with this version.
func readAt(path string, version int) answer {
	if path == "/swarm" {
		return swarmAt(version, true)
	}
	return nodeAt(version)
}

func TestConflictIsReadAgainOnce(t *testing.T) {
	for name, w := range writers() {
		t.Run(name, func(t *testing.T) {
			first, conflict, later := readAt(w.read, 12), says(500, outOfSequence), readAt(w.read, 13)
			first.next, conflict.next = &later, &answer{}
			r := newReplay(t, "1.51", map[string]answer{"GET " + w.read: first, "POST " + w.write: conflict})
			if err := w.call(r.client(), t.Context()); err != nil {
				t.Fatal(err)
			}
			log := r.log()
			if last := log[len(log)-1]; !strings.Contains(last, "version=13") {
				t.Errorf("asked %v", log)
			}
		})
	}
}

func TestConflictTwiceIsTheCallers(t *testing.T) {
	for name, w := range writers() {
		t.Run(name, func(t *testing.T) {
			answers := map[string]answer{"GET " + w.read: readAt(w.read, 12), "POST " + w.write: says(500, outOfSequence)}
			r := newReplay(t, "1.51", answers)
			expect(t, w.call(r.client(), t.Context()), ErrVersionConflict)
			if n := len(r.sent("POST " + w.write)); n != 2 {
				t.Errorf("written %d times", n)
			}
		})
	}
}

// Whatever else is answered, it is not written again.
func TestOtherFailuresAreNotWrittenAgain(t *testing.T) {
	for name, w := range writers() {
		for kind, a := range map[error]answer{
			ErrNoLeader:    {status: 500, file: "error-no-leader.json"},
			ErrUndecided:   {status: 500, file: "error-deadline.json"},
			ErrUnreachable: {broken: true},
		} {
			r := newReplay(t, "1.51", map[string]answer{"GET " + w.read: readAt(w.read, 12), "POST " + w.write: a})
			expect(t, w.call(r.client(), t.Context()), kind)
			if n := len(r.sent("POST " + w.write)); n != 1 {
				t.Errorf("%s: written %d times", name, n)
			}
			r = newReplay(t, "1.51", map[string]answer{"GET " + w.read: a, "POST " + w.write: {}})
			expect(t, w.call(r.client(), t.Context()), kind)
			if n := len(r.sent("POST " + w.write)); n != 0 {
				t.Errorf("%s: written %d times unread", name, n)
			}
		}
	}
}

func TestRotate(t *testing.T) {
	for want, call := range map[string]func(*Client, context.Context) error{
		"rotateManagerToken=true&rotateManagerUnlockKey=false&rotateWorkerToken=true":  (*Client).RotateJoinTokens,
		"rotateManagerToken=false&rotateManagerUnlockKey=true&rotateWorkerToken=false": (*Client).RotateUnlockKey,
	} {
		r := newReplay(t, "1.41", map[string]answer{"GET /swarm": swarmAt(12, true), "POST /swarm/update": {}})
		if err := call(r.client(), t.Context()); err != nil {
			t.Fatal(err)
		}
		log := r.log()
		if last := log[len(log)-1]; last != "POST /v1.41/swarm/update?"+want+"&version=12" {
			t.Errorf("asked %s", last)
		}
		sent := fields(t, r.sent("POST /swarm/update")[0])
		if at(sent, "CAConfig.ForceRotate") != 4.0 || at(sent, "EncryptionConfig.AutoLockManagers") != true {
			t.Errorf("sent %v", sent)
		}
	}
}

// Engines answer 200 to a rotation that they don't make.
func TestRotateAKeyThatIsNot(t *testing.T) {
	r := newReplay(t, "1.51", map[string]answer{"GET /swarm": swarmAt(12, false), "POST /swarm/update": {}})
	expect(t, r.client().RotateUnlockKey(t.Context()), ErrNotAutolocked)
	if sent := r.sent("POST /swarm/update"); len(sent) != 0 {
		t.Errorf("sent %v", sent)
	}
}

// What a recovery has made anew it does not make anew again, whether it was delivered
// or not; another recovery does.
func TestRotateOnce(t *testing.T) {
	for label, anew := range map[string]bool{"": true, "other delivered": true, "rec rotated": false, "rec delivered": false} {
		spec := fmt.Sprintf(`{"ID": "c1", "Version": {"Index": 12}, "Spec": {"Labels": {"io.requeen.unlock-key": %q}, "EncryptionConfig": {"AutoLockManagers": true}}}`, label)
		r := newReplay(t, "1.41", map[string]answer{"GET /swarm": {body: spec}, "POST /swarm/update": {}})
		if err := r.client().RotateUnlockKeyOnce(t.Context(), "rec"); err != nil {
			t.Fatal(err)
		}
		sent := r.sent("POST /swarm/update")
		if (len(sent) == 1) != anew {
			t.Fatalf("label %q: written %d times", label, len(sent))
		}
		if anew {
			if labels := fields(t, sent[0])["Labels"]; !cmp.Equal(labels, any(map[string]any{"io.requeen.unlock-key": "rec rotated"})) {
				t.Errorf("label %q became %v", label, labels)
			}
		}
	}
	for label, cut := range map[string]string{"rec rotated": "rec", "rec delivered": "", "": ""} {
		var c swarm.Swarm
		c.Spec.Labels = map[string]string{"io.requeen.unlock-key": label}
		if s := swarmOf(c); s.KeyUndelivered != cut {
			t.Errorf("label %q: undelivered is %q", label, s.KeyUndelivered)
		}
	}
}

func TestJoinTokens(t *testing.T) {
	worker, manager, err := newReplay(t, "1.51", healthy()).client().JoinTokens(t.Context())
	if err != nil || worker != "SWMTKN-1-shape-worker" || manager != "SWMTKN-1-shape-manager" {
		t.Errorf("%q, %q, %v", worker, manager, err)
	}
	answers := map[string]answer{"GET /swarm": {status: 503, file: "error-worker.json"}}
	_, _, err = newReplay(t, "1.51", answers).client().JoinTokens(t.Context())
	expect(t, err, ErrNotManager)
}

// A refusal of the read must not pass for a change of nothing.
func TestNoChangeWithoutARead(t *testing.T) {
	answers := map[string]answer{"GET /swarm": {status: 503, file: "error-locked.json"}}
	err := newReplay(t, "1.51", answers).client().UpdateSwarm(t.Context(), SwarmChange{})
	expect(t, err, ErrLocked)
	if errors.Is(err, errUnchanged) {
		t.Error(err)
	}
}
