package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/requeen/requeen/internal/state"
)

// Inventory tells which objects the swarm holds, from a manager with a leader.
// The listings are not one transaction. A network that this engine alone still
// holds, and the swarm no more, is in it too: the API does not tell them apart.
func (c *Client) Inventory(ctx context.Context) (state.Inventory, error) {
	var v state.Inventory
	for _, list := range []func(context.Context, *state.Inventory) error{
		c.listNodes, c.listServices, c.listSecrets, c.listConfigs, c.listNetworks,
	} {
		if err := list(ctx, &v); err != nil {
			return state.Inventory{}, err
		}
	}
	return v, nil
}

func (c *Client) listNodes(ctx context.Context, v *state.Inventory) error {
	nodes, err := call(ctx, c, "list nodes", func(ctx context.Context) ([]swarm.Node, error) {
		return c.api.NodeList(ctx, swarm.NodeListOptions{})
	})
	v.Nodes = make(map[string]state.InventoryNode, len(nodes))
	for _, n := range nodes {
		labels := make(map[string]string, len(n.Spec.Labels))
		maps.Copy(labels, n.Spec.Labels)
		v.Nodes[n.ID] = state.InventoryNode{Labels: labels, Role: string(n.Spec.Role), Availability: string(n.Spec.Availability)}
	}
	return err
}

func (c *Client) listServices(ctx context.Context, v *state.Inventory) error {
	list, err := call(ctx, c, "list services", func(ctx context.Context) ([]swarm.Service, error) {
		return c.api.ServiceList(ctx, swarm.ServiceListOptions{})
	})
	v.Services = ids(list, func(o swarm.Service) string { return o.ID })
	return err
}

func (c *Client) listSecrets(ctx context.Context, v *state.Inventory) error {
	list, err := call(ctx, c, "list secrets", func(ctx context.Context) ([]swarm.Secret, error) {
		return c.api.SecretList(ctx, swarm.SecretListOptions{})
	})
	v.Secrets = ids(list, func(o swarm.Secret) string { return o.ID })
	return err
}

func (c *Client) listConfigs(ctx context.Context, v *state.Inventory) error {
	list, err := call(ctx, c, "list configs", func(ctx context.Context) ([]swarm.Config, error) {
		return c.api.ConfigList(ctx, swarm.ConfigListOptions{})
	})
	v.Configs = ids(list, func(o swarm.Config) string { return o.ID })
	return err
}

// predefined is the label of the networks that swarms make of each node's own.
const predefined = "com.docker.swarm.predefined"

func (c *Client) listNetworks(ctx context.Context, v *state.Inventory) error {
	list, err := call(ctx, c, "list networks", func(ctx context.Context) ([]network.Summary, error) {
		return c.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("scope", "swarm"))})
	})
	list = slices.DeleteFunc(list, func(n network.Summary) bool {
		return n.Scope != "swarm" || n.Labels[predefined] == "true"
	})
	v.Networks = ids(list, func(o network.Summary) string { return o.ID })
	return err
}

// ids are those of the list, sorted, without doubles, never nil.
func ids[T any](list []T, id func(T) string) []string {
	all := make([]string, 0, len(list))
	for _, o := range list {
		all = append(all, id(o))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
