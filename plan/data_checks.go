package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// dataObstacle is why a data source can't be read as it is declared, the zero value
// where nothing that was observed is in the way.
func (p *planner) dataObstacle(d schema.Data) obstacle {
	n := p.w.node(d.Node)
	switch {
	case n == nil:
		return obstacle{diag.DataUnusable, fmt.Sprintf("no node %s is declared", d.Node)}
	case n.host.Looked != state.Present && n.host.Problem != nil:
		return obstacle{diag.DataUnusable, fmt.Sprintf("%s can't be reached: %s", d.Node, told(n.host.Problem.Text))}
	case n.host.Looked != state.Present:
		return obstacle{diag.DataUnusable, d.Node + " was not looked at"}
	case n.doubt != nil:
		return obstacle{n.doubt.Code, fmt.Sprintf("%s is in doubt (%s)", d.Node, n.doubt.Code)}
	}
	if p.w.st.Swarm != nil && d.UsesServices() && !p.inTouch(n) && !p.backByPlan(n) {
		// A task on a node that is gone never says that it has ended, so a service would
		// be waited for in vain.
		return obstacle{diag.DataUnusable, fmt.Sprintf("%s is no node that the swarm sees as ready, so whether its services are at rest can't be seen; once it is, the next plan makes the backup", d.Node)}
	}
	if o := p.serviceObstacle(d); o.code != "" {
		return o
	}
	return volumeObstacle(n, d)
}

// backByPlan tells whether steps of this plan bring the node back before any data is
// read: they wait until the swarm sees it.
func (p *planner) backByPlan(n *node) bool {
	v := p.w.voterOf(n)
	return n.back || v != nil && v.restored
}

func (p *planner) serviceObstacle(d schema.Data) obstacle {
	sw := p.w.st.Swarm
	if sw == nil || sw.Services == nil {
		return obstacle{}
	}
	for _, name := range d.Quiesce {
		switch s := sw.Service(name); {
		case s == nil:
			return obstacle{diag.NoSuchService, fmt.Sprintf("the swarm has no service %s, which quiesce names", name)}
		case s.Waits != "":
			return obstacle{diag.DataUnusable, name + " still waits for data that a restore was to bring back: a backup would hold what is not restored yet"}
		case s.Job():
			return obstacle{diag.NoSuchService, fmt.Sprintf("%s is a job, which has no scale to go back to", name)}
		}
	}
	for _, c := range []*schema.Command{d.Before, d.After} {
		if c != nil && c.Service != "" && sw.Service(c.Service) == nil {
			return obstacle{diag.NoSuchService, fmt.Sprintf("the swarm has no service %s, in which a command is to run", c.Service)}
		}
	}
	return obstacle{}
}

func volumeObstacle(n *node, d schema.Data) obstacle {
	v := n.host.Volume(d.Volume)
	if d.Kind != schema.DataVolume || v == nil {
		return obstacle{}
	}
	switch {
	case v.Looked == state.Absent:
		return obstacle{diag.DataUnusable, fmt.Sprintf("the engine of %s has no volume %s", d.Node, d.Volume)}
	case v.Problem != nil:
		return obstacle{diag.DataUnusable, fmt.Sprintf("the engine of %s does not tell the volume %s: %s", d.Node, d.Volume, told(v.Problem.Text))}
	case v.Looked == state.Present && v.Driver != "local":
		return obstacle{diag.DataUnusable, fmt.Sprintf("the volume %s of %s is of the driver %s, and only files of the driver local can be read", d.Volume, d.Node, v.Driver)}
	case v.Looked == state.Present && !v.Plain():
		return obstacle{diag.DataUnusable, fmt.Sprintf("the volume %s of %s has options of its driver, which mount it only while a container uses it", d.Volume, d.Node)}
	}
	return obstacle{}
}

// dataUnmet is the unmet goal of a backup of which data can't be read that it must have.
func (p *planner) dataUnmet(n *need) *Unmet {
	for _, d := range n.block.Data {
		if d.OnError == schema.OnErrorContinue {
			continue
		}
		if o := p.dataObstacle(d); o.code != "" {
			return &Unmet{Code: o.code, Goal: n.goal(), Node: d.Node,
				Reason: fmt.Sprintf("%s. It takes %s, which can't be read: %s.", sentenceCase(n.reason), d.ID(), o.text), Remedy: remedy(o.code)}
		}
	}
	return nil
}

// lacking are the declared data sources that a backup does not hold; one that was left
// out because it could not be read is not among them.
func lacking(block schema.Backup, b *state.Backup) []string {
	have := map[string]bool{}
	for _, d := range b.Data {
		have[d.ID()] = true
	}
	var list []string
	for _, d := range block.Data {
		if !have[d.ID()] {
			list = append(list, d.ID())
		}
	}
	return list
}

// dataHazards tells of a step on data what it does to the applications.
func (p *planner) dataHazards(s Step) {
	switch s.Kind {
	case Quiesce:
		p.quiesceHazards(s)
	case ArchiveData:
		p.archiveHazards(s)
	case Resume:
		if s.Backup == "" {
			p.hazard(diag.ServicesAtRest, s.ID, "", "%s %s at rest since a run was cut", listing(s.Data.Services), isAre(len(s.Data.Services)))
		}
	}
}

func (p *planner) quiesceHazards(s Step) {
	if len(s.Data.Services) > 0 {
		p.hazard(diag.ServicesStop, s.ID, "", "%s %s down while %s %s read, for %s at most", listing(s.Data.Services), isAre(len(s.Data.Services)),
			sourceNames(s.Data.Sources), isAre(len(s.Data.Sources)), span(dataGroup{sources: s.Data.Sources}.readTime()))
	}
	if p.w.st.Swarm == nil {
		return
	}
	for _, name := range s.Data.Services {
		if v := p.w.st.Swarm.Service(name); v != nil && v.Mode == "global" {
			p.hazard(diag.GlobalStops, s.ID, "", "%s is global: it is taken from every node meanwhile", name)
		}
	}
}

func (p *planner) archiveHazards(s Step) {
	for _, d := range s.Data.Sources {
		switch {
		case d.LeftOut != "":
			p.hazard(diag.DataLeftOut, s.ID, d.Node, "%s is not in the backup: %s", d.ID(), told(d.LeftOut))
		case d.Consistency == state.DataLive:
			p.hazard(diag.DataWhileWritten, s.ID, d.Node, "%s of %s is read while it may be written to", d.ID(), d.Node)
		}
	}
}
