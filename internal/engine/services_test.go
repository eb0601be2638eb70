package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spokenServices is GET /services?filters={"name":"web"}: an engine takes the
// beginning of a name, too. In the shape of 28.5, written by hand.
const spokenServices = `[
	{"ID": "s9", "Version": {"Index": 7}, "Spec": {"Name": "web2", "TaskTemplate": {"ForceUpdate": 1}, "Mode": {"Replicated": {"Replicas": 1}}}},
	{"ID": "s1", "Version": {"Index": %d}, "Spec": {"Name": "web", "Labels": {"com.docker.stack.namespace": "shop"%s},
		"TaskTemplate": {"ContainerSpec": {"Image": "nginx:1@sha256:00", "Env": ["A=b"], "Init": false}, "Placement": {"Constraints": ["node.labels.zone==a"]},
			"Networks": [{"Target": "n1"}], "LogDriver": {"Name": "journald"}, "ForceUpdate": 4, "Runtime": "container"},
		"Mode": {%s}, "UpdateConfig": {"Parallelism": 1, "FailureAction": "pause", "Order": "start-first", "MaxFailureRatio": 0},
		"EndpointSpec": {"Mode": "vip", "Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"}]}},
	 "ServiceStatus": {"RunningTasks": 3, "DesiredTasks": 3, "CompletedTasks": 0}%s}]`

func servicesAt(version int, labels, mode, more string) answer {
	return answer{body: fmt.Sprintf(spokenServices, version, labels, mode, more)}
}

const replicated = `"Replicated": {"Replicas": 3}`

func TestForceServiceKeepsTheRest(t *testing.T) {
	for _, version := range []string{"1.41", "1.51"} {
		r := newReplay(t, version, map[string]answer{"GET /services": servicesAt(33, "", replicated, ""), "POST /services/s1/update": {body: `{}`}})
		if err := r.client().ForceService(t.Context(), "web", "abc-7"); err != nil {
			t.Fatal(err)
		}
		log := r.log()
		if last := log[len(log)-1]; last != "POST /v"+version+"/services/s1/update?version=33" {
			t.Errorf("asked %s", last)
		}
		want := map[string]any{"Name": "web", "Labels": map[string]any{"com.docker.stack.namespace": "shop", LabelRebalanced: "abc-7"},
			"TaskTemplate": map[string]any{"ContainerSpec": map[string]any{"Image": "nginx:1@sha256:00", "Env": []any{"A=b"}, "Init": false},
				"Placement": map[string]any{"Constraints": []any{"node.labels.zone==a"}},
				"Networks":  []any{map[string]any{"Target": "n1"}}, "LogDriver": map[string]any{"Name": "journald"}, "ForceUpdate": 5.0, "Runtime": "container"},
			"Mode":         map[string]any{"Replicated": map[string]any{"Replicas": 3.0}},
			"UpdateConfig": map[string]any{"Parallelism": 1.0, "FailureAction": "pause", "Order": "start-first", "MaxFailureRatio": 0.0},
			"EndpointSpec": map[string]any{"Mode": "vip", "Ports": []any{map[string]any{"Protocol": "tcp", "TargetPort": 80.0, "PublishedPort": 8080.0, "PublishMode": "ingress"}}},
		}
		got := fields(t, r.sent("POST /services/s1/update")[0])
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

// A run that was cut calls again, and the tasks are not started anew once more.
func TestForceServiceIsOnceForAMark(t *testing.T) {
	r := newReplay(t, "1.41", map[string]answer{"GET /services": servicesAt(33, `, "io.requeen.rebalanced": "abc-7"`, replicated, ""), "POST /services/s1/update": {body: `{}`}})
	if err := r.client().ForceService(t.Context(), "web", "abc-7"); err != nil || len(r.sent("POST /services/s1/update")) != 0 {
		t.Errorf("the same mark: %v, sent %v", err, r.sent("POST /services/s1/update"))
	}
	if err := r.client().ForceService(t.Context(), "web", "abc-8"); err != nil || len(r.sent("POST /services/s1/update")) != 1 {
		t.Errorf("another mark: %v, sent %v", err, r.sent("POST /services/s1/update"))
	}
}

func TestForceServiceRefusesAndSays(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		mark   string
		kind   error
		says   string
	}{
		"a job":               {servicesAt(33, "", `"ReplicatedJob": {"TotalCompletions": 3}`, ""), "m", nil, "is a job"},
		"a job on every node": {servicesAt(33, "", `"GlobalJob": {}`, ""), "m", nil, "is a job"},
		"no mark":             {servicesAt(33, "", replicated, ""), "", nil, "no mark"},
		"none":                {answer{body: `[{"ID": "s9", "Spec": {"Name": "web2"}}]`}, "m", ErrNoSuchService, `called "web"`},
		"no leader":           {answer{status: 500, file: "error-no-leader.json"}, "m", ErrNoLeader, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, "1.51", map[string]answer{"GET /services": test.answer, "POST /services/s1/update": {body: `{}`}})
			err := r.client().ForceService(t.Context(), "web", test.mark)
			expect(t, err, test.kind)
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("it says %v", err)
			}
			if sent := r.sent("POST /services/s1/update"); len(sent) != 0 {
				t.Errorf("sent %v", sent)
			}
		})
	}
}

// Somebody else's update in between is read, and not written over.
func TestForceServiceReadsAgainOnAConflict(t *testing.T) {
	later := servicesAt(40, `, "by": "another"`, replicated, "")
	first := servicesAt(33, "", replicated, "")
	first.next = &later
	conflict := says(500, outOfSequence)
	conflict.next = &answer{body: `{}`}
	r := newReplay(t, "1.41", map[string]answer{"GET /services": first, "POST /services/s1/update": conflict})
	if err := r.client().ForceService(t.Context(), "web", "m"); err != nil {
		t.Fatal(err)
	}
	sent := r.sent("POST /services/s1/update")
	if len(sent) != 2 || at(fields(t, sent[1]), "Labels").(map[string]any)["by"] != "another" {
		t.Errorf("sent %v", sent)
	}
}

func TestService(t *testing.T) {
	tasks := answer{body: `[
		{"ID": "t1", "ServiceID": "s1", "DesiredState": "running", "Status": {"State": "running"}, "Spec": {"ForceUpdate": 4}},
		{"ID": "t2", "ServiceID": "s1", "DesiredState": "running", "Status": {"State": "running"}, "Spec": {"ForceUpdate": 3}},
		{"ID": "t3", "ServiceID": "s1", "DesiredState": "running", "Status": {"State": "preparing"}, "Spec": {"ForceUpdate": 4}}]`}
	r := newReplay(t, "1.41", map[string]answer{"GET /tasks": tasks, "GET /services": servicesAt(33, `, "io.requeen.rebalanced": "m"`, replicated,
		`, "UpdateStatus": {"State": "paused", "Message": "update paused due to failure\n or early termination of task t3"}`)})
	got, err := r.client().Service(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	want := Service{ID: "s1", Name: "web", Mode: "replicated", Mark: "m", Replicas: 3, Running: 3, Current: 1, Update: "paused",
		Message: "update paused due to failure or early termination of task t3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, asked := range r.log() {
		if strings.Contains(asked, "/services") && !strings.Contains(asked, "status=true") || strings.Contains(asked, "/tasks") && !strings.Contains(asked, "s1") {
			t.Errorf("asked %s", asked)
		}
	}
}

func TestNodeHasAndSwarmHas(t *testing.T) {
	r := newReplay(t, "1.51", map[string]answer{"GET /nodes/" + n1: nodeAt(9), "GET /swarm": swarmAt(12, true)})
	for _, test := range []struct {
		change NodeChange
		want   bool
	}{
		{NodeChange{Role: ptr("manager"), Availability: ptr("active"), Labels: map[string]string{"old": "1", "zone": "a"}}, true},
		{NodeChange{}, true},
		{NodeChange{Labels: map[string]string{}}, false},
		{NodeChange{Availability: ptr("drain")}, false},
	} {
		if has, err := r.client().NodeHas(t.Context(), n1, test.change); err != nil || has != test.want {
			t.Errorf("%+v: %v, %v", test.change, has, err)
		}
	}
	for want, change := range map[bool]SwarmChange{true: {Autolock: ptr(true), Labels: map[string]string{"team": "ops"}}, false: {ElectionTick: ptr(3)}} {
		if has, err := r.client().SwarmHas(t.Context(), change); err != nil || has != want {
			t.Errorf("%+v: %v, %v", change, has, err)
		}
	}
	if _, err := r.client().NodeHas(t.Context(), "m1", NodeChange{}); err == nil {
		t.Error("a hostname was taken for an ID")
	}
}

// A drained node is empty once no task of it has still to end.
func TestNodeTasks(t *testing.T) {
	r := newReplay(t, "1.51", map[string]answer{"GET /tasks": {body: `[
		{"ID": "t1", "NodeID": "n1", "DesiredState": "shutdown", "Status": {"State": "running"}},
		{"ID": "t2", "NodeID": "n1", "DesiredState": "running", "Status": {"State": "preparing"}},
		{"ID": "t3", "NodeID": "n1", "DesiredState": "shutdown", "Status": {"State": "shutdown"}},
		{"ID": "t4", "NodeID": "n1", "DesiredState": "shutdown", "Status": {"State": "failed"}},
		{"ID": "t5", "NodeID": "n2", "DesiredState": "running", "Status": {"State": "running"}}]`}})
	if n, err := r.client().NodeTasks(t.Context(), "n1"); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	r = newReplay(t, "1.51", map[string]answer{"GET /tasks": {status: 500, file: "error-no-leader.json"}})
	if _, err := r.client().NodeTasks(t.Context(), "n1"); !errors.Is(err, ErrNoLeader) {
		t.Error(err)
	}
}
