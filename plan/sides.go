package plan

import (
	"fmt"
	"sort"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// side is what follows one leader, where more than one leads.
type side struct {
	leader   string // the name to call it by
	epoch    string
	managers []string // the declared ones that say that they follow it, sorted
}

// sides are told by the managers themselves: a log of a running manager is not read.
func (w *world) sides() []side {
	by := map[string]*side{}
	for _, n := range w.managers() {
		a := n.host.Account
		if a == nil {
			continue
		}
		if by[a.Leader] == nil {
			by[a.Leader] = &side{leader: w.nameOf(a.Leader), epoch: a.Epoch}
		}
		by[a.Leader].managers = append(by[a.Leader].managers, n.cfg.Name)
	}
	var list []side
	for _, s := range by {
		list = append(list, *s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].leader < list[j].leader })
	return list
}

// nameOf calls a node of the swarm by its declared name, where it has one.
func (w *world) nameOf(id string) string {
	for _, v := range w.voters {
		if v.id == id {
			return v.label()
		}
	}
	return "node " + id
}

// sidesWords says who is in which epoch, "" where the managers did not tell.
func (w *world) sidesWords() string {
	var parts []string
	told := map[string]bool{}
	for _, s := range w.sides() {
		verb := "is"
		if len(s.managers) > 1 {
			verb = "are"
		}
		parts = append(parts, fmt.Sprintf("%s %s in %s, led by %s", listing(s.managers), verb, epochName(s.epoch), s.leader))
		for _, m := range s.managers {
			told[m] = true
		}
	}
	if len(parts) == 0 {
		return ""
	}
	var silent []string
	for _, n := range w.managers() {
		if !told[n.cfg.Name] {
			silent = append(silent, n.cfg.Name)
		}
	}
	if len(silent) > 0 {
		parts = append(parts, listing(silent)+" did not tell")
	}
	return strings.Join(parts, "; ")
}

// byHand is what people do about the condition. Of a split it names the side that is
// to be stopped, where the epochs tell it: it is the one that the other follows.
func (w *world) byHand() string {
	if w.cond.Name != Split {
		return byHand[w.cond.Name]
	}
	older, newer := w.olderSides()
	if len(older) == 0 {
		return byHand[Split]
	}
	live := "live"
	if len(newer.managers) == 1 {
		live = "lives"
	}
	return fmt.Sprintf("Two swarms live with one ID. Stop the engines of the older side: %s; what was written there since the swarm was split is on their disks alone. %s of the newer one, %s, and %s on. Then plan again: those that were stopped join it.",
		strings.Join(older, "; "), sideIs(newer), epochName(newer.epoch), live)
}

// olderSides parts the sides by epoch; older is empty where the epochs don't tell.
func (w *world) olderSides() (older []string, newer side) {
	newest := w.lineage().newest()
	if len(newest) != 1 {
		return nil, side{}
	}
	for _, s := range w.sides() {
		switch {
		case s.epoch != newest[0]:
			older = append(older, fmt.Sprintf("%s (%s)", listing(s.managers), epochName(s.epoch)))
		case newer.leader != "":
			return nil, side{} // two lead in the newest epoch
		default:
			newer = s
		}
	}
	if newer.leader == "" {
		return nil, side{} // the newest is known from a backup alone
	}
	return older, newer
}

func sideIs(s side) string {
	if len(s.managers) == 1 {
		return s.managers[0] + " is"
	}
	return listing(s.managers) + " are"
}

// ByHand is what people do about the cluster's condition, empty for healthy and
// degraded.
func ByHand(cfg *schema.Config, st *state.State) string { return join(cfg, st).byHand() }
