package raftdir

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/state/store"

	"github.com/requeen/requeen/internal/state"
)

// labelPredefined marks the network objects that stand for a node's local
// networks; the API shows none of them. swarmkit keeps the name in its
// networkallocator package, behind which the whole allocator hangs.
const labelPredefined = "com.docker.swarm.predefined"

// Inventory lists the IDs of what the swarm in dir, a private copy or a
// prepared directory, holds at its commit index, and what was declared of each
// node. dir is only read. unlockKey is the key of the copy's time, nil where the
// node key is not sealed. Errors are Survey's, and ErrLocked or
// ErrWrongUnlockKey where the key does not open.
func Inventory(ctx context.Context, dir string, unlockKey []byte) (state.Inventory, error) {
	ctx = quiet(ctx)
	keyPEM, err := readFile(dir, fileNodeKey, whyNodeKey)
	if err != nil {
		return state.Inventory{}, err
	}
	key, err := openKey(keyPEM, unlockKey)
	if err != nil {
		return state.Inventory{}, err
	}
	h, err := readSurvivor(ctx, dir)
	if err != nil {
		return state.Inventory{}, err
	}
	if err := h.unseal(ctx, key.decrypter()); err != nil {
		return state.Inventory{}, err
	}
	s, err := rebuild(ctx, &h.history)
	if err != nil {
		return state.Inventory{}, err
	}
	defer s.close()
	content, err := s.save()
	if err != nil {
		return state.Inventory{}, err
	}
	return inventory(content), nil
}

func inventory(c *api.StoreSnapshot) state.Inventory {
	i := state.Inventory{
		Services: identifiers(c.Services), Secrets: identifiers(c.Secrets), Configs: identifiers(c.Configs),
		Nodes: map[string]state.InventoryNode{},
	}
	var networks []*api.Network
	for _, n := range c.Networks {
		if _, local := n.Spec.Annotations.Labels[labelPredefined]; !local {
			networks = append(networks, n)
		}
	}
	i.Networks = identifiers(networks)
	for _, n := range c.Nodes {
		role := roleWorker
		if n.Spec.DesiredRole == api.NodeRoleManager {
			role = roleManager
		}
		labels := map[string]string{}
		for k, v := range n.Spec.Annotations.Labels {
			labels[k] = v
		}
		i.Nodes[n.ID] = state.InventoryNode{Labels: labels, Role: role, Availability: strings.ToLower(n.Spec.Availability.String())}
	}
	return i
}

// identifiers gives the sorted IDs of objects.
func identifiers[T interface{ GetID() string }](objects []T) []string {
	ids := make([]string, 0, len(objects))
	for _, o := range objects {
		ids = append(ids, o.GetID())
	}
	slices.Sort(ids)
	return ids
}

// everyID gives the sorted IDs of all objects of all kinds, each with its kind.
func everyID(c *api.StoreSnapshot) []string {
	var ids []string
	for kind, list := range map[string][]string{
		"node": identifiers(c.Nodes), "service": identifiers(c.Services), "network": identifiers(c.Networks),
		"task": identifiers(c.Tasks), "cluster": identifiers(c.Clusters), "secret": identifiers(c.Secrets),
		"resource": identifiers(c.Resources), "extension": identifiers(c.Extensions), "config": identifiers(c.Configs),
		"volume": identifiers(c.Volumes),
	} {
		for _, id := range list {
			ids = append(ids, kind+" "+id)
		}
	}
	slices.Sort(ids)
	return ids
}

// save gives all objects as a snapshot holds them.
func (s *swarm) save() (content *api.StoreSnapshot, err error) {
	s.store.View(func(tx store.ReadTx) { content, err = s.store.Save(tx) })
	if err != nil {
		return nil, storeError(fileRaft, "its objects can't be listed", err)
	}
	return content, nil
}
