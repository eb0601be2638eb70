package state

import "time"

// HostSchedule is what requeen has put on a host so that a timer makes a backup there.
type HostSchedule struct {
	Cluster string `json:"cluster"` // the cluster block's label
	Backup  string `json:"backup"`  // the backup block's label
	// Declared is the digest of what it was put there for; empty where that can't be read.
	Declared string `json:"declared,omitempty"`
	Version  string `json:"version,omitempty"` // the version of the requeen that was put there
	// Damage is what of it is not as it was put there; empty where all is.
	Damage string `json:"damage,omitempty"`
	// Timer is systemd's word for the timer: "active" where it is enabled and runs.
	Timer string `json:"timer,omitempty"`
	// Running tells that a run is under way.
	Running bool `json:"running,omitempty"`
	// Stale are the names of the values that are at hand here and are not those that
	// were put there, sorted.
	Stale []string `json:"stale,omitempty"`
	// Last is the newest run; absent where there was none.
	Last *ScheduledRun `json:"last,omitempty"`
	// Prints tell the values apart, by name: a random salt and the value's HMAC under it.
	// They are compared where the look was made, and are in no file.
	Prints map[string]string `json:"-"`
}

// ScheduledRun is one run of a schedule, as it told of itself on its host.
type ScheduledRun struct {
	EndedAt time.Time `json:"ended_at"` // when it ended, by the host's clock
	OK      bool      `json:"ok"`       // whether it made its backup, or found a fresh one
	// Took is how long it took, in nanoseconds.
	Took time.Duration `json:"took_ns,omitempty"`
}
