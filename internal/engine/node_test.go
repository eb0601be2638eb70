package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const n1 = "n1aaaaaaaaaaaaaaaaaaaaaaa"

func nodeAt(version int) answer {
	return answer{body: fmt.Sprintf(`{"ID": %q, "Version": {"Index": %d}, "Spec": {"Name": "kept", "Labels": {"zone": "a", "old": "1"},
		"Role": "manager", "Availability": "active"}, "Description": {"Hostname": "m1"}}`, n1, version)}
}

func TestUpdateNode(t *testing.T) {
	all := map[string]any{"zone": "a", "old": "1"}
	for name, test := range map[string]struct {
		change NodeChange
		want   map[string]any
	}{
		"role":         {NodeChange{Role: ptr("worker")}, map[string]any{"Name": "kept", "Labels": all, "Role": "worker", "Availability": "active"}},
		"availability": {NodeChange{Availability: ptr("drain")}, map[string]any{"Name": "kept", "Labels": all, "Role": "manager", "Availability": "drain"}},
		"labels": {NodeChange{Labels: map[string]string{"zone": "b"}},
			map[string]any{"Name": "kept", "Labels": map[string]any{"zone": "b"}, "Role": "manager", "Availability": "active"}},
		"no labels": {NodeChange{Labels: map[string]string{}},
			map[string]any{"Name": "kept", "Labels": map[string]any{}, "Role": "manager", "Availability": "active"}},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]answer{"GET /nodes/" + n1: nodeAt(9), "POST /nodes/" + n1 + "/update": {}}
			r := newReplay(t, "1.41", answers)
			if err := r.client().UpdateNode(t.Context(), n1, test.change); err != nil {
				t.Fatal(err)
			}
			log := r.log()
			if last := log[len(log)-1]; last != "POST /v1.41/nodes/"+n1+"/update?version=9" {
				t.Errorf("asked %s", last)
			}
			if d := cmp.Diff(test.want, fields(t, r.sent("POST /nodes/" + n1 + "/update")[0])); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUpdateNodeThatChangesNothing(t *testing.T) {
	for _, change := range []NodeChange{
		{},
		{Role: ptr("manager"), Availability: ptr("active"), Labels: map[string]string{"old": "1", "zone": "a"}},
	} {
		r := newReplay(t, "1.51", map[string]answer{"GET /nodes/" + n1: nodeAt(9)})
		if err := r.client().UpdateNode(t.Context(), n1, change); err != nil {
			t.Error(err)
		}
	}
}

func TestRemoveNode(t *testing.T) {
	for force, want := range map[bool]string{false: "DELETE /v1.51/nodes/" + n1, true: "DELETE /v1.51/nodes/" + n1 + "?force=1"} {
		r := newReplay(t, "1.51", map[string]answer{"GET /nodes/" + n1: nodeAt(9), "DELETE /nodes/" + n1: {}})
		if err := r.client().RemoveNode(t.Context(), n1, force); err != nil {
			t.Fatal(err)
		}
		if log := r.log(); log[len(log)-1] != want {
			t.Errorf("asked %v", log)
		}
	}
}

// An engine takes a hostname, or the beginning of an ID, for an ID.
func TestAnotherNodeIsNotTouched(t *testing.T) {
	for _, id := range []string{"m1", "n1aaa", "", " "} {
		r := newReplay(t, "1.51", map[string]answer{
			"GET /nodes/" + id: nodeAt(9), "POST /nodes/" + id + "/update": {}, "DELETE /nodes/" + id: {},
		})
		kind := ErrNoSuchNode
		if strings.TrimSpace(id) == "" {
			kind = nil
		}
		expect(t, r.client().RemoveNode(t.Context(), id, true), kind)
		expect(t, r.client().UpdateNode(t.Context(), id, NodeChange{Role: ptr("worker")}), kind)
		for _, asked := range r.log() {
			if !strings.HasPrefix(asked, "GET ") && !strings.HasPrefix(asked, "HEAD ") {
				t.Errorf("%q: asked %s", id, asked)
			}
		}
	}
}

func TestWhatNodesSay(t *testing.T) {
	gone := says(404, "node "+n1+" not found")
	for _, test := range []struct {
		read, write answer
		kind        error
	}{
		{gone, answer{}, ErrNoSuchNode},
		{nodeAt(9), says(404, "rpc error: code = NotFound desc = node "+n1+" not found"), ErrNoSuchNode},
		{says(404, "page not found"), answer{}, nil},
		{nodeAt(9), says(404, "rpc error: code = NotFound desc = can't find manager in raft memberlist"), nil},
		{nodeAt(9), says(400, "rpc error: code = FailedPrecondition desc = node "+n1+" is not down and can't be removed"), ErrNodeUp},
		{nodeAt(9), says(400, "rpc error: code = FailedPrecondition desc = node "+n1+" is a cluster manager and is a member of the raft cluster. "+
			"It must be demoted to worker before removal"), ErrStillManager},
		{nodeAt(9), says(400, "rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm"), ErrQuorumAtRisk},
		{nodeAt(9), says(500, "rpc error: code = Unknown desc = raft: failed to process the request: node lost leader status"), ErrNoLeader},
		{nodeAt(9), says(500, "rpc error: code = Unknown desc = raft: failed to process the request: node is stopped"), ErrNoLeader},
		{nodeAt(9), says(400, "rpc error: code = FailedPrecondition desc = can't remove member from the raft: this would result in a loss of quorum"), ErrQuorumAtRisk},
	} {
		answers := map[string]answer{
			"GET /nodes/" + n1: test.read, "POST /nodes/" + n1 + "/update": test.write, "DELETE /nodes/" + n1: test.write,
		}
		c := newReplay(t, "1.41", answers).client()
		expect(t, c.UpdateNode(t.Context(), n1, NodeChange{Role: ptr("worker")}), test.kind)
		expect(t, c.RemoveNode(t.Context(), n1, false), test.kind)
	}
}
