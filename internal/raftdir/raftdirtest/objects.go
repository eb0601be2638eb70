package raftdirtest

import (
	"fmt"
	"testing"
	"time"

	gogotypes "github.com/gogo/protobuf/types"
	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/ca"

	"github.com/requeen/requeen/internal/state"
)

// transactionSize is how many objects one entry creates at most, as in a
// swarm's own batches.
const transactionSize = 100

// objects gives the swarm's objects in the order in which a swarm makes them.
func objects(t testing.TB, o Options, root ca.RootCA) []api.StoreObject {
	t.Helper()
	created, err := gogotypes.TimestampProto(o.Created)
	check(t, err)
	meta := func(n int) api.Meta {
		at, err := gogotypes.TimestampProto(o.Created.Add(time.Duration(n) * time.Second))
		check(t, err)
		return api.Meta{CreatedAt: at, UpdatedAt: at}
	}
	var all []api.StoreObject
	if !o.NoCluster {
		all = append(all, cluster(t, o, root, created))
	}
	if !o.NoNode {
		all = append(all, self(o, meta(0)))
	}
	for _, m := range o.Members {
		all = append(all, node(m.NodeID, api.NodeRoleManager, meta(1)))
	}
	for i := range o.Workers {
		all = append(all, node(id("worker", i), api.NodeRoleWorker, meta(i)))
	}
	for i := range o.Networks {
		all = append(all, &api.Network{ID: id("network", i), Meta: meta(i), Spec: api.NetworkSpec{Annotations: name("net", i)}})
	}
	for i := range o.Predefined {
		local := name("local", i)
		local.Labels = map[string]string{"com.docker.swarm.predefined": "true"}
		all = append(all, &api.Network{ID: id("local", i), Meta: meta(i), Spec: api.NetworkSpec{Annotations: local}})
	}
	for i := range o.Secrets {
		all = append(all, secret(i, meta(i)))
	}
	for i := range o.Configs {
		all = append(all, &api.Config{ID: id("config", i), Meta: meta(i), Spec: api.ConfigSpec{Annotations: name("config", i), Data: fmt.Appendf(nil, "setting-%d", i)}})
	}
	for i := range o.Services {
		all = append(all, &api.Service{ID: id("service", i), Meta: meta(i), Spec: api.ServiceSpec{Annotations: name("service", i)}})
	}
	for i := range o.Tasks {
		all = append(all, &api.Task{ID: id("task", i), Meta: meta(i), ServiceID: id("service", i), NodeID: o.NodeID, Slot: uint64(i + 1)})
	}
	return append(all, o.Extra...)
}

func cluster(t testing.TB, o Options, root ca.RootCA, created *gogotypes.Timestamp) *api.Cluster {
	t.Helper()
	signer, err := root.Signer()
	check(t, err)
	c := &api.Cluster{
		ID:   o.ClusterID,
		Meta: api.Meta{CreatedAt: created, UpdatedAt: created},
		Spec: api.ClusterSpec{
			Annotations:      api.Annotations{Name: "default"},
			EncryptionConfig: api.EncryptionConfig{AutoLockManagers: o.Autolock},
		},
		RootCA: api.RootCA{CACert: root.Certs, CAKey: signer.Key, CACertHash: root.Digest.String()},
	}
	if o.Epoch != "" {
		c.Spec.Annotations.Labels = map[string]string{state.EpochLabel: o.Epoch}
	}
	if o.ExternalCA {
		c.RootCA.CAKey = nil
		c.Spec.CAConfig.ExternalCAs = []*api.ExternalCA{{URL: "https://ca.example.com"}}
	}
	if o.Rotating {
		c.RootCA.RootRotation = &api.RootRotation{CACert: root.Certs, CAKey: signer.Key}
	}
	return c
}

func self(o Options, meta api.Meta) *api.Node {
	role, desired := api.NodeRoleManager, api.NodeRoleManager
	if o.StoreWorker {
		role, desired = api.NodeRoleWorker, api.NodeRoleWorker
	}
	if o.Demoting {
		desired = api.NodeRoleWorker
	}
	n := node(o.NodeID, role, meta)
	n.Spec.DesiredRole = desired
	n.Spec.Annotations.Labels = o.Labels
	n.Status.Addr = o.NodeAddr
	return n
}

func secret(i int, meta api.Meta) *api.Secret {
	return &api.Secret{ID: id("secret", i), Meta: meta, Spec: api.SecretSpec{Annotations: name("secret", i), Data: fmt.Appendf(nil, "payload-%d", i)}}
}

func node(nodeID string, role api.NodeRole, meta api.Meta) *api.Node {
	return &api.Node{
		ID: nodeID, Meta: meta, Role: role,
		Spec:        api.NodeSpec{DesiredRole: role, Membership: api.NodeMembershipAccepted},
		Description: &api.NodeDescription{Hostname: "host-" + nodeID},
		Certificate: api.Certificate{CN: nodeID, Role: role},
	}
}

// creations packs objects into requests of at most transactionSize.
func creations(t testing.TB, all []api.StoreObject) []api.InternalRaftRequest {
	t.Helper()
	var requests []api.InternalRaftRequest
	for i := 0; i < len(all); i += transactionSize {
		r := api.InternalRaftRequest{ID: uint64(i + 1)}
		for _, object := range all[i:min(i+transactionSize, len(all))] {
			action, err := api.NewStoreAction(object.EventCreate())
			check(t, err)
			r.Action = append(r.Action, action)
		}
		requests = append(requests, r)
	}
	return requests
}

func id(kind string, i int) string { return fmt.Sprintf("%s%025d", kind, i)[len(kind):] + kind }

func name(kind string, i int) api.Annotations {
	return api.Annotations{Name: fmt.Sprintf("%s-%d", kind, i)}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
