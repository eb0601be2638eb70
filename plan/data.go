package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// How long a service may take to come back to its scale. A run goes on after it: what
// was read is good, and the label is gone.
const resumeTimeout = 300 * time.Second

// dataGroup is data that is read at one moment: sources that share a service, and the
// services that are down meanwhile.
type dataGroup struct {
	sources  []DataSource
	services []string
	before   []DataCommand
	after    []DataCommand
}

// DataNodesAtOnce is of how many nodes data are read side by side. All of it passes
// through the machine where requeen runs, whose line and memory are what more of them
// would wait for.
const DataNodesAtOnce = 2

// dataGroups joins the sources of a backup that share a service, in the order of the
// block, and those for which nothing is down and no command runs. Others stand alone:
// nobody is to be down longer than for its own data.
func (p *planner) dataGroups(list []schema.Data) []dataGroup {
	var groups []*dataGroup
	for _, d := range list {
		g := &dataGroup{}
		g.take(p.dataSource(d), d)
		var rest []*dataGroup
		for _, other := range groups {
			if !shares(other.services, g.services) && !(other.idle() && g.idle()) {
				rest = append(rest, other)
				continue
			}
			other.join(g)
			g = other
		}
		groups = append(rest, g)
	}
	out := make([]dataGroup, len(groups))
	for i, g := range groups {
		out[i] = *g
	}
	return out
}

// take adds a source; one that is left out keeps no service down and runs no command.
func (g *dataGroup) take(s DataSource, d schema.Data) {
	g.sources = append(g.sources, s)
	if s.LeftOut != "" {
		return
	}
	g.services = append(g.services, d.Quiesce...)
	if d.Before != nil {
		g.before = append(g.before, dataCommand(d, d.Before))
	}
	if d.After != nil {
		g.after = append(g.after, dataCommand(d, d.After))
	}
}

func (g *dataGroup) join(other *dataGroup) {
	g.sources = append(g.sources, other.sources...)
	g.before, g.after = append(g.before, other.before...), append(g.after, other.after...)
	for _, s := range other.services {
		if !contains(g.services, s) {
			g.services = append(g.services, s)
		}
	}
}

// idle tells whether nothing is at rest while the group is read.
func (g *dataGroup) idle() bool { return len(g.services)+len(g.before)+len(g.after) == 0 }

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return contains(b, s) })
}

func dataCommand(d schema.Data, c *schema.Command) DataCommand {
	return DataCommand{Source: d.ID(), Node: d.Node, Service: c.Service, Args: slices.Clone(c.Args), TimeoutSeconds: seconds(d.Timeout)}
}

func (p *planner) dataSource(d schema.Data) DataSource {
	s := DataSource{Kind: d.Kind, Name: d.Name, Node: d.Node, Volume: d.Volume, Path: d.Path, Quiesce: slices.Clone(d.Quiesce),
		TimeoutSeconds: seconds(d.Timeout), Continue: d.OnError == schema.OnErrorContinue, Consistency: state.DataLive}
	switch {
	case len(d.Quiesce) > 0:
		s.Consistency = state.DataQuiesced
	case d.Before != nil:
		s.Consistency = state.DataCommands
	}
	if s.Continue {
		if o := p.dataObstacle(d); o.code != "" {
			s.LeftOut = sentence(o.text)
		}
	}
	return s
}

// dataSteps are the steps on a backup's data. They come before the manager is stopped:
// the services are down only while their own data is read, and what is copied of the
// swarm then holds them at their scale again. fallback is a node for a step of which no
// source's host can be reached.
func (p *planner) dataSteps(n *need, fallback *node) {
	for _, g := range p.dataGroups(n.block.Data) {
		p.dataGroupSteps(n, g, fallback)
	}
}

func (p *planner) dataGroupSteps(n *need, g dataGroup, fallback *node) {
	at, with := p.dataNodes(g, fallback)
	step := func(kind Kind, risk Risk, timeout time.Duration, work DataWork, reason string) {
		p.add(at, Step{Kind: kind, With: with, Backup: n.block.Name, Repository: n.block.Repository, Data: &work, Risk: risk,
			TimeoutSeconds: seconds(timeout), Reason: sentence(reason)})
	}
	names := sourceNames(g.sources)
	longest := g.longest()
	if len(g.services)+len(g.before) > 0 {
		step(Quiesce, Interrupts, g.commandTime(g.before)+longest, DataWork{Services: g.services, Commands: g.before, Sources: g.sources},
			fmt.Sprintf("Backup %s takes %s, which is to be of one moment%s", n.block.Name, names, quiesceWords(g)))
	}
	step(ArchiveData, Safe, g.readTime(), DataWork{Services: g.services, Sources: g.sources}, p.archiveReason(n, g))
	if len(g.services)+len(g.after) > 0 {
		step(Resume, Safe, resumeTimeout+g.commandTime(g.after), DataWork{Services: g.services, Commands: g.after, Sources: g.sources}, resumeReason(g))
	}
}

// dataNodes are the nodes of what is read.
func (p *planner) dataNodes(g dataGroup, fallback *node) (at *node, with []string) {
	for _, s := range g.sources {
		switch {
		case s.LeftOut != "":
		case at == nil:
			at = p.w.node(s.Node)
		case s.Node != at.cfg.Name && !contains(with, s.Node):
			with = append(with, s.Node)
		}
	}
	if at == nil {
		return fallback, nil
	}
	return at, with
}

func (g dataGroup) longest() time.Duration {
	longest := 0
	for _, s := range g.sources {
		longest = max(longest, s.TimeoutSeconds)
	}
	return time.Duration(longest) * time.Second
}

func (g dataGroup) commandTime(list []DataCommand) time.Duration {
	sum := 0
	for _, c := range list {
		sum += c.TimeoutSeconds
	}
	return time.Duration(sum) * time.Second
}

// readTime is what the reading may take: sources of one node one after the other, and of
// no more nodes at once than DataNodesAtOnce, with the time to see that the services are
// down.
func (g dataGroup) readTime() time.Duration {
	perNode, all, most := map[string]int{}, 0, 0
	for _, s := range g.sources {
		perNode[s.Node] += s.TimeoutSeconds
		all += s.TimeoutSeconds
		most = max(most, perNode[s.Node])
	}
	if len(perNode) > DataNodesAtOnce {
		most += (all - most) / DataNodesAtOnce
	}
	return time.Duration(most)*time.Second + time.Minute
}

func sourceNames(list []DataSource) string {
	var names []string
	for _, s := range list {
		names = append(names, fmt.Sprintf("%s %s of %s", s.Kind, s.Name, s.Node))
	}
	return listing(names)
}

func quiesceWords(g dataGroup) string {
	var parts []string
	for _, c := range g.before {
		parts = append(parts, fmt.Sprintf("%s runs %s", commandWords(c), "before"))
	}
	if len(g.services) > 0 {
		parts = append(parts, fmt.Sprintf("%s %s scaled to 0, with the scale to go back to in a label of %s own", listing(g.services), isAre(len(g.services)), itsTheir(len(g.services))))
	}
	return ": " + strings.Join(parts, "; ")
}

func itsTheir(n int) string {
	if n == 1 {
		return "its"
	}
	return "their"
}

// commandWords are a command and where it runs.
func commandWords(c DataCommand) string {
	text := strings.Join(c.Args, " ")
	if c.Service != "" {
		return fmt.Sprintf("%q in a container of %s on %s", text, c.Service, c.Node)
	}
	return fmt.Sprintf("%q on the host %s", text, c.Node)
}

func (p *planner) archiveReason(n *need, g dataGroup) string {
	how := "stored in clear"
	if r := p.w.cfg.Repository(n.block.Repository); r != nil && !r.Plaintext {
		how = "encrypted and stored"
	}
	down := ""
	if len(g.services) > 0 {
		down = ". The services are down for it, and back before any manager is stopped"
	}
	return fmt.Sprintf("%s: read by the host's own tar, %s in repository %s on the way%s", sentenceCase(sourceNames(g.sources)), how, n.block.Repository, down)
}

func resumeReason(g dataGroup) string {
	var parts []string
	if len(g.services) > 0 {
		parts = append(parts, fmt.Sprintf("%s %s the scale that the label records, and the label is removed in the same update", listing(g.services), getGets(len(g.services))))
	}
	for _, c := range g.after {
		parts = append(parts, commandWords(c)+" runs after")
	}
	return strings.Join(parts, "; ")
}

func getGets(n int) string {
	if n == 1 {
		return "gets"
	}
	return "get"
}
