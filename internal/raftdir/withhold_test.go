package raftdir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/swarmkit/v2/api"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/state"
)

func dataService(name string, labels map[string]string, mode any, mounts ...api.Mount) *api.Service {
	s := &api.Service{ID: "id-" + name, Spec: api.ServiceSpec{Annotations: api.Annotations{Name: name, Labels: labels},
		Task: api.TaskSpec{Runtime: &api.TaskSpec_Container{Container: &api.ContainerSpec{Image: "db", Mounts: mounts}}}}}
	switch m := mode.(type) {
	case int:
		s.Spec.Mode = &api.ServiceSpec_Replicated{Replicated: &api.ReplicatedService{Replicas: uint64(m)}}
	case string:
		s.Spec.Mode = &api.ServiceSpec_Global{Global: &api.GlobalService{}}
	default:
		s.Spec.Mode = &api.ServiceSpec_ReplicatedJob{ReplicatedJob: &api.ReplicatedJob{TotalCompletions: 1, MaxConcurrent: 1}}
	}
	return s
}

func dataTask(service string, desired api.TaskState) *api.Task {
	return &api.Task{ID: "task-" + service, ServiceID: "id-" + service, NodeID: raftdirtest.NodeID, Slot: 1, DesiredState: desired,
		Status: api.TaskStatus{State: api.TaskStateRunning}}
}

// TestPrepareWithholds: who uses the data has no task in the prepared swarm, and the
// labels say which scale is to come back; everybody else is as before.
func TestPrepareWithholds(t *testing.T) {
	volume := api.Mount{Type: api.MountTypeVolume, Source: "pgdata", Target: "/data"}
	bind := func(path string) api.Mount { return api.Mount{Type: api.MountTypeBind, Source: path, Target: "/etc"} }
	b := build(t, raftdirtest.Options{Extra: []api.StoreObject{
		dataService("db", map[string]string{"team": "a"}, 3, volume), dataTask("db", api.TaskStateRunning),
		dataService("proxy", nil, "global", bind("/etc/traefik/dynamic")), dataTask("proxy", api.TaskStateRunning),
		dataService("above", nil, 1, bind("/etc")),
		dataService("watch", nil, 1, api.Mount{Type: api.MountTypeBind, Source: "/", Target: "/rootfs", ReadOnly: true}),
		dataService("slashes", nil, 1, bind("/etc//traefik/")),
		dataService("device", nil, 1, api.Mount{Type: api.MountTypeVolume, Source: "conf", VolumeOptions: &api.Mount_VolumeOptions{
			DriverConfig: &api.Driver{Options: map[string]string{"type": "none", "o": "bind", "device": "/etc/traefik"}}}}),
		dataService("named", nil, 2),
		dataService("quiesced", map[string]string{state.ScaleLabel: "4"}, 0, volume),
		dataService("job", nil, nil, volume), dataTask("job", api.TaskStateRunning),
		dataService("other", nil, 5, api.Mount{Type: api.MountTypeVolume, Source: "pgdata2"}, bind("/etc/traefik2")), dataTask("other", api.TaskStateRunning),
	}})
	restore := state.PendingRestore{ID: "r", Backup: "b", Repository: "offsite", Sources: []string{"volume.pgdata"}}.Value()
	p := preparation()
	p.UnlockKey = nil
	p.Withheld = raftdir.Withheld{Volumes: []string{"pgdata"}, Paths: []string{"/etc/traefik"}, Services: []string{"named", "gone"}, Restore: restore}
	done, out := prepare(t, b, p)
	if diff := cmp.Diff([]string{"above", "db", "device", "named", "proxy", "quiesced", "slashes"}, done.Withheld); diff != "" {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"job"}, done.Jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	type looks struct{ Scale, Restore, Replicas, Constraint string }
	want := map[string]looks{
		"db": {"3", restore, "", ""}, "above": {"1", restore, "", ""}, "slashes": {"1", restore, "", ""}, "device": {"1", restore, "", ""}, "named": {"2", restore, "", ""}, "quiesced": {"4", restore, "", ""},
		"proxy": {"global", restore, "", state.ScaleConstraint}, "job": {}, "other": {Replicas: "5"}, "watch": {Replicas: "1"},
	}
	got := map[string]looks{}
	specs, err := raftdir.Specs(t.Context(), out, nil)
	must(t, err)
	for _, s := range specs {
		if _, ours := want[s.Name]; ours && s.Kind == "service" {
			field := func(name string) string { return s.Fields[name].Value }
			got[s.Name] = looks{field("annotations.labels." + state.ScaleLabel), field("annotations.labels." + state.ScaleWaitsLabel),
				field("mode.replicated.replicas"), field("task.placement.constraints[0]")}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	content, err := raftdir.Content(t.Context(), out, nil)
	must(t, err)
	desired := map[string]string{}
	for _, task := range content.Tasks {
		desired[task.ID] = task.DesiredState
	}
	if diff := cmp.Diff(map[string]string{"task-db": "remove", "task-proxy": "shutdown", "task-job": "running", "task-other": "running"}, desired); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	if _, err := raftdir.Verify(t.Context(), out, raftdir.Options{}); err != nil {
		t.Error(err)
	}
}

// TestPrepareWithholdsNobody: without a restore of data nothing about services changes.
func TestPrepareWithholdsNobody(t *testing.T) {
	volume := api.Mount{Type: api.MountTypeVolume, Source: "pgdata", Target: "/data"}
	b := build(t, raftdirtest.Options{Extra: []api.StoreObject{dataService("db", nil, 3, volume)}})
	p := preparation()
	p.UnlockKey, p.Withheld = nil, raftdir.Withheld{Volumes: []string{"pgdata"}}
	done, out := prepare(t, b, p)
	specs, err := raftdir.Specs(t.Context(), out, nil)
	must(t, err)
	for _, s := range specs {
		if s.Name == "db" && s.Fields["mode.replicated.replicas"].Value != "3" || len(done.Withheld) > 0 {
			t.Errorf("withheld %q: %v", done.Withheld, s.Fields)
		}
	}
}
