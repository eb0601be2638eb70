package applytest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// ShapeContract is what the ports that change a swarm's shape promise to package
// apply: refusals that change nothing, and effects that end the same when they are
// asked for again. It is held with c.Worker, which is a worker at the end as it was
// before, under another node ID.
func ShapeContract(t *testing.T, c Contracted) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	k := &shaping{Contracted: c, ctx: ctx, t: t}
	k.token = c.locks(ctx, t)
	k.look()
	k.refusals()
	k.roles()
	k.node()
	k.settings()
	k.leaves()
	k.joins()
	k.services()
}

type shaping struct {
	Contracted
	ctx   context.Context
	t     *testing.T
	token uint64
	seen  *state.State
}

func (k *shaping) look() {
	k.t.Helper()
	st, err := k.Ports.Observer.Observe(k.ctx)
	if err != nil || st.Swarm == nil {
		k.t.Fatalf("no swarm is seen: %v", err)
	}
	k.seen = st
}

// on is a change of the node as the last look shows it.
func (k *shaping) on(node string) apply.Shape {
	k.t.Helper()
	h := k.seen.Host(node)
	if h == nil || h.Looked != state.Present {
		k.t.Fatalf("%s is not seen", node)
	}
	s := apply.Shape{ID: "20260101T000000Z-abcdef", Cluster: k.Cluster, SwarmID: k.seen.Swarm.ID, Node: node, Entry: h.Engine.NodeID, Token: k.token, Host: *h}
	for _, n := range k.seen.Swarm.Nodes {
		for _, m := range k.seen.Hosts {
			if m.Engine.NodeID == n.ID && n.Reachability == "reachable" && m.Name != node {
				s.Through = append(s.Through, apply.Manager{Name: m.Name, NodeID: n.ID, Address: n.ManagerAddr, MachineID: m.MachineID})
			}
		}
	}
	return s
}

// does has an effect, twice, and waits until it is there.
func (k *shaping) does(what string, s apply.Shape, tell func(context.Context, apply.Shape) error, has func(context.Context, apply.Shape) (bool, string, error)) {
	k.t.Helper()
	begun := k.Ports.Clock.Now()
	for i := range 2 {
		if err := tell(k.ctx, s); err != nil {
			k.t.Fatalf("%s, call %d: %v", what, i+1, err)
		}
	}
	for late := begun.Add(2 * time.Minute); ; {
		done, seen, err := has(k.ctx, s)
		if done {
			break
		}
		if err != nil && !errors.Is(err, apply.ErrNoManager) {
			seen = err.Error()
		}
		if k.Ports.Clock.Now().After(late) {
			k.t.Fatalf("%s: %s", what, seen)
		}
		k.wait(k.ctx, k.t, fmt.Sprintf("%s: %s", what, seen))
	}
	k.t.Logf("%s: %.1f s", what, k.Ports.Clock.Now().Sub(begun).Seconds())
	if err := tell(k.ctx, s); err != nil {
		k.t.Errorf("%s, when it is done: %v", what, err)
	}
	if done, seen, err := has(k.ctx, s); !done || err != nil {
		k.t.Errorf("%s, when it was told again: %v, %s, %v", what, done, seen, err)
	}
	k.look()
}

// refusals: a manager does not leave, its entry is not removed, nobody else's host
// is touched, and where no manager is named none is asked.
func (k *shaping) refusals() {
	k.t.Helper()
	p, manager, worker := k.Ports.Shaper, k.on(k.Node), k.on(k.Worker)
	if err := p.LeaveSwarm(k.ctx, manager); err == nil {
		k.t.Errorf("the manager %s left", k.Node)
	}
	if err := p.RemoveNode(k.ctx, manager); err == nil {
		k.t.Errorf("the entry of the manager %s was removed", k.Node)
	}
	another, alone := worker, worker
	another.Host.MachineID = "another"
	alone.Through = nil
	if err := p.LeaveSwarm(k.ctx, another); err == nil {
		k.t.Errorf("%s left, though it is another machine", k.Worker)
	}
	if err := p.ChangeNode(k.ctx, manager); err != nil { // of nothing; the host through which it goes has seen the token
		k.t.Errorf("a change of nothing: %v", err)
	}
	older, other := manager, manager
	other.Through = append([]apply.Manager{}, other.Through...)
	for i := range other.Through {
		other.Through[i].MachineID = "another"
	}
	older.Token--
	for what, s := range map[string]apply.Shape{"an older token": older, "another machine": other} {
		s.Labels = map[string]string{"contract": what}
		if err := p.ChangeNode(k.ctx, s); err == nil {
			k.t.Errorf("an entry was changed with %s", what)
		}
	}
	alone.Role = "manager"
	if err := p.SetRole(k.ctx, alone); !errors.Is(err, apply.ErrNoManager) {
		k.t.Errorf("without a manager: %v", err)
	}
	before := len(k.seen.Swarm.Nodes)
	k.look()
	if len(k.seen.Swarm.Nodes) != before || k.on(k.Worker).Entry != worker.Entry {
		k.t.Errorf("the refusals changed the swarm: %+v", k.seen.Swarm.Nodes)
	}
}

func (k *shaping) roles() {
	k.t.Helper()
	p := k.Ports.Shaper
	for _, role := range []string{"manager", "worker"} {
		s := k.on(k.Worker)
		s.Role = role
		k.does("becoming a "+role, s, p.SetRole, p.HasRole)
	}
}

func (k *shaping) node() {
	k.t.Helper()
	p := k.Ports.Shaper
	has := func(ctx context.Context, s apply.Shape) (bool, string, error) {
		has, tasks, err := p.NodeHas(ctx, s)
		return has && tasks == 0, fmt.Sprintf("%d tasks", tasks), err
	}
	s := k.on(k.Worker)
	s.Labels, s.Availability = map[string]string{"contract": "kept"}, "drain"
	k.does("labels, and a drained node", s, p.ChangeNode, has)
	s = k.on(k.Worker)
	s.Entry, s.Labels, s.Availability = "", map[string]string{}, "active"
	k.does("its own entry without labels", s, p.ChangeNode, has)
}

func (k *shaping) settings() {
	k.t.Helper()
	p := k.Ports.Shaper
	has := func(ctx context.Context, s apply.Shape) (bool, string, error) {
		has, err := p.SwarmHas(ctx, s)
		return has, "", err
	}
	for _, n := range []int64{3, 5} {
		s := k.on(k.Node)
		s.Settings.TaskHistoryLimit = &n
		k.does(fmt.Sprintf("a task history of %d", n), s, p.ChangeSwarm, has)
	}
}

// leaves: a worker leaves, and its entry stays until it is removed.
func (k *shaping) leaves() {
	k.t.Helper()
	p, s := k.Ports.Shaper, k.on(k.Worker)
	k.does("leaving", s, p.LeaveSwarm, p.HasLeft)
	if removed, _, err := p.IsRemoved(k.ctx, s); removed || err != nil {
		k.t.Errorf("the entry of a node that left: removed %v, %v", removed, err)
	}
	k.does("removing the entry", s, p.RemoveNode, p.IsRemoved)
	if h := k.seen.Host(k.Worker); h.Engine.LocalNodeState != "inactive" || h.SwarmDir.Presence != state.Absent && !h.SwarmDir.Bare() {
		k.t.Errorf("%s has left, and is %s with %+v", k.Worker, h.Engine.LocalNodeState, h.SwarmDir)
	}
	var none *apply.NotJoinedError
	s.Role = "worker"
	if _, _, err := p.NodeReady(k.ctx, s); !errors.As(err, &none) {
		k.t.Errorf("whether a node is ready that has left: %v", err)
	}
}

func (k *shaping) joins() {
	k.t.Helper()
	p, s := k.Ports.Shaper, k.on(k.Worker)
	s.Role, s.Entry = "worker", ""
	older := s
	older.Token--
	if err := p.JoinNode(k.ctx, older); err == nil {
		k.t.Errorf("%s was joined with an older token", k.Worker)
	}
	k.does("joining", s, p.JoinNode, p.NodeReady)
	if h := k.seen.Host(k.Worker); h.Engine.NodeID == "" || h.Engine.LocalNodeState != "active" {
		k.t.Errorf("%s has joined, and is %+v", k.Worker, h.Engine)
	}
}

// services: an update with force is made once for a mark.
func (k *shaping) services() {
	k.t.Helper()
	p, s := k.Ports.Shaper, k.on(k.Node)
	s.Service, s.Mark = "nosuchservice", "contract-1"
	var none *apply.NoServiceError
	if err := p.ForceService(k.ctx, s); !errors.As(err, &none) {
		k.t.Errorf("a service that is not there: %v", err)
	}
	if _, _, err := p.Converged(k.ctx, s); !errors.As(err, &none) {
		k.t.Errorf("a service that is not there: %v", err)
	}
	if s.Service = k.Service; s.Service == "" {
		return
	}
	if done, _, err := p.Converged(k.ctx, s); done || err != nil {
		k.t.Errorf("it has converged before it was updated: %v, %v", done, err)
	}
	k.does("updating "+s.Service+" with force", s, p.ForceService, p.Converged)
	s.Mark = "contract-2"
	if done, _, err := p.Converged(k.ctx, s); done || err != nil {
		k.t.Errorf("it has converged for another mark: %v, %v", done, err)
	}
}
