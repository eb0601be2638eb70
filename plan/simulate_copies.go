package plan

import (
	"fmt"
	"slices"
	"time"

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
	// verified are the backups that count, by repository and block, then by ID.
	verified map[string]map[string]bool
}

func (w *world) keeping() keeping {
	k := keeping{raft: map[string]bool{}, fencing: map[string]bool{}, held: map[string]int{}, copies: map[string]bool{}, verified: map[string]map[string]bool{}}
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
	for _, block := range w.cfg.Backups {
		if block.Keep == nil && len(block.Copies) == 0 {
			continue
		}
		for _, name := range block.Places() {
			if r := w.st.Repository(name); r != nil {
				k.counting(w, block.Name, r)
			}
		}
	}
	if w.st.Swarm != nil {
		k.stored++ // on a manager that answers, declared or not
	}
	return k
}

// counting takes a repository's backups of a block that count.
func (k *keeping) counting(w *world, block string, r *state.Repository) {
	// The planner's own now is a moment later, by which one that is dated in the
	// future may count.
	m := w.measure(block, w.st.ObservedAt.Add(time.Hour))
	for i := range r.Backups {
		if fault, _ := m.fault(&r.Backups[i]); fault == "" {
			k.verify(r.Name, block, r.Backups[i].ID)
		}
	}
}

// remove tells whether a cut run's copy is the last place where the state is known
// to be, and takes it out.
func (k *keeping) remove(node, run string) (last bool) {
	key := node + "\x00" + run
	last = k.copies[key] && len(k.copies) == 1 && k.stored == 0
	delete(k.copies, key)
	return last
}

// verify takes a backup among those that count.
func (k *keeping) verify(repository, block, id string) {
	key := repository + "\x00" + block
	if k.verified[key] == nil {
		k.verified[key] = map[string]bool{}
	}
	k.verified[key][id] = true
}

// made takes the backup of a verify step among those that count.
func (k *keeping) made(s Step) { k.verify(s.Repository, s.Backup, or(s.Run, planMade)) }

// planMade is how the backup of a plan's own run is called.
const planMade = "made"

// copied takes a copy among those that count, and tells when there is nothing to copy.
func (k *keeping) copied(s Step) error {
	id := or(s.Copy.ID, planMade)
	if !k.verified[s.Copy.From+"\x00"+s.Backup][id] {
		return fmt.Errorf("step %d: %s of %s is copied, and %s does not hold it", s.ID, id, s.Backup, s.Copy.From)
	}
	k.stored++
	k.verify(s.Repository, s.Backup, id)
	return nil
}

// prune takes out what a step removes, and tells when no verified backup is left.
func (k *keeping) prune(s Step) error {
	list := k.verified[s.Repository+"\x00"+s.Backup]
	for _, j := range s.Prune.Remove {
		if list[j.ID] {
			k.stored--
		}
		delete(list, j.ID)
	}
	if len(list) == 0 {
		return fmt.Errorf("step %d: the last verified backup of %s in %s is removed", s.ID, s.Backup, s.Repository)
	}
	return nil
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
