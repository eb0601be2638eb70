package state

// ServiceScale is a service whose scale a backup of the applications' data changes, or
// that carries ScaleLabel.
type ServiceScale struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Mode     string `json:"mode"`     // replicated, global, replicated-job, global-job
	Replicas uint64 `json:"replicas"` // that a replicated one is to have now
	// Scale is the value of ScaleLabel, empty where it does not carry it.
	Scale string `json:"scale,omitempty"`
	// Waits is the value of ScaleWaitsLabel, empty where it does not carry it.
	Waits string `json:"waits,omitempty"`
}

// Job tells whether the service's tasks are to end by themselves.
func (s ServiceScale) Job() bool { return s.Mode == "replicated-job" || s.Mode == "global-job" }

// Volume is a volume that the configuration names, as the engine of its node tells.
type Volume struct {
	Name       string            `json:"name"`
	Looked     Presence          `json:"looked"` // Absent: the engine has no such volume
	Problem    *Problem          `json:"problem,omitempty"`
	Driver     string            `json:"driver,omitempty"`     // that made it
	Mountpoint string            `json:"mountpoint,omitempty"` // on the host
	Labels     map[string]string `json:"labels,omitempty"`
	Options    map[string]string `json:"options,omitempty"` // of the driver
}

// Plain tells whether the volume's files lie in Mountpoint whether or not a container
// mounts it: the local driver without options that mount something.
func (v Volume) Plain() bool { return v.Driver == "local" && len(v.Options) == 0 }

// Volume finds a volume that was looked at on the host; nil where it was not.
func (h *Host) Volume(name string) *Volume {
	for i := range h.Volumes {
		if h.Volumes[i].Name == name {
			return &h.Volumes[i]
		}
	}
	return nil
}

// Service finds a service among Services; nil where there is none of that name.
func (s *Swarm) Service(name string) *ServiceScale {
	for i := range s.Services {
		if s.Services[i].Name == name {
			return &s.Services[i]
		}
	}
	return nil
}
