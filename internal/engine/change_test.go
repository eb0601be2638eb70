package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// says is an engine's refusal, in its form.
func says(status int, text string) answer {
	body, err := json.Marshal(map[string]string{"message": text})
	if err != nil {
		panic(err)
	}
	return answer{status: status, body: string(body)}
}

// fields decodes a body as it was sent.
func fields(t *testing.T, body string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return m
}

// at walks into what was decoded.
func at(m map[string]any, path string) any {
	var v any = m
	for _, key := range strings.Split(path, ".") {
		v = v.(map[string]any)[key]
	}
	return v
}

// An engine locks the key by one field and writes the swarm by another, and
// takes a missing count of CA rotations for an order to rotate.
func TestInitForces(t *testing.T) {
	for _, version := range []string{"1.41", "1.51"} {
		r := newReplay(t, version, map[string]answer{"POST /swarm/init": {body: `"n1aaaaaaaaaaaaaaaaaaaaaaa"`}})
		id, err := r.client().Init(t.Context(), InitRequest{
			ForceNewCluster: true, AdvertiseAddr: "10.0.0.11:2377", DataPathAddr: "10.1.0.11", DataPathPort: 7777,
			DefaultAddrPool: []string{"10.20.0.0/16"}, SubnetSize: 26, AutoLock: true, Availability: "drain", ForceRotate: 3,
		})
		if err != nil || id != "n1aaaaaaaaaaaaaaaaaaaaaaa" {
			t.Fatalf("%q, %v", id, err)
		}
		if log := r.log(); log[len(log)-1] != "POST /v"+version+"/swarm/init" {
			t.Errorf("asked %v", log)
		}
		sent := fields(t, r.sent("POST /swarm/init")[0])
		for path, want := range map[string]any{
			"ForceNewCluster": true, "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "10.0.0.11:2377",
			"DataPathAddr": "10.1.0.11", "DataPathPort": 7777.0, "SubnetSize": 26.0, "Availability": "drain",
			"DefaultAddrPool": []any{"10.20.0.0/16"}, "AutoLockManagers": true,
			"Spec.EncryptionConfig.AutoLockManagers": true, "Spec.CAConfig.ForceRotate": 3.0,
		} {
			if d := cmp.Diff(want, at(sent, path)); d != "" {
				t.Errorf("%s: %s", path, d)
			}
		}
	}
}

// What was not said must not overwrite what the forced swarm has.
func TestInitLeavesTheSpecAlone(t *testing.T) {
	r := newReplay(t, "1.51", map[string]answer{"POST /swarm/init": {body: `"n1"`}})
	if _, err := r.client().Init(t.Context(), InitRequest{ForceNewCluster: true, ListenAddr: "10.0.0.11:2377"}); err != nil {
		t.Fatal(err)
	}
	sent := fields(t, r.sent("POST /swarm/init")[0])
	for path, want := range map[string]any{
		"ListenAddr": "10.0.0.11:2377", "DefaultAddrPool": nil, "Availability": "", "Spec.Labels": nil,
		"Spec.Orchestration": map[string]any{}, "Spec.CAConfig": map[string]any{}, "Spec.Dispatcher": map[string]any{},
		"Spec.Raft": map[string]any{"ElectionTick": 0.0, "HeartbeatTick": 0.0}, "AutoLockManagers": false,
	} {
		if d := cmp.Diff(want, at(sent, path)); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

func TestWhatInitSays(t *testing.T) {
	const exists = `This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.`
	for _, test := range []struct {
		answer answer
		kind   error
	}{
		{says(503, exists), ErrAlreadyInSwarm},
		{answer{status: 503, file: "error-locked.json"}, ErrLocked},
		{says(503, "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state."), ErrNotManager},
		{says(500, "error on listing clusters: rpc error: code = DeadlineExceeded desc = context deadline exceeded"), ErrUndecided},
		{says(400, `invalid ListenAddr "": invalid empty address`), nil},
		{answer{broken: true}, ErrUnreachable},
	} {
		r := newReplay(t, "1.41", map[string]answer{"POST /swarm/init": test.answer})
		_, err := r.client().Init(t.Context(), InitRequest{ForceNewCluster: true})
		expect(t, err, test.kind)
		if n := len(r.sent("POST /swarm/init")); n != 1 {
			t.Errorf("forced %d times", n)
		}
	}
}

const token = "SWMTKN-1-0shape-secretpart"

func TestJoin(t *testing.T) {
	r := newReplay(t, "1.41", map[string]answer{"POST /swarm/join": {}})
	err := r.client().Join(t.Context(), JoinRequest{
		RemoteAddrs: []string{"10.0.0.11:2377", "10.0.0.12:2377"}, Token: token + "\n",
		AdvertiseAddr: "10.0.0.13", DataPathAddr: "10.1.0.13", Availability: "pause",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"RemoteAddrs": []any{"10.0.0.11:2377", "10.0.0.12:2377"}, "JoinToken": token, "ListenAddr": "0.0.0.0:2377",
		"AdvertiseAddr": "10.0.0.13", "DataPathAddr": "10.1.0.13", "Availability": "pause",
	}
	if d := cmp.Diff(want, fields(t, r.sent("POST /swarm/join")[0])); d != "" {
		t.Error(d)
	}
}

// A failed join erases certificates, one that goes on does not: they must not
// be taken for each other, and neither must tell the token.
func TestWhatJoinSays(t *testing.T) {
	const goesOn = `Timeout was reached before node joined. The attempt to join the swarm will continue in the background. ` +
		`Use the "docker info" command to see the current swarm status of your node.`
	for _, test := range []struct {
		answer answer
		kind   error
	}{
		{says(503, goesOn), ErrUndecided},
		{says(500, "could not connect to prospective new cluster member using its advertised address: context deadline exceeded"), nil},
		{says(500, "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster"), ErrTokenInvalid},
		{says(500, "invalid join token"), ErrTokenInvalid},
		{says(500, "remote CA does not match fingerprint. Expected: 0123abcd"), ErrTokenInvalid},
		{says(503, "This node is already part of a swarm."), ErrAlreadyInSwarm},
		{answer{status: 500, file: "error-no-leader.json"}, ErrNoLeader},
		{says(400, "odd request: "+token+", and "+token), nil},
		{answer{broken: true}, ErrUnreachable},
	} {
		r := newReplay(t, "1.51", map[string]answer{"POST /swarm/join": test.answer})
		err := r.client().Join(t.Context(), JoinRequest{RemoteAddrs: []string{"10.0.0.11:2377"}, Token: token})
		expect(t, err, test.kind)
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "secretpart") {
			t.Errorf("the token is in the error: %s", text)
		}
		if n := len(r.sent("POST /swarm/join")); n != 1 {
			t.Errorf("joined %d times", n)
		}
	}
}

// A join that the caller stops waiting for goes on in the engine.
func TestJoinIsNotWaitedFor(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	c := newReplay(t, "1.51", map[string]answer{"POST /swarm/join": {wait: never}}).client()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	expect(t, c.Join(ctx, JoinRequest{RemoteAddrs: []string{"a:2377"}, Token: token}), ErrUndecided)
}

func TestJoinRequestPrintsWithoutItsToken(t *testing.T) {
	r := JoinRequest{RemoteAddrs: []string{"10.0.0.11:2377"}, Token: token}
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{r, &r} {
			if text := fmt.Sprintf(form, v); strings.Contains(text, "secretpart") || !strings.Contains(text, "10.0.0.11") {
				t.Errorf("%s: %s", form, text)
			}
		}
	}
	if text, _ := json.Marshal(r); strings.Contains(string(text), "secretpart") {
		t.Errorf("%s", text)
	}
}

func TestLeave(t *testing.T) {
	for force, want := range map[bool]string{false: "POST /v1.41/swarm/leave", true: "POST /v1.41/swarm/leave?force=1"} {
		r := newReplay(t, "1.41", map[string]answer{"POST /swarm/leave": {}})
		if err := r.client().Leave(t.Context(), force); err != nil {
			t.Fatal(err)
		}
		if log := r.log(); log[len(log)-1] != want {
			t.Errorf("asked %v", log)
		}
	}
	for text, kind := range map[string]error{
		"This node is not part of a swarm": ErrNotInSwarm,
		"Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.":              ErrLocked,
		"You are attempting to leave the swarm on a node that is participating as a manager. The only way to restore": ErrNeedsForce,
	} {
		answers := map[string]answer{"POST /swarm/leave": says(http.StatusServiceUnavailable, text)}
		expect(t, newReplay(t, "1.51", answers).client().Leave(t.Context(), false), kind)
	}
}
