package engine

import (
	"context"
	"maps"
	"sort"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/requeen/requeen/internal/state"
)

// Swarm is the manager's account of its swarm: the cluster object, every node
// with its running tasks, and how many objects there are. SeenFrom and
// UnlockKeyKnown are left to the caller.
//
// The listings are made one after another over one connection, which matters
// where each connection is a session on an ssh connection with few of them.
// They are not one transaction: a swarm that changes meanwhile is seen in
// between. Tasks of attached networks and plugins are not listed by engines
// unless named, and not counted here.
func (c *Client) Swarm(ctx context.Context) (state.Swarm, error) {
	cluster, err := call(ctx, c, "inspect swarm", c.api.SwarmInspect)
	if err != nil {
		return state.Swarm{}, err
	}
	s := swarmOf(cluster)
	for _, list := range []func(context.Context, *state.Swarm) error{
		c.addNodes, c.addTasks, c.addServices, c.addNetworks, c.addSecrets, c.addConfigs,
	} {
		if err := list(ctx, &s); err != nil {
			return state.Swarm{}, err
		}
	}
	return s, nil
}

func swarmOf(cluster swarm.Swarm) state.Swarm {
	undelivered, rotated := strings.CutSuffix(cluster.Spec.Labels[state.UnlockKeyLabel], state.KeyRotated)
	if !rotated {
		undelivered = ""
	}
	return state.Swarm{
		KeyUndelivered: undelivered,

		ID:           cluster.ID,
		CreatedAt:    cluster.CreatedAt.UTC(),
		Epoch:        cluster.Spec.Labels[state.EpochLabel],
		ParentEpoch:  cluster.Spec.Labels[state.ParentEpochLabel],
		Autolock:     cluster.Spec.EncryptionConfig.AutoLockManagers,
		VersionIndex: cluster.Version.Index,
		Settings:     settingsOf(cluster),
		RootCASHA256: state.RootCADigest([]byte(cluster.TLSInfo.TrustRoot)),
		RootRotating: cluster.RootRotationInProgress,
		Nodes:        []state.SwarmNode{},
	}
}

func (c *Client) addNodes(ctx context.Context, s *state.Swarm) error {
	nodes, err := call(ctx, c, "list nodes", func(ctx context.Context) ([]swarm.Node, error) {
		return c.api.NodeList(ctx, swarm.NodeListOptions{})
	})
	if err != nil {
		return err
	}
	for _, n := range nodes {
		s.Nodes = append(s.Nodes, nodeOf(n))
		seen(s, n.Version)
	}
	sort.Slice(s.Nodes, func(i, j int) bool { return s.Nodes[i].ID < s.Nodes[j].ID })
	s.Objects.Nodes = len(nodes)
	return nil
}

func nodeOf(n swarm.Node) state.SwarmNode {
	node := state.SwarmNode{
		ID:            n.ID,
		Hostname:      n.Description.Hostname,
		Role:          string(n.Spec.Role),
		Availability:  string(n.Spec.Availability),
		Status:        string(n.Status.State),
		Addr:          n.Status.Addr,
		EngineVersion: n.Description.Engine.EngineVersion,
	}
	if !n.UpdatedAt.IsZero() {
		node.ChangedAt = n.UpdatedAt.UTC()
	}
	if len(n.Spec.Labels) > 0 {
		node.Labels = maps.Clone(n.Spec.Labels)
	}
	if m := n.ManagerStatus; m != nil {
		node.ManagerAddr = m.Addr
		node.Reachability = string(m.Reachability)
		node.Leader = m.Leader
	}
	return node
}

// addTasks takes all tasks in one listing without a filter: the number of all
// of them is wanted besides the number of those that run on each node.
func (c *Client) addTasks(ctx context.Context, s *state.Swarm) error {
	tasks, err := call(ctx, c, "list tasks", func(ctx context.Context) ([]swarm.Task, error) {
		return c.api.TaskList(ctx, swarm.TaskListOptions{})
	})
	if err != nil {
		return err
	}
	running := make(map[string]int)
	for _, t := range tasks {
		if t.DesiredState == swarm.TaskStateRunning && t.Status.State == swarm.TaskStateRunning {
			running[t.NodeID]++
		}
		seen(s, t.Version)
	}
	for i := range s.Nodes {
		s.Nodes[i].RunningTasks = running[s.Nodes[i].ID]
	}
	s.Objects.Tasks = len(tasks)
	return nil
}

func (c *Client) addServices(ctx context.Context, s *state.Swarm) error {
	list, err := call(ctx, c, "list services", func(ctx context.Context) ([]swarm.Service, error) {
		return c.api.ServiceList(ctx, swarm.ServiceListOptions{})
	})
	s.Services = []state.ServiceScale{}
	for _, o := range list {
		seen(s, o.Version)
		s.Services = append(s.Services, scaleOf(o))
	}
	sort.Slice(s.Services, func(i, j int) bool { return s.Services[i].Name < s.Services[j].Name })
	s.Objects.Services = len(list)
	return err
}

// addNetworks counts the networks of swarm scope; the API tells no version of
// them, and leaves out the predefined ones that the raft log holds too.
func (c *Client) addNetworks(ctx context.Context, s *state.Swarm) error {
	list, err := call(ctx, c, "list networks", func(ctx context.Context) ([]network.Summary, error) {
		return c.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("scope", "swarm"))})
	})
	s.Objects.Networks = len(list)
	return err
}

func (c *Client) addSecrets(ctx context.Context, s *state.Swarm) error {
	list, err := call(ctx, c, "list secrets", func(ctx context.Context) ([]swarm.Secret, error) {
		return c.api.SecretList(ctx, swarm.SecretListOptions{})
	})
	for _, o := range list {
		seen(s, o.Version)
	}
	s.Objects.Secrets = len(list)
	return err
}

func (c *Client) addConfigs(ctx context.Context, s *state.Swarm) error {
	list, err := call(ctx, c, "list configs", func(ctx context.Context) ([]swarm.Config, error) {
		return c.api.ConfigList(ctx, swarm.ConfigListOptions{})
	})
	for _, o := range list {
		seen(s, o.Version)
	}
	s.Objects.Configs = len(list)
	return err
}

// seen lifts the highest version seen.
func seen(s *state.Swarm, v swarm.Version) { s.VersionIndex = max(s.VersionIndex, v.Index) }
