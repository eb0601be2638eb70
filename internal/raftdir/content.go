package raftdir

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/moby/swarmkit/v2/api"

	"github.com/requeen/requeen/internal/state"
)

// Content tells what the swarm in dir, a private copy, says is to run, as a
// cluster made of it will have it: what the log has not marked committed is taken
// as committed, as Prepare does. dir is only read. unlockKey is the key of the
// copy's time, nil where the node key is not sealed. Errors are Inventory's.
func Content(ctx context.Context, dir string, unlockKey []byte) (state.Store, error) {
	all, err := saved(ctx, dir, unlockKey)
	if err != nil {
		return state.Store{}, err
	}
	return content(all), nil
}

// saved gives all objects of the swarm in dir, the log taken to its end.
func saved(ctx context.Context, dir string, unlockKey []byte) (*api.StoreSnapshot, error) {
	ctx = quiet(ctx)
	keyPEM, err := readFile(dir, fileNodeKey, whyNodeKey)
	if err != nil {
		return nil, err
	}
	key, err := openKey(keyPEM, unlockKey)
	if err != nil {
		return nil, err
	}
	h, err := readSurvivor(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := h.unseal(ctx, key.decrypter()); err != nil {
		return nil, err
	}
	_, last := h.last()
	h.state.Commit = max(h.state.Commit, last)
	s, err := rebuild(ctx, &h.history)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.save()
}

func content(all *api.StoreSnapshot) state.Store {
	c := state.Store{Nodes: map[string]state.StoreNode{}, Services: []state.StoreService{}, Tasks: []state.Task{}}
	for _, n := range all.Nodes {
		node := state.StoreNode{Addr: n.Status.Addr}
		if n.Description != nil {
			node.Hostname = n.Description.Hostname
		}
		c.Nodes[n.ID] = node
	}
	for _, s := range all.Services {
		c.Services = append(c.Services, serviceOf(s))
	}
	for _, t := range all.Tasks {
		if t.NodeID != "" {
			c.Tasks = append(c.Tasks, taskOf(t))
		}
	}
	slices.SortFunc(c.Services, func(a, b state.StoreService) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Tasks, func(a, b state.Task) int { return cmp.Or(cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.ID, b.ID)) })
	return c
}

func serviceOf(s *api.Service) state.StoreService {
	service := state.StoreService{ID: s.ID, Name: s.Spec.Annotations.Name}
	switch s.Spec.Mode.(type) {
	case *api.ServiceSpec_ReplicatedJob:
		service.Job, service.Moves = true, true
	case *api.ServiceSpec_GlobalJob:
		service.Job = true
	case *api.ServiceSpec_Global:
	default:
		service.Moves = true
	}
	if u := s.UpdateStatus; u != nil {
		service.Updating = u.State == api.UpdateStatus_UPDATING || u.State == api.UpdateStatus_ROLLBACK_STARTED
	}
	if c := s.Spec.Task.GetContainer(); c != nil {
		for _, m := range c.Mounts {
			if place, shared := sharedPlace(m); shared {
				service.Writable = append(service.Writable, place)
			}
		}
	}
	slices.SortFunc(service.Writable, func(a, b state.Mount) int { return cmp.Compare(a.Target, b.Target) })
	return service
}

// sharedPlace gives a mount that is written to and that another node may see as
// well. A local volume with options of its own can be a share of the network's.
func sharedPlace(m api.Mount) (state.Mount, bool) {
	place := state.Mount{Type: strings.ToLower(m.Type.String()), Source: m.Source, Target: m.Target}
	if m.ReadOnly {
		return place, false
	}
	switch m.Type {
	case api.MountTypeBind:
		return place, !ownOfHost(m.Source)
	case api.MountTypeCluster:
		return place, true
	case api.MountTypeVolume:
		if m.VolumeOptions == nil || m.VolumeOptions.DriverConfig == nil {
			return place, false
		}
		d := m.VolumeOptions.DriverConfig
		place.Driver = d.Name
		return place, d.Name != "" && d.Name != "local" || len(d.Options) > 0
	}
	return place, false
}

// ownOfHost tells of a path that is the kernel's or the running system's and so no
// other host's.
func ownOfHost(path string) bool {
	for _, own := range []string{"/proc", "/sys", "/dev", "/run", "/var/run"} {
		if path == own || strings.HasPrefix(path, own+"/") {
			return true
		}
	}
	return false
}

func taskOf(t *api.Task) state.Task {
	task := state.Task{ID: t.ID, ServiceID: t.ServiceID, NodeID: t.NodeID, State: strings.ToLower(t.Status.State.String()),
		DesiredState: strings.ToLower(t.DesiredState.String()), Job: t.JobIteration != nil}
	if c := t.Status.GetContainer(); c != nil {
		task.ContainerID = c.ContainerID
	}
	return task
}
