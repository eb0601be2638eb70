package plan

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/state"
)

// keeping is where the swarm's state lies while the plan runs, and who is kept from
// starting by it.
type keeping struct {
	raft    map[string]bool // by node name: raft state lies in its place
	fencing map[string]bool // by node name: a declared manager that can be held
	held    map[string]int  // node name -> the step that holds it
	copies  map[string]bool // of cut runs, whole ones, by node name and run
	stored  int             // verified backups, and swarm directories that are whole
}

func (w *world) keeping() keeping {
	k := keeping{raft: map[string]bool{}, fencing: map[string]bool{}, held: map[string]int{}, copies: map[string]bool{}}
	for _, n := range w.nodes {
		name := n.cfg.Name
		k.raft[name] = n.host.SwarmDir.HasRaft
		k.fencing[name] = n.manager() && n.fenceable()
		if n.host.SwarmDir.Complete() {
			k.stored++
		}
		for _, r := range n.host.Runs {
			if r.CopyIntact {
				k.copies[name+"\x00"+r.ID] = true
			}
		}
	}
	for _, r := range w.st.Repositories {
		for _, b := range r.Backups {
			if b.Problem == nil && b.Verified != "" && b.Cluster == w.cfg.Cluster.Name {
				k.stored++
			}
		}
	}
	if w.st.Swarm != nil {
		k.stored++ // on a manager that answers, declared or not
	}
	return k
}

// remove tells whether a cut run's copy is the last place where the state is known
// to be, and takes it out.
func (k *keeping) remove(node, run string) (last bool) {
	key := node + "\x00" + run
	last = k.copies[key] && len(k.copies) == 1 && k.stored == 0
	delete(k.copies, key)
	return last
}

// fenceable tells whether a host can be kept from taking part in the old swarm.
func (n *node) fenceable() bool {
	return n.doubt == nil && n.host.Looked == state.Present && n.host.Service.Unit != ""
}

// checkUnfenced tells of a manager that a forced cluster neither fences nor probes:
// it could be a second swarm with the same ID (safety rule 10).
func checkUnfenced(p *Plan, w *world) error {
	if p.Recovery == nil {
		return nil
	}
	for _, s := range p.Steps {
		if s.Kind != Init {
			continue
		}
		for _, n := range w.managers() {
			name := n.cfg.Name
			named := slices.ContainsFunc(p.Recovery.Unfenced, func(u Unfenced) bool { return u.Node == name })
			if name != s.Node && !n.fenceable() && !named {
				return fmt.Errorf("step %d: %s can't be fenced, and is not probed before %s is forced: two clusters with one ID", s.ID, name, s.Node)
			}
		}
	}
	return nil
}
