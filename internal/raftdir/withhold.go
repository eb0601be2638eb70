package raftdir

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/state/store"

	"github.com/requeen/requeen/internal/state"
)

// Withheld says which services a prepared swarm must not run before their data are
// back: those that mount one of the volumes, see one of the directories through a bind
// mount, or are named. Its zero value withholds none.
type Withheld struct {
	Volumes  []string // names, as the engines call them
	Paths    []string // clean paths of directories on hosts
	Services []string // names
	Restore  string   // the value of state.ScaleWaitsLabel that they get
}

// concerns tells whether a service is among them.
func (w Withheld) concerns(s *api.Service) bool {
	if slices.Contains(w.Services, s.Spec.Annotations.Name) {
		return true
	}
	c := s.Spec.Task.GetContainer()
	return c != nil && slices.ContainsFunc(c.Mounts, w.mounted)
}

func (w Withheld) mounted(m api.Mount) bool {
	switch m.Type {
	case api.MountTypeVolume:
		return slices.Contains(w.Volumes, m.Source) || w.sees(device(m.VolumeOptions), m.ReadOnly)
	case api.MountTypeBind:
		return w.sees(m.Source, m.ReadOnly)
	}
	return false
}

// sees tells whether a directory of a host, as a mount names it, is one of the
// directories, lies in one, or holds one that may be written to: who reads a whole disk,
// to watch a machine, uses none of them.
func (w Withheld) sees(source string, readOnly bool) bool {
	if !path.IsAbs(source) {
		return false
	}
	source = path.Clean(source)
	return slices.ContainsFunc(w.Paths, func(p string) bool { return within(source, p) || !readOnly && within(p, source) })
}

// device is what a volume of a service's own is mounted from, "" of one without options.
func device(o *api.Mount_VolumeOptions) string {
	if o == nil || o.DriverConfig == nil {
		return ""
	}
	return o.DriverConfig.Options["device"]
}

// within tells whether a path is a directory or lies in it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// withhold takes the services' tasks away, as a backup that quiesces them does, and
// records in the same labels what scale they are to have. A service that carries the
// record already, as it does in a copy that was made while it was quiesced, keeps it.
// Their tasks are told to end: an engine that still runs one stops it, and none is
// started by an agent that is faster than the orchestrator. Jobs have no scale to go
// back to and are left as they are.
func (n *successor) withhold(src *source, w Withheld) error {
	if w.Restore == "" {
		return nil
	}
	return src.swarm.store.Update(func(tx store.Tx) error {
		services, err := store.FindServices(tx, store.All)
		if err != nil {
			return storeError(fileRaft, "its services can't be listed", err)
		}
		for _, s := range services {
			if !w.concerns(s) {
				continue
			}
			name, next := s.Spec.Annotations.Name, s.Copy()
			end, scaled := takeAway(&next.Spec)
			if !scaled {
				n.jobs = append(n.jobs, name)
				continue
			}
			next.Spec.Annotations.Labels[state.ScaleWaitsLabel] = w.Restore
			if err := store.UpdateService(tx, next); err != nil {
				return storeError(fileRaft, "its service "+name+" can't be changed", err)
			}
			if err := endTasks(tx, s.ID, end); err != nil {
				return storeError(fileRaft, "the tasks of its service "+name+" can't be changed", err)
			}
			n.withheld = append(n.withheld, name)
		}
		slices.Sort(n.withheld)
		slices.Sort(n.jobs)
		return nil
	})
}

// takeAway leaves a service without tasks and tells how those that it has are to end;
// scaled is false where it has no scale.
func takeAway(spec *api.ServiceSpec) (end api.TaskState, scaled bool) {
	if spec.Annotations.Labels == nil {
		spec.Annotations.Labels = map[string]string{}
	}
	labels := spec.Annotations.Labels
	_, recorded := labels[state.ScaleLabel]
	switch m := spec.Mode.(type) {
	case *api.ServiceSpec_Replicated:
		if m.Replicated == nil {
			return 0, false
		}
		if !recorded || m.Replicated.Replicas > 0 { // somebody gave it a scale since
			labels[state.ScaleLabel] = state.ScaleValue(m.Replicated.Replicas)
		}
		m.Replicated.Replicas = 0
		return api.TaskStateRemove, true
	case *api.ServiceSpec_Global:
		labels[state.ScaleLabel] = state.ScaleGlobal
		if spec.Task.Placement == nil {
			spec.Task.Placement = &api.Placement{}
		}
		if p := spec.Task.Placement; !slices.Contains(p.Constraints, state.ScaleConstraint) {
			p.Constraints = append(p.Constraints, state.ScaleConstraint)
		}
		return api.TaskStateShutdown, true
	}
	return 0, false
}

func endTasks(tx store.Tx, serviceID string, end api.TaskState) error {
	tasks, err := store.FindTasks(tx, store.ByServiceID(serviceID))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.DesiredState >= end {
			continue
		}
		next := t.Copy()
		next.DesiredState = end
		if err := store.UpdateTask(tx, next); err != nil {
			return err
		}
	}
	return nil
}
