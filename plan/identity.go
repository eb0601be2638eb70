package plan

import (
	"fmt"
	"sort"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// identity is the swarm ID of the cluster that the configuration means.
type identity struct {
	id       string // "" when nothing tells it
	declared bool   // cluster.id says it
	problem  *Unmet // it is in doubt: nothing is planned at all
}

// sighting is a swarm ID with the place where it was seen.
type sighting struct{ id, where string }

// identify finds the cluster's swarm ID: declared, else on the hosts, else in
// the repositories, if all that is seen agrees (decisions.md, Identity).
func identify(cfg *schema.Config, st *state.State) identity {
	live, stored := liveSightings(cfg, st), storedSightings(cfg, st)
	if want := cfg.Cluster.ID; want != "" {
		id := identity{id: want, declared: true}
		if st.Swarm != nil && st.Swarm.ID != want {
			id.problem = &Unmet{Code: diag.WrongCluster, Goal: goalCluster(cfg), Node: st.Swarm.SeenFrom,
				Reason: fmt.Sprintf("The swarm that answers on %s has the ID %s; cluster.id says %s. Nothing is planned.", or(st.Swarm.SeenFrom, "a host"), st.Swarm.ID, want),
				Remedy: remedy(diag.WrongCluster)}
		}
		return id
	}
	seen := append(append([]sighting(nil), live...), stored...)
	if len(seen) == 0 {
		return identity{}
	}
	if !unanimous(seen) {
		return identity{problem: &Unmet{Code: diag.TwoClusters, Goal: goalCluster(cfg),
			Reason: fmt.Sprintf("More than one swarm ID is seen: %s. Nothing says which one is meant, so nothing is planned.", places(seen)),
			Remedy: remedy(diag.TwoClusters)}}
	}
	return identity{id: seen[0].id}
}

func goalCluster(cfg *schema.Config) string {
	return fmt.Sprintf("know which swarm the cluster %q is", cfg.Cluster.Name)
}

func liveSightings(cfg *schema.Config, st *state.State) []sighting {
	var seen []sighting
	add := func(id, where string) {
		if id != "" {
			seen = append(seen, sighting{id, where})
		}
	}
	if st.Swarm != nil {
		add(st.Swarm.ID, or(st.Swarm.SeenFrom, "the swarm"))
	}
	declared := map[string]bool{}
	for _, n := range cfg.Nodes {
		declared[n.Name] = true
	}
	for i := range st.Hosts {
		if h := &st.Hosts[i]; h.Looked == state.Present && declared[h.Name] {
			add(h.Engine.ClusterID, h.Name)
			add(h.SwarmDir.ClusterID, h.Name)
		}
	}
	return seen
}

// storedSightings are the IDs in readable manifests under the cluster's label.
func storedSightings(cfg *schema.Config, st *state.State) []sighting {
	var seen []sighting
	for _, r := range st.Repositories {
		for _, b := range r.Backups {
			if b.Problem == nil && b.SwarmID != "" && b.Cluster == cfg.Cluster.Name {
				seen = append(seen, sighting{b.SwarmID, "backups in repository " + r.Name})
			}
		}
	}
	return seen
}

func unanimous(seen []sighting) bool {
	for _, s := range seen {
		if s.id != seen[0].id {
			return false
		}
	}
	return true
}

// places says which ID was seen where, each place once, IDs in order.
func places(seen []sighting) string {
	at := map[string][]string{}
	var ids []string
	for _, s := range seen {
		if _, known := at[s.id]; !known {
			ids = append(ids, s.id)
		}
		if !contains(at[s.id], s.where) {
			at[s.id] = append(at[s.id], s.where)
		}
	}
	sort.Strings(ids)
	var parts []string
	for _, id := range ids {
		parts = append(parts, id+" on "+listing(at[id]))
	}
	return listing(parts)
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// remedy is the table's remedy for a code.
func remedy(code string) string {
	c, _ := diag.Lookup(code)
	return c.Remedy
}
