package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/requeen/requeen/plan"
)

// frame is the cluster at one moment of a plan.
type frame struct {
	after   int // the step's place, counted from 1; 0 is before the first
	nodes   []plan.PictureNode
	workers []plan.PictureWorkers
	margin  plan.Margin
	changed map[string]bool // by name, of the step before it
}

// frames gives the cluster before the first step and after each step that is asked
// for; wanted is told the places of the steps that change something. It is empty for
// a plan without a picture.
func frames(p *plan.Plan, wanted func(place int, changes bool) bool) []frame {
	if p.Picture == nil {
		return nil
	}
	nodes, zones := map[string]plan.PictureNode{}, map[string]string{}
	for _, n := range p.Picture.Nodes {
		nodes[n.Name], zones[n.Name] = n, n.Zone
	}
	workers, changes := p.Picture.Workers, p.Picture.Changes
	list := []frame{{nodes: sortedNodes(nodes), workers: workers, margin: counted(nodes)}}
	for i, step := range p.Steps {
		changed := map[string]bool{}
		news := len(changes) > 0 && changes[0].Step == step.ID
		if news {
			for _, n := range changes[0].Nodes {
				n.Zone = zones[n.Name]
				nodes[n.Name], changed[n.Name] = n, true
			}
			if changes[0].Workers != nil {
				workers = changes[0].Workers
			}
			changes = changes[1:]
		}
		if wanted(i+1, news) {
			list = append(list, frame{i + 1, sortedNodes(nodes), workers, step.Margin, changed})
		}
	}
	return list
}

// counted is the margin of what was observed, which no step tells.
func counted(nodes map[string]plan.PictureNode) plan.Margin {
	var m plan.Margin
	for _, n := range nodes {
		if n.Part != plan.PartManager {
			continue
		}
		m.Managers++
		if n.Look == plan.LookUp {
			m.Up++
		}
	}
	m.Quorum = m.Managers/2 + 1
	m.Spare = m.Up - m.Quorum
	return m
}

func sortedNodes(nodes map[string]plan.PictureNode) []plan.PictureNode {
	list := slices.Collect(maps.Values(nodes))
	slices.SortFunc(list, func(a, b plan.PictureNode) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// moment says when a frame is.
func (f frame) moment(p *plan.Plan) string {
	switch {
	case len(p.Steps) == 0:
		return "Now"
	case f.after == 0:
		return "Before"
	case f.after == len(p.Steps):
		return "At the end"
	}
	return fmt.Sprintf("After step %d", p.Steps[f.after-1].ID)
}

// part are the nodes of a frame that are of one part, in one zone.
func (f frame) part(part plan.Part, zone string) []plan.PictureNode {
	var list []plan.PictureNode
	for _, n := range f.nodes {
		if n.Part == part && (n.Zone == zone || part == plan.PartOutside) {
			list = append(list, n)
		}
	}
	return list
}

// zones are the zones that members of the swarm have, sorted.
func (f frame) zones() []string {
	seen := map[string]bool{}
	for _, n := range f.nodes {
		if n.Part != plan.PartOutside {
			seen[n.Zone] = true
		}
	}
	for _, w := range f.workers {
		seen[w.Zone] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// leader is the name of the manager that leads, empty where none is seen to.
func (f frame) leader() string {
	var names []string
	for _, n := range f.nodes {
		if n.Leader {
			names = append(names, n.Name)
		}
	}
	return strings.Join(names, " and ")
}

// tell says the frame in words, for who does not see it.
func (f frame) tell() string {
	var parts []string
	for _, n := range f.nodes {
		word := string(n.Look)
		if n.Leader {
			word += ", leads"
		}
		switch {
		case n.Part == plan.PartManager:
			parts = append(parts, "manager "+n.Name+": "+word)
		case n.Part == plan.PartWorker:
			parts = append(parts, "worker "+n.Name+": "+word)
		case n.Look != plan.LookOut && n.Look != plan.LookRemoved:
			parts = append(parts, n.Name+": outside the swarm, "+word)
		default:
			parts = append(parts, n.Name+": "+word)
		}
	}
	const most = 24
	if len(parts) > most {
		parts = append(parts[:most], count(len(parts)-most, "more node", "more nodes"))
	}
	if text := tally(f.workers); text != "" {
		parts = append(parts, text)
	}
	return Margin(f.margin) + ". " + strings.Join(parts, "; ") + "."
}

// tally counts workers by how they stand: "workers: 5 up, 1 down".
func tally(groups []plan.PictureWorkers) string {
	sum := map[plan.Look]int{}
	for _, g := range groups {
		sum[g.Look] += g.Count
	}
	var parts []string
	for _, look := range slices.Sorted(maps.Keys(sum)) {
		parts = append(parts, count(sum[look], string(look), string(look)))
	}
	slices.SortStableFunc(parts, func(a, b string) int { // what is up goes first
		return boolInt(strings.HasSuffix(b, " up")) - boolInt(strings.HasSuffix(a, " up"))
	})
	if len(parts) == 0 {
		return ""
	}
	return "workers: " + strings.Join(parts, ", ")
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// thinnest is the place of the step after which the fewest managers could still
// fail, the first of several; 0 where none is thinner than both ends.
func thinnest(p *plan.Plan) int {
	if len(p.Steps) == 0 || p.Picture == nil {
		return 0
	}
	nodes := map[string]plan.PictureNode{}
	for _, n := range p.Picture.Nodes {
		nodes[n.Name] = n
	}
	place, least := 0, min(counted(nodes).Spare, p.Steps[len(p.Steps)-1].Margin.Spare)
	for i, s := range p.Steps {
		if s.Margin.Spare < least {
			place, least = i+1, s.Margin.Spare
		}
	}
	return place
}
