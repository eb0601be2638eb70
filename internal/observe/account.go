package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// account asks a manager for the swarm, as soon as its engine has answered, so
// that a dead host elsewhere delays nothing.
func (l *look) account(parent context.Context, r *row) {
	ctx, cancel := bounded(parent, l.o.SwarmTimeout)
	defer cancel()
	r.asked = true
	r.account, r.err = within(ctx, r.engine.Swarm)
	if r.err == nil && r.host.Engine.ClusterID == "" {
		r.host.Engine.ClusterID = r.account.ID
	}
}

func (r *row) good() bool { return r.asked && r.err == nil }

// leads tells whether this manager says that it leads.
func (r *row) leads() bool {
	for _, n := range r.account.Nodes {
		if n.Leader && n.ID == r.host.Engine.NodeID {
			return true
		}
	}
	return false
}

// swarm takes one of the managers' accounts. rows are sorted by name.
func (l *look) swarm(ctx context.Context, rows []row) (*state.Swarm, *state.Problem) {
	best := l.best(rows)
	if best == nil {
		if ctx.Err() != nil {
			return nil, cutShort()
		}
		return nil, noAccount(rows)
	}
	s := best.account
	if up, managers := reachable(s.Nodes); managers > 0 && up < managers/2+1 {
		return nil, deposed(best.host.Name, up, managers)
	}
	s.SeenFrom = best.host.Name
	s.Services = concerned(l.cfg, s.Services)
	s.Nodes = withRivals(rows, best)
	keepSides(rows, best, s.Nodes)
	if s.Autolock {
		s.UnlockKeyKnown = l.tellsKey(ctx, rows, best)
	}
	return &s, nil
}

// reachable counts the managers of an account, and those that can be reached.
func reachable(nodes []state.SwarmNode) (up, managers int) {
	for _, n := range nodes {
		if n.Reachability == "" && !n.Leader {
			continue
		}
		managers++
		if n.Reachability == "reachable" || n.Leader {
			up++
		}
	}
	return up, managers
}

// deposed is for a leader that lost its quorum and goes on telling what it knew,
// for up to 20 s: what it tells is no account of the swarm.
func deposed(name string, up, managers int) *state.Problem {
	return &state.Problem{Code: codeSwarm,
		Text:   fmt.Sprintf("%s still calls itself leader, but sees %d of %d managers, which is no quorum: it can't change anything any more", name, up, managers),
		Remedy: "Bring the missing managers back, then look again. An election can take two minutes."}
}

// best is the account that is taken: of the declared cluster before another, of
// the leader before a follower, then the furthest, then the first by name. It
// never depends on who answered first.
func (l *look) best(rows []row) *row {
	var best *row
	for i := range rows {
		if r := &rows[i]; r.good() && (best == nil || l.better(r, best)) {
			best = r
		}
	}
	return best
}

func (l *look) better(a, b *row) bool {
	if id := l.cfg.Cluster.ID; id != "" && (a.account.ID == id) != (b.account.ID == id) {
		return a.account.ID == id
	}
	if a.leads() != b.leads() {
		return a.leads()
	}
	return a.account.VersionIndex > b.account.VersionIndex
}

// withRivals are the nodes of the account that is taken, with every node shown as
// a leader that any manager of that swarm calls one. A deposed leader calls
// itself so for up to 20 s, and for good where the swarm is split: which of them
// is right can't be said from here, so all of it is told.
func withRivals(rows []row, best *row) []state.SwarmNode {
	nodes := slices.Clone(best.account.Nodes)
	for i := range rows {
		r := &rows[i]
		if r == best || !r.good() || r.account.ID != best.account.ID {
			continue
		}
		for _, n := range r.account.Nodes {
			if n.Leader {
				nodes = withLeader(nodes, n)
			}
		}
	}
	return nodes
}

// keepSides keeps whom each manager follows where that is not one and the same.
func keepSides(rows []row, best *row, nodes []state.SwarmNode) {
	leaders := 0
	for _, n := range nodes {
		if n.Leader {
			leaders++
		}
	}
	if leaders < 2 {
		return
	}
	for i := range rows {
		r := &rows[i]
		if !r.good() || r.account.ID != best.account.ID {
			continue
		}
		for _, n := range r.account.Nodes {
			if n.Leader {
				r.host.Account = &state.Account{Leader: n.ID, Epoch: r.account.Epoch, ParentEpoch: r.account.ParentEpoch}
			}
		}
	}
}

func withLeader(nodes []state.SwarmNode, leader state.SwarmNode) []state.SwarmNode {
	at := slices.IndexFunc(nodes, func(n state.SwarmNode) bool { return n.ID == leader.ID })
	if at < 0 {
		return append(nodes, leader)
	}
	nodes[at].Leader = true
	return nodes
}

// tellsKey asks for the unlock key, of the chosen manager first, and drops it at
// once: only that it can be had is kept.
func (l *look) tellsKey(ctx context.Context, rows []row, best *row) bool {
	if l.told(ctx, best) {
		return true
	}
	for i := range rows {
		r := &rows[i]
		if r != best && r.good() && r.account.ID == best.account.ID && l.told(ctx, r) {
			return true
		}
	}
	return false
}

func (l *look) told(parent context.Context, r *row) bool {
	ctx, cancel := bounded(parent, l.o.SwarmTimeout)
	defer cancel()
	known, err := within(ctx, func(ctx context.Context) (bool, error) {
		key, err := r.engine.UnlockKey(ctx)
		defer clear(key)
		return len(key) > 0, err
	})
	return known && err == nil
}

func cutShort() *state.Problem {
	return &state.Problem{Code: codeSwarm, Text: "the look was cut short before a manager had told the swarm", Remedy: "Look again."}
}

// noAccount says of each node that is declared or answers as a manager what is
// in the way.
func noAccount(rows []row) *state.Problem {
	var parts []string
	leaderless := false
	for i := range rows {
		if r := &rows[i]; r.role == "manager" || r.asked {
			parts = append(parts, r.host.Name+": "+r.obstacle())
			leaderless = leaderless || isLeaderless(r.err)
		}
	}
	p := &state.Problem{Code: codeSwarm, Text: "no manager tells the swarm", Remedy: "Bring one of the managers back, then look again."}
	if len(parts) > 0 {
		p.Text += ": " + strings.Join(parts, "; ")
	} else {
		p.Remedy = "Declare the swarm's managers as nodes with role = \"manager\"."
	}
	if leaderless {
		p.Remedy = "More than half of the managers must be up for the swarm to have a leader: bring the missing ones back. An election can take two minutes."
	}
	return p
}

// obstacle is why a manager gave no account, in a few words.
func (r *row) obstacle() string {
	h := &r.host
	switch {
	case r.asked && isLeaderless(r.err):
		return "it says that the swarm has no leader"
	case r.asked && r.err != nil:
		return plain(r.err)
	case h.Target == "none":
		return "it has no connection"
	case h.Problem != nil:
		return h.Problem.Text
	case h.Looked == state.Unknown:
		return "it was not looked at"
	case h.Engine.Problem != nil:
		return h.Engine.Problem.Text
	case h.Engine.Answered != state.Present:
		return "its engine was not asked"
	case h.Engine.LocalNodeState == "locked":
		return "it is locked"
	case h.Engine.LocalNodeState == "active":
		return "it is a worker"
	case h.Engine.SwarmError != "":
		return "its engine is " + h.Engine.LocalNodeState + ": " + h.Engine.SwarmError
	default:
		return "its engine is " + h.Engine.LocalNodeState
	}
}
