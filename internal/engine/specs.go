package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/requeen/requeen/internal/state"
)

// Specs tells what the swarm was asked for, from a manager with a leader, in the words
// of raftdir.PlainSpecs. The listings are not one transaction. Of a secret the API
// gives no data; a secret can't be changed, so that the same ID is the same value.
func (c *Client) Specs(ctx context.Context) ([]state.Spec, error) {
	var all []state.Spec
	for _, list := range []func(context.Context) ([]state.Spec, error){
		c.serviceSpecs, c.secretSpecs, c.configSpecs, c.networkSpecs, c.nodeSpecs,
	} {
		got, err := list(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	return all, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (c *Client) serviceSpecs(ctx context.Context) (list []state.Spec, err error) {
	services, err := call(ctx, c, "list services", func(ctx context.Context) ([]swarm.Service, error) {
		return c.api.ServiceList(ctx, swarm.ServiceListOptions{})
	})
	for i := range services {
		list = append(list, plainService(&services[i]).Spec(digest))
	}
	return list, err
}

func plainService(s *swarm.Service) state.PlainService {
	spec := &s.Spec
	out := state.PlainService{ID: s.ID, Name: spec.Name, Labels: spec.Labels, Forced: spec.TaskTemplate.ForceUpdate}
	switch m := spec.Mode; {
	case m.Global != nil:
		out.Mode = "global"
	case m.Replicated != nil:
		out.Mode = "replicated"
		if m.Replicated.Replicas != nil {
			out.Replicas = *m.Replicated.Replicas
		}
	case m.ReplicatedJob != nil:
		out.Mode = "replicated-job"
		if m.ReplicatedJob.TotalCompletions != nil {
			out.Replicas = *m.ReplicatedJob.TotalCompletions
		}
	case m.GlobalJob != nil:
		out.Mode = "global-job"
	}
	plainContainer(&out, spec.TaskTemplate.ContainerSpec)
	networks := spec.TaskTemplate.Networks
	if len(networks) == 0 {
		networks = spec.Networks //nolint:staticcheck // older services have them there
	}
	for _, n := range networks {
		out.Networks = append(out.Networks, state.PlainAttachment(n.Target, n.Aliases))
	}
	if p := spec.TaskTemplate.Placement; p != nil {
		out.Constraints = p.Constraints
	}
	if r := spec.TaskTemplate.Resources; r != nil && r.Limits != nil {
		out.CPULimit, out.MemoryLimit = r.Limits.NanoCPUs, r.Limits.MemoryBytes
	}
	if r := spec.TaskTemplate.Resources; r != nil && r.Reservations != nil {
		out.CPUReserved, out.MemoryReserved = r.Reservations.NanoCPUs, r.Reservations.MemoryBytes
	}
	if e := spec.EndpointSpec; e != nil {
		out.EndpointMode = string(e.Mode)
		for _, p := range e.Ports {
			out.Ports = append(out.Ports, state.PlainPort(p.PublishedPort, p.TargetPort, string(p.Protocol), string(p.PublishMode)))
		}
	}
	return out
}

func plainContainer(out *state.PlainService, c *swarm.ContainerSpec) {
	if c == nil {
		return
	}
	out.Image, out.Command, out.Args, out.Env = c.Image, c.Command, c.Args, c.Env
	out.ContainerLabels, out.User, out.Dir, out.Hostname = c.Labels, c.User, c.Dir, c.Hostname
	for _, m := range c.Mounts {
		out.Mounts = append(out.Mounts, state.PlainMount(string(m.Type), m.Source, m.Target, m.ReadOnly))
	}
	for _, r := range c.Secrets {
		file := ""
		if r.File != nil {
			file = r.File.Name
		}
		out.Secrets = append(out.Secrets, state.PlainFile(r.SecretName, file))
	}
	for _, r := range c.Configs {
		file := ""
		if r.File != nil {
			file = r.File.Name
		}
		out.Configs = append(out.Configs, state.PlainFile(r.ConfigName, file))
	}
}

func (c *Client) secretSpecs(ctx context.Context) (list []state.Spec, err error) {
	secrets, err := call(ctx, c, "list secrets", func(ctx context.Context) ([]swarm.Secret, error) {
		return c.api.SecretList(ctx, swarm.SecretListOptions{})
	})
	for _, s := range secrets {
		driver := ""
		if s.Spec.Driver != nil {
			driver = s.Spec.Driver.Name
		}
		list = append(list, state.PlainObject("secret", s.ID, s.Spec.Name, map[string]string{"driver": driver}, s.Spec.Labels))
	}
	return list, err
}

func (c *Client) configSpecs(ctx context.Context) (list []state.Spec, err error) {
	configs, err := call(ctx, c, "list configs", func(ctx context.Context) ([]swarm.Config, error) {
		return c.api.ConfigList(ctx, swarm.ConfigListOptions{})
	})
	for _, o := range configs {
		spec := state.PlainObject("config", o.ID, o.Spec.Name, nil, o.Spec.Labels)
		spec.Fields["data"] = state.SpecField{SHA256: digest(o.Spec.Data)}
		list = append(list, spec)
	}
	return list, err
}

func (c *Client) networkSpecs(ctx context.Context) (list []state.Spec, err error) {
	networks, err := call(ctx, c, "list networks", func(ctx context.Context) ([]network.Summary, error) {
		return c.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("scope", "swarm"))})
	})
	networks = slices.DeleteFunc(networks, func(n network.Summary) bool {
		return n.Scope != "swarm" || n.Labels[predefined] == "true"
	})
	seen := map[string]bool{} // the API may name one twice, as the swarm's and as this engine's
	for _, n := range networks {
		if seen[n.ID] {
			continue
		}
		seen[n.ID] = true
		list = append(list, state.PlainObject("network", n.ID, n.Name, map[string]string{"driver": n.Driver,
			"attachable": state.Flag(n.Attachable), "internal": state.Flag(n.Internal), "ingress": state.Flag(n.Ingress)}, n.Labels))
	}
	return list, err
}

func (c *Client) nodeSpecs(ctx context.Context) (list []state.Spec, err error) {
	nodes, err := call(ctx, c, "list nodes", func(ctx context.Context) ([]swarm.Node, error) {
		return c.api.NodeList(ctx, swarm.NodeListOptions{})
	})
	for _, n := range nodes {
		list = append(list, state.PlainObject("node", n.ID, n.Description.Hostname,
			map[string]string{"role": string(n.Spec.Role), "availability": string(n.Spec.Availability)}, n.Spec.Labels))
	}
	return list, err
}
