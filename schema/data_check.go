package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// defaultDataRoot is an engine's data root where data_root says nothing.
const defaultDataRoot = "/var/lib/docker"

// checkData looks at what a data source can't know of the nodes and of the others.
func (l *loader) checkData(b Backup, places []dataPlaces) {
	first := map[string]hcl.Range{}
	for i, d := range b.Data {
		at := places[i]
		what := d.Volume + d.Path
		if d.Node == "" || what == "" {
			continue
		}
		key := d.Kind + " " + d.Node + " " + what
		if one, again := first[key]; again {
			l.err(at.label, "Data that is taken twice", fmt.Sprintf("%s %q of %s is what the block at %s takes.", d.Kind, what, d.Node, place(one)), "Remove one of the two blocks.")
		} else {
			first[key] = at.label
		}
		l.checkDataNode(d, at)
	}
}

func (l *loader) checkDataNode(d Data, at dataPlaces) {
	n := l.cfg.Node(d.Node)
	switch {
	case n == nil && !l.broken && !l.nodesUnknown:
		var names []string
		for _, d := range l.nodes {
			names = append(names, d.Name)
		}
		l.err(at.node, "Unknown node", fmt.Sprintf("No node %q is declared.", d.Node), suggest(d.Node, names))
	case n == nil:
	case n.Connection.None:
		l.err(at.node, "Data of a node that can't be reached", fmt.Sprintf("%q has connection { none = true }, and its data is read on its host.", d.Node), "Give it a connection.")
	case d.Path != "":
		root := n.Engine.DataRoot
		if root == "" {
			root = defaultDataRoot
		}
		if swarm := root + "/swarm"; within(d.Path, swarm) || within(swarm, d.Path) {
			l.err(at.path, "Directory that overlaps the swarm's", fmt.Sprintf("The swarm's state, with its keys, is in %s on %s; the backup takes it by itself, whole.", swarm, d.Node), "Name another directory.")
		}
	}
}
