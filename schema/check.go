package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// check looks at what one block can't know of the others, and puts everything
// into its order.
func (l *loader) check() {
	l.checkNodes()
	l.checkManagers()
	for _, d := range l.nodes {
		l.cfg.Nodes = append(l.cfg.Nodes, d.Node)
	}
	slices.SortStableFunc(l.cfg.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(l.cfg.Repositories, func(a, b Repository) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(l.cfg.Backups, func(a, b Backup) int { return strings.Compare(a.Name, b.Name) })
	for _, b := range l.cfg.Backups {
		l.checkBackup(b, l.backupAt[b.Name])
	}
	l.checkRecovery()
	l.checkOneMachine()
}

// checkNodes tells of two nodes that are one.
func (l *loader) checkNodes() {
	names, addresses, targets := map[string]declared{}, map[string]declared{}, map[string]declared{}
	var local *declared
	for i, d := range l.nodes {
		if first, again := names[d.Name]; again {
			l.err(d.name, "Name used twice", fmt.Sprintf("There is a node %q at %s; names are unique over all node blocks, for_each's keys among them.", d.Name, place(first.name)), "Rename one of them.")
			continue
		}
		names[d.Name] = d
		sameAddress := false
		if first, again := addresses[d.Address]; again && d.Address != "" {
			sameAddress = true
			l.err(d.address, "Two nodes with one address", fmt.Sprintf("%q has %s, which is also the address of %q at %s.", d.Name, d.Address, first.Name, place(first.address)), "Correct one of the addresses.")
		}
		if !sameAddress {
			addresses[d.Address] = d
		}
		key := fmt.Sprintf("%s|%d", strings.ToLower(d.Connection.SSH.Host), d.Connection.SSH.Port)
		if first, again := targets[key]; again && d.okTarget && !sameAddress {
			l.err(d.target, "Two nodes with one ssh target", fmt.Sprintf("%q and %q (%s) are both reached at %s: one machine would be counted twice.", first.Name, d.Name, place(first.target), d.Connection.SSH), "Correct one of the targets.")
		}
		if _, again := targets[key]; d.okTarget && !again {
			targets[key] = d
		}
		if !d.Connection.Local {
			continue
		}
		if local != nil {
			l.err(d.target, "Two nodes on this machine", fmt.Sprintf("%q at %s has local = true as well.", local.Name, place(local.target)), "Reach one of them by ssh.")
			continue
		}
		local = &l.nodes[i]
	}
}

// checkManagers tells of numbers of managers that do not do what they seem to.
func (l *loader) checkManagers() {
	var managers []declared
	for _, d := range l.nodes {
		if d.Role != RoleManager {
			continue
		}
		managers = append(managers, d)
		if d.Connection.None {
			l.warnAt(d, "Manager without a connection", fmt.Sprintf("%q can neither be looked at nor be chosen for a backup or a recovery.", d.Name), "Give it a connection.")
		}
	}
	if l.broken || l.nodesUnknown || l.rolesUnknown {
		return
	}
	n := len(managers)
	switch {
	case n == 0:
		l.errFile("", "No manager", "No node with role = \"manager\" is declared, so there is nothing to look at or to back up.", "Declare the swarm's managers.")
	case n > 7:
		l.warnAt(managers[7], "More than seven managers", fmt.Sprintf("Each of the %d managers has to write every change, which slows the swarm down.", n), "Make some of them workers; five bear the loss of two.")
	case n%2 == 0:
		l.warnAt(managers[n-1], "Even number of managers", fmt.Sprintf("The quorum of %d is %d: they bear the loss of %d, as %d would, and are one more that can fail.", n, n/2+1, (n-1)/2, n-1), "Declare one manager more or one less.")
	}
}

func (l *loader) warnAt(d declared, summary, detail, remedy string) {
	l.warn(d.name, summary, detail, remedy)
	l.diags[len(l.diags)-1].Node = d.Name
}

func (l *loader) checkBackup(b Backup, at backupPlaces) {
	l.checkEscrow(b, at)
	l.checkCopies(b, at)
	l.checkScheduledCopies(b, at)
	l.checkSchedule(b, at.schedule)
	l.checkData(b, at.data)
	if len(b.Copies) == 0 && b.Repository != "" && len(l.repositoryBlocks(b.Repository)) == 0 && !l.broken {
		l.err(at.repository, "Unknown repository", fmt.Sprintf("No repository %q is declared.", b.Repository),
			l.suggestOr(b.Repository, l.repositoryLabels(), fmt.Sprintf("Declare it: repository %q { … }.", b.Repository)))
	}
	if b.From == FromFollower || at.from == (hcl.Range{}) {
		return
	}
	n := l.cfg.Node(b.From)
	switch {
	case n == nil && !l.broken && !l.nodesUnknown:
		var managers []string
		for _, d := range l.nodes {
			if d.Role == RoleManager {
				managers = append(managers, d.Name)
			}
		}
		l.err(at.from, "Unknown node", fmt.Sprintf("No node %q is declared.", b.From), suggest(b.From, append(managers, FromFollower)))
	case n == nil:
	case n.Role == RoleWorker:
		l.err(at.from, "Backup from a worker", fmt.Sprintf("%q is a worker, and only managers hold the swarm's state.", b.From), fmt.Sprintf("Name a manager, or %q.", FromFollower))
	case n.Connection.None:
		l.err(at.from, "Backup from a manager that can't be reached", fmt.Sprintf("%q has connection { none = true }.", b.From), fmt.Sprintf("Give it a connection, or write %q.", FromFollower))
	}
}

// repositoryLabels are the labels of all repository blocks, also of those with
// mistakes in them.
func (l *loader) repositoryLabels() []string {
	var out []string
	for _, b := range l.blocks["repository"] {
		if len(b.Labels) > 0 {
			out = append(out, b.Labels[0])
		}
	}
	return out
}

func (l *loader) repositoryBlocks(name string) []string {
	return slices.DeleteFunc(l.repositoryLabels(), func(s string) bool { return s != name })
}
