package plan

import (
	"maps"
	"slices"
	"sort"
)

// stages replays a finished plan through the simulation and keeps what is to be seen
// of it. It looks at a node only where a step can have changed it, so that a plan of
// many steps over many workers costs no more than the plan itself.
type stages struct {
	w     *world
	sim   *simulation
	nodes map[string]*staged // by name
	ids   map[string]string  // the swarm's ID -> name
	// managers are the names of those that count for the quorum.
	managers map[string]bool
	rest     map[PictureWorkers]int
	named    int  // workers that steps touch and that are drawn by their names
	untold   bool // what is counted has changed since it was told
}

// staged is a node as it was seen last.
type staged struct {
	PictureNode
	id      string // the swarm's, as the simulation has it
	counted bool   // in rest, not by its name
}

// picture is the picture of a finished plan, from a simulation that was begun before
// the planner marked anything as brought back.
func (w *world) picture(p *Plan, before *simulation) *Picture {
	s := &stages{w: w, sim: before, nodes: map[string]*staged{}, ids: map[string]string{}, managers: map[string]bool{}, rest: map[PictureWorkers]int{}}
	s.sim.givenUp = p.Recovery != nil && p.Recovery.Asked
	s.begin(p)
	pic := &Picture{Nodes: s.all(), Workers: s.workers()}
	for i, step := range p.Steps {
		_ = s.sim.step(step) // checkFrom has proved that it breaks nothing
		c := PictureChange{Step: step.ID}
		if !unseen[step.Kind] && step.DataRestore == nil {
			c.Nodes = s.after(step)
		}
		if s.untold && (len(c.Nodes) > 0 || i == len(p.Steps)-1 || s.named < mostNamed) {
			c.Workers, s.untold = s.workers(), false
		}
		if len(c.Nodes) > 0 || c.Workers != nil {
			pic.Changes = append(pic.Changes, c)
		}
	}
	return pic
}

// unseen are the kinds after which every node stands as it stood.
var unseen = map[Kind]bool{Archive: true, Verify: true, CleanUp: true, Retain: true, Save: true, Prepare: true, Restore: true, UpdateNode: true,
	UpdateSwarm: true, RotateJoinTokens: true, RotateUnlockKey: true, Check: true, Rebalance: true, PruneBackups: true, CopyBackup: true, PutSchedule: true, TakeSchedule: true,
	Quiesce: true, ArchiveData: true, Resume: true}

// begin takes over what was observed.
func (s *stages) begin(p *Plan) {
	touched := touchedBy(p)
	for _, v := range s.w.voters {
		s.put(s.voter(v), v.id)
	}
	members := map[string]bool{}
	for _, n := range s.w.nodes {
		if n.member != nil {
			members[n.member.ID] = true
		}
		if s.nodes[n.cfg.Name] != nil {
			continue
		}
		s.worker(s.declared(n), or(n.nodeID(), n.state.NodeID), n.manager(), touched[n.cfg.Name])
	}
	if s.w.st.Swarm == nil {
		return
	}
	for i := range s.w.st.Swarm.Nodes { // what is not declared
		m := &s.w.st.Swarm.Nodes[i]
		if members[m.ID] || s.ids[m.ID] != "" {
			continue
		}
		s.worker(PictureNode{Name: entryName(m), Part: PartWorker, Look: lookOf(m), Zone: zoneOf(m.Labels)}, m.ID, false, touched[m.ID])
	}
}

// mostNamed is how many workers that steps touch are drawn each by its name. More
// are counted, and what becomes of them is told with what is named, and at the end:
// so a picture stays small beside its plan.
const mostNamed = 200

// worker puts a node that is no manager of the swarm among those that are named, or
// among those that are counted.
func (s *stages) worker(n PictureNode, id string, manager, touched bool) {
	if manager || touched && s.named < mostNamed {
		if !manager {
			s.named++
		}
		s.put(n, id)
		return
	}
	s.rest[groupOf(n)]++
	if touched {
		s.put(n, id).counted = true
	}
}

// groupOf is the group in which a node is counted.
func groupOf(n PictureNode) PictureWorkers { return PictureWorkers{Zone: n.Zone, Look: n.Look} }

// fewAwaited is up to how many workers that are only waited for are drawn each by
// its name; more are counted, so that a plan does not grow with its swarm.
const fewAwaited = 12

// touchedBy are the names and entries that the steps are about.
func touchedBy(p *Plan) map[string]bool {
	touched := map[string]bool{}
	for _, step := range p.Steps {
		if step.Kind == Await && len(step.With) >= fewAwaited {
			continue
		}
		touched[step.Node], touched[step.Entry] = true, true
		for _, name := range step.With {
			touched[name] = true
		}
	}
	return touched
}

// put adds a node; one whose name is taken is called by its ID too.
func (s *stages) put(n PictureNode, id string) *staged {
	if s.nodes[n.Name] != nil {
		n.Name += " (" + id + ")"
	}
	node := &staged{PictureNode: n, id: id}
	s.nodes[n.Name] = node
	if n.Part == PartManager {
		s.managers[n.Name] = true
	}
	if id != "" {
		s.ids[id] = n.Name
	}
	return node
}

// after looks at what a step can have changed: the managers, before and after it,
// and the nodes that it names. It gives those that are named and not as they were.
func (s *stages) after(step Step) []PictureNode {
	var changed []PictureNode
	voters := map[string]bool{}
	for _, id := range s.sim.order {
		voters[id] = true
	}
	seen := map[string]bool{}
	look := func(name string, named bool) {
		n := s.nodes[name]
		if n == nil || seen[name] {
			return
		}
		seen[name] = true
		if id := s.sim.byName[name]; id != "" && n.id != id {
			n.id, s.ids[id] = id, name
		}
		if now := s.now(n, step, voters[n.id], named); now != n.PictureNode {
			if told := s.becomes(n, now); told {
				now.Zone = "" // it stays, and is told once
				changed = append(changed, now)
			}
		}
	}
	for _, name := range s.namedBy(step) {
		look(name, true)
	}
	for id := range voters {
		look(s.ids[id], false)
	}
	for name := range maps.Clone(s.managers) {
		look(name, false)
	}
	if step.Kind == Start || step.Kind == Unlock || step.Kind == Await {
		s.workersBack()
	}
	sort.Slice(changed, func(i, j int) bool { return changed[i].Name < changed[j].Name })
	return changed
}

// becomes takes over how a node stands now, and tells whether it is told by its name.
func (s *stages) becomes(n *staged, now PictureNode) bool {
	if n.counted && now.Part != PartManager {
		s.recount(groupOf(n.PictureNode), groupOf(now), 1)
		n.PictureNode = now
		return false
	}
	if n.counted { // it was a worker that was counted
		s.recount(groupOf(n.PictureNode), PictureWorkers{}, 1)
		n.counted = false
	}
	if delete(s.managers, n.Name); now.Part == PartManager {
		s.managers[n.Name] = true
	}
	n.PictureNode = now
	return true
}

// recount moves workers from one group to another; to no group where that is empty.
func (s *stages) recount(from, to PictureWorkers, count int) {
	s.untold = true
	if s.rest[from] -= count; s.rest[from] <= 0 {
		delete(s.rest, from)
	}
	if to != (PictureWorkers{}) {
		s.rest[to] += count
	}
}

// namedBy are the names of the nodes that a step is about.
func (s *stages) namedBy(step Step) []string {
	if step.Node == "" {
		return []string{s.ids[step.Entry]}
	}
	return append([]string{step.Node}, step.With...)
}

// workersBack brings the workers that are only counted back once a quorum is there
// that they waited for.
func (s *stages) workersBack() {
	if s.sim.margin().Spare < 0 {
		return
	}
	for group, count := range maps.Clone(s.rest) {
		if group.Look == LookWaits {
			s.recount(group, PictureWorkers{Zone: group.Zone, Look: LookUp}, count)
		}
	}
}

func (s *stages) all() []PictureNode {
	list := []PictureNode{}
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		if n := s.nodes[name]; !n.counted {
			list = append(list, n.PictureNode)
		}
	}
	return list
}

func (s *stages) workers() []PictureWorkers {
	list := []PictureWorkers{}
	for group, count := range s.rest {
		group.Count = count
		list = append(list, group)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Zone != list[j].Zone {
			return list[i].Zone < list[j].Zone
		}
		return list[i].Look < list[j].Look
	})
	return list
}
