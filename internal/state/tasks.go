package state

import "time"

// Task is a task of a service that a swarm has put on a node. The first
// assignment after a restore removes what runs on a node and is not among its
// tasks (safety rule 15).
type Task struct {
	ID           string `json:"id"`
	ServiceID    string `json:"service_id,omitempty"` // empty for what no service made
	NodeID       string `json:"node_id"`
	ContainerID  string `json:"container_id,omitempty"` // empty until the node told that it made one
	State        string `json:"state"`                  // as the node told last: assigned … running, complete, failed, …
	DesiredState string `json:"desired_state"`          // ready, running, shutdown, remove
	// Job tells that the task belongs to a run of a job, which can run again
	// where a store has forgotten that it was complete.
	Job bool `json:"job,omitempty"`
}

// Container is a container that an engine made for a task, running or not.
type Container struct {
	ID          string `json:"id"`
	Name        string `json:"name"`  // without the slash that the API puts before it
	State       string `json:"state"` // created, running, paused, restarting, removing, exited, dead
	TaskID      string `json:"task_id"`
	ServiceID   string `json:"service_id,omitempty"`
	ServiceName string `json:"service_name,omitempty"`
	NodeID      string `json:"node_id,omitempty"` // the node ID under which the engine made it
	// AnonymousVolumes are the names of those that go with the container when
	// the swarm removes it, sorted. A named volume whose name looks like an
	// anonymous one's is among them: asked too often rather than lost.
	AnonymousVolumes []string `json:"anonymous_volumes,omitempty"`
	// Writable are the other places outside of it that it can write to, sorted
	// by Target.
	Writable []Mount `json:"writable,omitempty"`
}

// VolumeHolder is a container that a recovery made and that is never started: it
// mounts anonymous volumes, so that they stay when the container they were made for
// is removed.
type VolumeHolder struct {
	ID        string    `json:"id"`
	Name      string    `json:"container"`           // without the slash that the API puts before it
	State     string    `json:"state"`               // created, unless somebody started it
	Recovery  string    `json:"recovery"`            // the ID of the recovery that made it
	Volumes   []string  `json:"volumes"`             // their names, sorted
	CreatedAt time.Time `json:"created_at,omitzero"` // the host's clock
}

// Mount is a place outside of a container that is seen in it.
type Mount struct {
	Type   string `json:"type"`             // bind, volume, cluster, npipe
	Source string `json:"source"`           // the volume's name, or the path on the host
	Driver string `json:"driver,omitempty"` // of a volume: local, or one that can be shared by hosts
	Target string `json:"target"`           // the path in the container
}
