package raftdir

import (
	"context"
	"strings"

	"github.com/moby/swarmkit/v2/api"

	"github.com/requeen/requeen/internal/state"
)

// PlainSpecs is Specs in the words that a manager's API has, too, so that the two can
// be compared: of services, networks and secrets it tells less. Secrets have no
// digest, for the API does not give their data: one can't be changed, so that the same
// ID is the same value.
func PlainSpecs(ctx context.Context, dir string, unlockKey []byte) ([]state.Spec, error) {
	all, err := saved(ctx, dir, unlockKey)
	if err != nil {
		return nil, err
	}
	var list []state.Spec
	for _, s := range all.Services {
		list = append(list, plainService(s).Spec(digest))
	}
	for _, s := range all.Secrets {
		driver := ""
		if s.Spec.Driver != nil {
			driver = s.Spec.Driver.Name
		}
		list = append(list, state.PlainObject("secret", s.ID, s.Spec.Annotations.Name, map[string]string{"driver": driver}, s.Spec.Annotations.Labels))
	}
	for _, c := range all.Configs {
		list = append(list, withData(state.PlainObject("config", c.ID, c.Spec.Annotations.Name, nil, c.Spec.Annotations.Labels), c.Spec.Data))
	}
	for _, n := range all.Networks {
		if _, local := n.Spec.Annotations.Labels[labelPredefined]; local {
			continue
		}
		driver := "overlay"
		if n.Spec.DriverConfig != nil && n.Spec.DriverConfig.Name != "" {
			driver = n.Spec.DriverConfig.Name
		}
		list = append(list, state.PlainObject("network", n.ID, n.Spec.Annotations.Name, map[string]string{"driver": driver,
			"attachable": state.Flag(n.Spec.Attachable), "internal": state.Flag(n.Spec.Internal), "ingress": state.Flag(n.Spec.Ingress)}, n.Spec.Annotations.Labels))
	}
	for _, n := range all.Nodes {
		list = append(list, nodeSpec(n))
	}
	return list, nil
}

func plainService(s *api.Service) state.PlainService {
	spec := &s.Spec
	out := state.PlainService{ID: s.ID, Name: spec.Annotations.Name, Labels: spec.Annotations.Labels, Forced: spec.Task.ForceUpdate}
	switch m := spec.GetMode().(type) {
	case *api.ServiceSpec_Global:
		out.Mode = "global"
	case *api.ServiceSpec_Replicated:
		out.Mode, out.Replicas = "replicated", m.Replicated.Replicas
	case *api.ServiceSpec_ReplicatedJob:
		out.Mode, out.Replicas = "replicated-job", m.ReplicatedJob.TotalCompletions
	case *api.ServiceSpec_GlobalJob:
		out.Mode = "global-job"
	}
	plainContainer(&out, spec.Task.GetContainer())
	networks := spec.Task.Networks
	if len(networks) == 0 {
		networks = spec.Networks
	}
	for _, n := range networks {
		out.Networks = append(out.Networks, state.PlainAttachment(n.Target, n.Aliases))
	}
	if p := spec.Task.Placement; p != nil {
		out.Constraints = p.Constraints
	}
	if r := spec.Task.Resources; r != nil && r.Limits != nil {
		out.CPULimit, out.MemoryLimit = r.Limits.NanoCPUs, r.Limits.MemoryBytes
	}
	if r := spec.Task.Resources; r != nil && r.Reservations != nil {
		out.CPUReserved, out.MemoryReserved = r.Reservations.NanoCPUs, r.Reservations.MemoryBytes
	}
	if e := spec.Endpoint; e != nil {
		out.EndpointMode = strings.ToLower(e.Mode.String())
		for _, p := range e.Ports {
			out.Ports = append(out.Ports, state.PlainPort(p.PublishedPort, p.TargetPort, p.Protocol.String(), p.PublishMode.String()))
		}
	}
	return out
}

func plainContainer(out *state.PlainService, c *api.ContainerSpec) {
	if c == nil {
		return
	}
	out.Image, out.Command, out.Args, out.Env = c.Image, c.Command, c.Args, c.Env
	out.ContainerLabels, out.User, out.Dir, out.Hostname = c.Labels, c.User, c.Dir, c.Hostname
	for _, m := range c.Mounts {
		out.Mounts = append(out.Mounts, state.PlainMount(m.Type.String(), m.Source, m.Target, m.ReadOnly))
	}
	for _, r := range c.Secrets {
		out.Secrets = append(out.Secrets, state.PlainFile(r.SecretName, fileName(r.GetFile())))
	}
	for _, r := range c.Configs {
		out.Configs = append(out.Configs, state.PlainFile(r.ConfigName, fileName(r.GetFile())))
	}
}

func fileName(f *api.FileTarget) string {
	if f == nil {
		return ""
	}
	return f.Name
}
