package plan_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/schema"
)

// What a node of the swarm is declared as.
const (
	asManager = "manager"
	asMoved   = "moved" // a manager, at another address than it advertises
	asWorker  = "worker"
	dropped   = "dropped" // by no node block
)

// edit is one swarm with one declaration of its shape. The first manager leads; the
// others are alike, and so are the workers, so that each set of fates stands once.
type edit struct {
	managers, workers []string // their fates
	added             []string // roles of declared hosts that are in no swarm
	down              string   // a node that is down and can't be reached, "" if none
	stopped           string   // a node whose engine alone is down, "" if none
	prune, removeDown bool
}

func (e edit) String() string {
	return fmt.Sprintf("managers %s, workers %s, added %s, down %q, stopped %q, prune=%v, remove_down_after=%v",
		strings.Join(e.managers, "+"), strings.Join(e.workers, "+"), strings.Join(e.added, "+"), e.down, e.stopped, e.prune, e.removeDown)
}

// world is the swarm as it is before the edit, and what the edit declares.
func (e edit) world() *community {
	cfg := &schema.Config{SHA256: "00", Cluster: schema.Cluster{Name: "prod", PruneNodes: e.prune, Rebalance: []string{"web"}}}
	if e.removeDown {
		cfg.Cluster.RemoveDownAfter = 24 * observedSpan
	}
	c := newCommunity(cfg)
	declare := func(name, address, role string) *schema.Node {
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: name, Address: address, Role: role})
		return &cfg.Nodes[len(cfg.Nodes)-1]
	}
	place := func(kind string, number int, fate, role string) {
		name, address := fmt.Sprintf("%s%d", kind, number), fmt.Sprintf("10.0.%d.1%d", len(kind+role)%7, number)
		has := address
		switch fate {
		case asMoved:
			has = fmt.Sprintf("172.16.0.1%d", number)
			declare(name, address, schema.RoleManager)
		case dropped:
		default:
			declare(name, address, fate)
		}
		c.add(name, has, role)
		n := c.nodes[idOf(name)]
		n.Labels, n.Availability = map[string]string{"rack": name}, []string{"active", "drain"}[number%2]
		n.ChangedAt = observedAt.Add(-30 * 24 * observedSpan)
	}
	for i, fate := range e.managers {
		place("m", i+1, fate, schema.RoleManager)
	}
	for i, fate := range e.workers {
		place("w", i+1, fate, schema.RoleWorker)
	}
	for i, role := range e.added {
		name := fmt.Sprintf("n%d", i+1)
		n := declare(name, fmt.Sprintf("10.0.9.1%d", i), role)
		n.Labels, n.Availability = map[string]string{"zone": "b"}, []string{"", "drain"}[i%2]
		c.empty(name)
	}
	if e.down != "" {
		c.machines[e.down].off = true
	}
	if e.stopped != "" {
		c.machines[e.stopped].stopped = true
	}
	slices.SortFunc(cfg.Nodes, func(a, b schema.Node) int { return strings.Compare(a.Name, b.Name) })
	return c
}

const observedSpan = 3600_000_000_000 // an hour

// edits are those of a swarm of so many managers and workers.
func edits(managers, workers int) []edit {
	var list []edit
	fates := []string{asManager, asMoved, asWorker, dropped}
	for _, leader := range fates {
		for _, followers := range multisets(fates, managers-1) {
			for _, rest := range multisets([]string{asWorker, asManager, dropped}, workers) {
				all := append([]string{leader}, followers...)
				for _, added := range joining(managers, workers) {
					list = append(list, variants(edit{managers: all, workers: rest, added: added})...)
				}
			}
		}
	}
	return slices.DeleteFunc(list, func(e edit) bool {
		all := append(append(slices.Clone(e.managers), e.workers...), e.added...)
		return !slices.Contains(all, asManager) && !slices.Contains(all, asMoved) // no configuration is without a manager
	})
}

// joining are the roles of the hosts that are declared beside the swarm's nodes.
func joining(managers, workers int) [][]string {
	switch {
	case managers > 3 && workers > 1:
		return [][]string{nil, {asManager}}
	case managers > 3:
		return [][]string{nil, {asManager}, {asManager, asWorker}}
	}
	return [][]string{nil, {asManager}, {asWorker}, {asManager, asManager}, {asManager, asWorker}}
}

// variants are an edit with each kind of node down once, and with what may be removed; of
// up to three managers, also with its engine alone down.
func variants(e edit) []edit {
	downs := []string{""}
	seen := map[string]bool{}
	for i, fate := range e.managers {
		if i > 0 && len(e.managers) > 2 && !seen["m"+fate] {
			seen["m"+fate] = true
			downs = append(downs, fmt.Sprintf("m%d", i+1))
		}
	}
	for i, fate := range e.workers {
		if !seen["w"+fate] {
			seen["w"+fate] = true
			downs = append(downs, fmt.Sprintf("w%d", i+1))
		}
	}
	if len(e.added) > 0 {
		downs = append(downs, "n1")
	}
	var list []edit
	for _, down := range downs {
		for _, prune := range []bool{false, true} {
			for _, remove := range []bool{false, true} {
				if remove && (down == "" || down == "n1") {
					continue
				}
				one := e
				one.down, one.prune, one.removeDown = down, prune, remove
				list = append(list, one)
			}
		}
		if one := e; down != "" && down != "n1" && len(e.managers) < 4 {
			one.stopped = down
			list = append(list, one)
		}
	}
	return list
}

// multisets are the ways to choose so many of the words, the order apart.
func multisets(words []string, n int) [][]string {
	if n <= 0 {
		return [][]string{nil}
	}
	var list [][]string
	for i, w := range words {
		for _, rest := range multisets(words[i:], n-1) {
			list = append(list, append([]string{w}, rest...))
		}
	}
	return list
}
