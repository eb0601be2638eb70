package plan

import (
	"fmt"
	"sort"

	"github.com/requeen/requeen/internal/state"
)

// replaceEntry plans what becomes of the entry that a host had under another ID:
// its labels and availability go to the new one, then it is removed. The host is
// back under the new ID, so nothing is lost with it.
func (p *planner) replaceEntry(n *node, old string) {
	p.takeEntry(n, old)
	p.add(n, Step{Kind: RemoveNode, Recovery: p.plan.Recovery.ID, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout), Entry: old,
		Reason: fmt.Sprintf("The entry %s is %s's from before: the host is back under another ID, and the old one never comes back.", old, n.cfg.Name)})
}

// takeEntry gives a node's new entry what its old one had.
func (p *planner) takeEntry(n *node, old string) {
	p.add(n, Step{Kind: UpdateNode, Recovery: p.plan.Recovery.ID, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout), Entry: old,
		Join:   &JoinAs{Role: n.cfg.Role, Labels: n.cfg.Labels, Availability: n.cfg.Availability},
		Reason: fmt.Sprintf("%s has a new node ID: it gets the labels and the availability that its old entry %s has, where nothing else is declared.", n.cfg.Name, old)})
}

// oldEntry is the node ID that a survivor's log has at a host's address, "" where
// none fits. A prepared log names one member, and lists the managers that there were.
func oldEntry(n *node, survivors []*node) string {
	for _, s := range survivors {
		for _, m := range s.host.SwarmDir.Raft.Members {
			if sameHost(m.Addr, n.cfg.Address) {
				return m.NodeID
			}
		}
		if s.host.SwarmDir.Store == nil {
			continue
		}
		for _, id := range s.host.SwarmDir.Raft.ManagerNodes {
			if sameHost(s.host.SwarmDir.Store.Nodes[id].Addr, n.cfg.Address) {
				return id
			}
		}
	}
	return ""
}

// leftEntries are the entries of a swarm that answers which a recovery has left:
// nodes that are down, managers also without a manager's status, under the hostname
// of a declared node of that role that is in the swarm under another ID.
func (p *planner) leftEntries() map[*node][]string {
	if p.w.st.Swarm.Epoch == "" {
		return nil
	}
	list := map[*node][]string{}
	for i := range p.w.st.Swarm.Nodes {
		m := &p.w.st.Swarm.Nodes[i]
		for _, n := range p.w.nodes {
			if n.leftEntry(m) && n.matched == byNodeID && n.member.ID != m.ID && p.inSwarm(n) {
				list[n] = append(list[n], m.ID)
			}
		}
	}
	for _, ids := range list {
		sort.Strings(ids)
	}
	return list
}

// leftEntry tells whether an entry can be one that a node had under another ID: down,
// in its role, and with its hostname.
func (n *node) leftEntry(m *state.SwarmNode) bool {
	return !isVoter(m) && m.Status != "ready" && n.doubt == nil && n.cfg.Role == m.Role && n.host.Looked == state.Present && n.host.Hostname == m.Hostname
}

// inSwarm tells whether a node works in the swarm that answers, in its role.
func (p *planner) inSwarm(n *node) bool {
	if n.manager() {
		return p.w.voterOf(n) != nil
	}
	return n.member.Status == "ready"
}

// rotateTokens makes the join tokens anew where a restore has brought old ones
// back, which may have been revoked since (safety rule 14), or where it is asked
// for.
func (p *planner) rotateTokens(target *node) {
	want := p.plan.Recovery.Rung == RungRestore
	if asked := p.w.rules().RotateJoinTokens; asked != nil {
		want = *asked
	}
	if !want {
		return
	}
	p.step(target, RotateJoinTokens, Safe, nodeTimeout, "Both join tokens are made anew: those of the backup's time would let in again whoever has them. docker swarm join-token prints the new ones")
}
