package plan

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"sort"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// patience is for how long no leader must have been seen before a quorum is
// called lost where the disks don't tell (decisions.md, Observing).
const patience = 120 * time.Second

// lostForGood tells whether the quorum can be called lost: at once where so many
// managers can be looked at and are down or without state that the rest is no
// quorum, else after patience. Where it can't yet, it says until when to wait.
func (p *planner) lostForGood() bool {
	w := p.w
	certain := 0
	for _, n := range w.managers() {
		switch n.state.State {
		case NodeEmpty, NodeDamaged, NodeStopped, NodeOrphaned:
			certain++
		case NodeLocked:
			if w.expired(n, 0) {
				certain++
			}
		}
	}
	if w.members()-certain < majority(w.members()) || certain == len(w.managers()) || w.unfinished() != "" {
		return true
	}
	return !p.waits(fmt.Sprintf("No leader is seen, and an election can take two minutes: %s", p.gone()))
}

// waits tells whether it is too early to judge, and says until when.
func (p *planner) waits(why string) bool {
	since := p.w.st.FirstLookedAt
	if since.IsZero() {
		since = p.w.st.ObservedAt
	}
	until := since.Add(patience)
	if !p.in.Now.Before(until) {
		return false
	}
	p.plan.UndecidedUntil = until.UTC()
	p.undecided(fmt.Sprintf("%s. The loss is judged from %s on", why, until.UTC().Format("15:04:05 UTC")),
		"Wait until then; plan does so by itself. Or bring back the managers that are named.")
	return true
}

// silent waits for engines that run and give no answer: for some time after a
// quorum was lost an engine answers nobody.
func (p *planner) silent() {
	for _, n := range p.w.managers() {
		if n.host.Looked == state.Present && n.host.Service.ActiveState == "active" && n.host.Engine.Answered != state.Present {
			p.waits(fmt.Sprintf("An engine that has just lost its quorum answers nobody for some time: %s", p.gone()))
			return
		}
	}
}

// survivors are the managers out of whose logs a cluster can be made, the
// furthest first.
func (p *planner) survivors() []*node {
	var list []*node
	for _, n := range p.w.managers() {
		if p.w.survives(n) {
			list = append(list, n)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return further(list[i], list[j]) })
	return list
}

// survives tells whether a manager's log was read and is this cluster's.
func (w *world) survives(n *node) bool {
	d := n.host.SwarmDir
	return n.doubt == nil && n.host.Looked == state.Present && d.Raft != nil && d.Raft.Index > 0 && missing(n) == "" && d.Role == schema.RoleManager
}

// further orders by what raft goes by: the last entry's term, then its index,
// then what the disk knows to be committed; then the name. Only logs of one epoch
// compare; a later epoch's term is lifted far above all before it, so that it
// comes first here, and ofNewestEpoch leaves out the rest.
func further(a, b *node) bool {
	x, y := a.host.SwarmDir.Raft, b.host.SwarmDir.Raft
	if c := cmp.Or(cmp.Compare(y.Term, x.Term), cmp.Compare(y.Index, x.Index), cmp.Compare(y.Commit, x.Commit)); c != 0 {
		return c < 0
	}
	return a.cfg.Name < b.cfg.Name
}

// furthest is the manager whose log reaches furthest, nil where none was read.
func (w *world) furthest() *node {
	var best *node
	for _, n := range w.managers() {
		if w.survives(n) && (best == nil || further(n, best)) {
			best = n
		}
	}
	return best
}

// compared puts the survivors into the plan with what choosing each would lose.
func (p *planner) compared(list []*node) {
	best := list[0].host.SwarmDir.Raft
	for i, n := range list {
		r := n.host.SwarmDir.Raft
		s := Survivor{Node: n.cfg.Name, NodeID: n.nodeID(), Epoch: r.Epoch, Term: r.Term, Index: r.Index, Commit: r.Commit, Chosen: i == 0}
		switch {
		case i == 0:
		case r.Index < best.Index:
			s.Loses = fmt.Sprintf("the entries %d to %d, which %s has", r.Index+1, best.Index, list[0].cfg.Name)
		case r.Term < best.Term:
			s.Loses = fmt.Sprintf("what was written in term %d, which %s has", best.Term, list[0].cfg.Name)
		default:
			s.Loses = "nothing: its log reaches as far"
		}
		p.plan.Recovery.Survivors = append(p.plan.Recovery.Survivors, s)
	}
}

// evidence gathers of every log that was read what the prepared one must know:
// raft IDs that may never be members again, and terms that it must be above.
func (p *planner) evidence(r *Recovery, own string) {
	add := func(report *state.RaftReport) {
		if report == nil {
			return
		}
		r.TermAbove = max(r.TermAbove, report.Term, report.VotedTerm)
		ids := slices.Clone(report.EverSeen)
		for _, m := range report.Members {
			ids = append(ids, m.RaftID)
		}
		for _, id := range append(ids, report.RaftID) {
			if id != "" && id != own && !contains(r.RaftIDs, id) {
				r.RaftIDs = append(r.RaftIDs, id)
			}
		}
	}
	for _, n := range p.w.nodes {
		add(n.host.SwarmDir.Raft)
	}
	sort.Strings(r.RaftIDs)
}

// unreadLogs names the members whose logs were not read and without which it is not
// known that every acknowledged write is in the chosen log (safety rule 9).
func (p *planner) unreadLogs(list []*node) (missing []string, enough bool) {
	members := list[0].host.SwarmDir.Raft.Members
	total := p.w.members()
	want := total - majority(total) + 1
	read := map[string]bool{}
	for _, n := range list {
		read[n.host.SwarmDir.NodeID] = true
	}
	for _, m := range members {
		if !read[m.NodeID] {
			missing = append(missing, p.memberName(m))
		}
	}
	if len(members) == 0 {
		for _, n := range p.w.managers() {
			if !read[n.host.SwarmDir.NodeID] || n.host.SwarmDir.NodeID == "" {
				missing = append(missing, n.cfg.Name)
			}
		}
	}
	return missing, len(list) >= want
}

// memberName is a raft member as the configuration calls it.
func (p *planner) memberName(m state.Member) string {
	for _, n := range p.w.nodes {
		if n.nodeID() == m.NodeID || sameHost(m.Addr, n.cfg.Address) {
			return n.cfg.Name
		}
	}
	return m.Addr
}

func sameHost(addr, address string) bool {
	a, b := net.ParseIP(hostOf(addr)), net.ParseIP(address)
	return a != nil && b != nil && a.Equal(b)
}

// unfenced are the managers that can't be reached: declared ones, and members
// that the log names and no node block does.
func (p *planner) unfenced(target *node, members []state.Member) []Unfenced {
	var list []Unfenced
	add := func(u Unfenced) {
		for _, have := range list {
			if have.Address == u.Address {
				return
			}
		}
		list = append(list, u)
	}
	for _, n := range p.w.managers() {
		if n == target || p.fenceable(n) {
			continue
		}
		add(Unfenced{Node: n.cfg.Name, Address: net.JoinHostPort(n.cfg.Address, "2377"), Acknowledged: p.w.saidDead(n)})
	}
	for _, m := range members {
		known := false
		for _, n := range p.w.nodes {
			known = known || n.nodeID() == m.NodeID || sameHost(m.Addr, n.cfg.Address)
		}
		if !known && m.NodeID != target.host.SwarmDir.NodeID {
			add(Unfenced{Address: m.Addr})
		}
	}
	return list
}

func (p *planner) fenceable(n *node) bool { return n.fenceable() }

func (p *planner) unfencedHazards(step int) {
	for _, u := range p.plan.Recovery.Unfenced {
		name := or(u.Node, "The manager at "+u.Address)
		if u.Acknowledged {
			continue
		}
		why := "can't be reached"
		if n := p.w.node(u.Node); n != nil && n.elsewhere != nil {
			why = "is held by a recovery of the cluster " + n.elsewhere.Cluster
		}
		p.hazard(diag.ManagerUnfenced, step, u.Node, "%s (%s) %s, so it can't be fenced: nobody has said that it is gone for good", name, u.Address, why)
	}
}
