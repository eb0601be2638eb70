package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// running tells what the new cluster does to what runs (safety rule 15): it
// compares the tasks of the state that is brought back, nil where they could not
// be read, with the containers on every host.
func (p *planner) running(store *state.Store) {
	step := 0
	for _, s := range p.plan.Steps {
		if s.Kind == Init {
			step = s.ID
		}
	}
	p.unknownContainers(step, store)
	if store == nil {
		return
	}
	p.plan.Recovery.Containers = p.endings(store)
	p.endingHazards(step, p.plan.Recovery.Containers)
	p.repeatHazards(step, store)
	p.sharedHazards(step, store)
}

// endings are the containers that end, sorted by node and name.
func (p *planner) endings(store *state.Store) []Ending {
	tasks := map[string]state.Task{}
	for _, t := range store.Tasks {
		tasks[t.ID] = t
	}
	services := map[string]bool{}
	for _, s := range store.Services {
		services[s.ID] = true
	}
	stopped := map[string]bool{} // whose engine the plan stops
	for _, s := range p.plan.Steps {
		stopped[s.Node] = stopped[s.Node] || s.Kind == Hold || s.Kind == Fence
	}
	var list []Ending
	for _, n := range p.w.nodes {
		for _, c := range n.host.Containers {
			e := Ending{Node: n.cfg.Name, Container: c.ID, Name: c.Name, Service: c.ServiceName, Task: c.TaskID, Running: isUp(c), Restarts: services[c.ServiceID]}
			t, known := tasks[c.TaskID]
			switch {
			case !known || t.NodeID != n.nodeID():
				e.Fate, e.AnonymousVolumes = FateRemoved, slices.Clone(c.AnonymousVolumes)
			case e.Running && (stopped[n.cfg.Name] || t.DesiredState == "shutdown" || t.DesiredState == "remove"):
				e.Fate = FateStopped
			default:
				continue
			}
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b Ending) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Name, b.Name)) })
	return list
}

func isUp(c state.Container) bool {
	return c.State == "running" || c.State == "paused" || c.State == "restarting"
}

func (p *planner) endingHazards(step int, list []Ending) {
	var hosts []string
	volumes, of := 0, []string{}
	for len(list) > 0 {
		node := list[0].Node
		var removed, replaced []string
		stopped := 0
		for ; len(list) > 0 && list[0].Node == node; list = list[1:] {
			e := list[0]
			if volumes += len(e.AnonymousVolumes); len(e.AnonymousVolumes) > 0 {
				of = append(of, e.Name+" on "+e.Node)
			}
			switch {
			case e.Fate == FateRemoved && e.Running && e.Restarts:
				replaced = append(replaced, e.Name)
			case e.Fate == FateRemoved && e.Running:
				removed = append(removed, e.Name)
			case e.Fate == FateStopped:
				stopped++
			}
		}
		if text := endingText(node, removed, replaced, stopped); text != "" {
			hosts = append(hosts, text)
		}
	}
	if len(hosts) > 0 {
		p.hazard(diag.ContainersEnd, step, "", "Of what runs now these end. %s", strings.Join(hosts, ". "))
	}
	if volumes > 0 {
		p.hazard(diag.VolumesKept, step, "", "%s would go with the containers that are removed, and %s kept: those of %s", counted(volumes, "anonymous volume", "anonymous volumes"), isAre(volumes), few(of))
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func endingText(host string, removed, replaced []string, stopped int) string {
	var parts []string
	if len(removed) > 0 {
		parts = append(parts, fmt.Sprintf("%s of services that the state does not have: %s", counted(len(removed), "container", "containers"), few(removed)))
	}
	if len(replaced) > 0 {
		parts = append(parts, fmt.Sprintf("%s of tasks that the state does not know, of services that it starts again: %s", counted(len(replaced), "container", "containers"), few(replaced)))
	}
	if stopped > 0 {
		parts = append(parts, fmt.Sprintf("%s that the new cluster starts again", counted(stopped, "container", "containers")))
	}
	if len(parts) == 0 {
		return ""
	}
	return host + ": " + strings.Join(parts, "; ")
}

// few names up to three of a list, and counts the rest.
func few(names []string) string {
	if len(names) <= 3 {
		return listing(names)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
}

// over tells whether a task has come to its end, or is to.
func over(t state.Task) bool {
	switch t.State {
	case "complete", "shutdown", "failed", "rejected", "remove", "orphaned":
		return true
	}
	return t.DesiredState == "shutdown" || t.DesiredState == "remove"
}

// repeatHazards tells of jobs that had not ended and of which no container is left
// that says how they did, and of updates.
func (p *planner) repeatHazards(step int, store *state.Store) {
	seen := map[string]bool{}
	for _, n := range p.w.nodes {
		for _, c := range n.host.Containers {
			seen[c.TaskID] = true
		}
	}
	again := map[string]bool{}
	for _, t := range store.Tasks {
		if t.Job && !over(t) && !seen[t.ID] {
			again[t.ServiceID] = true
		}
	}
	var jobs, updates, parts []string
	for _, s := range store.Services {
		if again[s.ID] {
			jobs = append(jobs, s.Name)
		}
		if s.Updating {
			updates = append(updates, s.Name)
		}
	}
	if len(jobs) > 0 {
		parts = append(parts, fmt.Sprintf("%s had not ended, and may run again: %s", counted(len(jobs), "job", "jobs"), few(jobs)))
	}
	if len(updates) > 0 {
		parts = append(parts, fmt.Sprintf("%s was under way, and resumes: %s", counted(len(updates), "update", "updates"), few(updates)))
	}
	if len(parts) > 0 {
		p.hazard(diag.WorkRepeats, step, "", "In the state that is brought back %s", strings.Join(parts, "; "))
	}
}

// sharedHazards tells of nodes that can't be reached, assumed dead or not, whose
// tasks write to places that their replacements may see too.
func (p *planner) sharedHazards(step int, store *state.Store) {
	services := map[string]state.StoreService{}
	for _, s := range store.Services {
		if s.Moves && len(s.Writable) > 0 {
			services[s.ID] = s
		}
	}
	tasks, known := map[string][]state.Task{}, knownNodes(store)
	for _, t := range store.Tasks {
		if _, writes := services[t.ServiceID]; writes && !over(t) {
			tasks[t.NodeID] = append(tasks[t.NodeID], t)
		}
	}
	for _, n := range p.w.nodes {
		if n.host.Looked != state.Absent || p.inTouch(n) {
			continue
		}
		var places []string
		for _, id := range known.of(n) {
			for _, t := range tasks[id] {
				for _, m := range services[t.ServiceID].Writable {
					if text := fmt.Sprintf("%s (%s)", m.Source, services[t.ServiceID].Name); !contains(places, text) {
						places = append(places, text)
					}
				}
			}
		}
		if len(places) > 0 {
			p.hazard(diag.SharedMounts, step, n.cfg.Name, "%s can't be reached, so it is not proved dead: its containers may go on writing while their replacements start, to %s", n.cfg.Name, few(places))
		}
	}
}

// inTouch tells whether a living swarm sees a node that can't be reached from here.
func (p *planner) inTouch(n *node) bool { return n.member != nil && n.member.Status == "ready" }

// logNodes are the nodes that a log knows, by address and by hostname.
type logNodes struct{ at, named map[string][]string }

func knownNodes(store *state.Store) logNodes {
	l := logNodes{map[string][]string{}, map[string][]string{}}
	for _, id := range slices.Sorted(maps.Keys(store.Nodes)) {
		n := store.Nodes[id]
		at := canonical(hostOf(n.Addr))
		l.at[at], l.named[n.Hostname] = append(l.at[at], id), append(l.named[n.Hostname], id)
	}
	return l
}

// of are the IDs by which a log knows a declared node: by the ID, else by address or
// hostname, for its host says nothing.
func (l logNodes) of(n *node) []string {
	switch own := n.nodeID(); {
	case n.member != nil:
		return []string{n.member.ID}
	case own != "":
		return []string{own}
	}
	list := slices.Clone(l.named[n.cfg.Name])
	if net.ParseIP(n.cfg.Address) != nil {
		list = append(list, l.at[canonical(n.cfg.Address)]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// unknownContainers says what could not be compared.
func (p *planner) unknownContainers(step int, store *state.Store) {
	var hosts []string
	for _, n := range p.w.nodes {
		if n.host.ContainersLooked != state.Present && n.host.Service.ActiveState != "inactive" && n.host.SwarmDir.Presence != state.Absent {
			hosts = append(hosts, n.cfg.Name)
		}
	}
	switch {
	case store == nil:
		p.hazard(diag.ContainersUnknown, step, "", "The tasks of the state that is brought back could not be read here, so which containers end is not known")
	case len(hosts) > 0:
		p.hazard(diag.ContainersUnknown, step, "", "The containers could not be looked at on %s: there the new cluster ends what it does not know", listing(hosts))
	}
}

// othersEnd tells of containers that are not the swarm's and end with a survivor's
// engine: those of tasks are among the endings. Forcing the engine as it runs would
// save no task: it removes those of the swarm all the same, and waits for an election
// (experiments.md in internal/raftdir).
func (p *planner) othersEnd(step int, n *node) {
	if n.host.ContainersLooked != state.Present {
		return // which is told
	}
	others := n.host.Engine.Containers
	for _, c := range n.host.Containers {
		if isUp(c) {
			others--
		}
	}
	if others > 0 {
		p.hazard(diag.TasksOnManager, step, n.cfg.Name, "%s on %s when its engine stops; afterwards only what has a restart policy comes back by itself",
			counted(others, "container that is not of the swarm ends", "containers that are not of the swarm end"), n.cfg.Name)
	}
}
