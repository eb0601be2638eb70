package plan

import (
	"fmt"
	"sort"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// lineage is how the epochs that are seen follow each other: every force or
// restore opens one. Term and index compare logs of one epoch only (safety rule
// 5).
type lineage struct {
	parent map[string]string // by epoch
	where  map[string]string // where an epoch was seen first
	// holders are the managers that are in an epoch, as they say or as their logs do.
	holders map[string][]string
}

func (w *world) lineage() lineage {
	l := lineage{parent: map[string]string{}, where: map[string]string{}, holders: map[string][]string{}}
	add := func(epoch, parent, where string) {
		if _, known := l.where[epoch]; !known {
			l.where[epoch] = where
		}
		if epoch != "" && l.parent[epoch] == "" {
			l.parent[epoch] = parent
		}
	}
	for _, n := range w.nodes {
		if r := n.host.SwarmDir.Raft; r != nil && opened(r) {
			add(r.Epoch, r.ParentEpoch, n.cfg.Name)
			l.holders[r.Epoch] = append(l.holders[r.Epoch], n.cfg.Name)
		}
		if a := n.host.Account; a != nil {
			add(a.Epoch, a.ParentEpoch, n.cfg.Name)
		}
	}
	for _, r := range w.st.Repositories {
		for _, b := range r.Backups {
			if b.Problem == nil && b.SwarmID == w.id.id && b.Cluster == w.cfg.Cluster.Name {
				add(b.Epoch, or(b.ParentEpoch, b.Raft.ParentEpoch), "backup "+b.ID)
			}
		}
	}
	return l
}

// opened tells whether a log was read with its key: else its epoch is not known.
func opened(r *state.RaftReport) bool { return len(r.Members) > 0 }

// newest are the epochs that none of the others follows: one, unless the swarm's
// history was split.
func (l lineage) newest() []string {
	followed := map[string]bool{}
	for epoch := range l.where {
		if epoch != "" {
			followed[l.parent[epoch]] = true
		}
	}
	var list []string
	for epoch := range l.where {
		if !followed[epoch] {
			list = append(list, epoch)
		}
	}
	sort.Strings(list)
	return list
}

// ofNewestEpoch leaves the survivors that are of the newest epoch that anything
// shows, and says so of the others. It is false where the history was split, so
// that nobody but a person can choose.
func (p *planner) ofNewestEpoch(list []*node) ([]*node, bool) {
	l := p.w.lineage()
	newest := l.newest()
	if len(newest) > 1 {
		var seen []string
		for _, e := range newest {
			on := l.where[e]
			if names := l.holders[e]; len(names) > 0 {
				on = listing(names)
			}
			seen = append(seen, fmt.Sprintf("%s on %s", epochName(e), on))
		}
		p.unmet(Unmet{Code: diag.NotHealthy, Goal: p.goalLeader(),
			Reason: sentence("The history of the swarm was split, and neither side follows the other: " + listing(seen)),
			Remedy: "Find out which one is to live on; keep the engines of the other stopped and move its swarm directories aside, then plan again."})
		return nil, false
	}
	var kept []*node
	for _, n := range list {
		r := n.host.SwarmDir.Raft
		if opened(r) && len(newest) == 1 && r.Epoch != newest[0] {
			p.hazard(diag.SurvivorBehind, 0, n.cfg.Name, "%s holds state of %s, which was left: %s is of %s. It is no survivor", n.cfg.Name, epochName(r.Epoch), l.where[newest[0]], epochName(newest[0]))
			continue
		}
		kept = append(kept, n)
	}
	return kept, true
}

func epochName(epoch string) string {
	if epoch == "" {
		return "the first epoch"
	}
	return "the epoch " + epoch
}
