package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

// zoneLabel is the label of a node block that names the zone of its host.
const zoneLabel = "zone"

// zoneHazard warns when the loss of one zone would lose the quorum of the declared
// managers. Where no manager declares its zone nothing is said, and of one or two
// managers neither, which bear no loss wherever they stand.
func (p *planner) zoneHazard() {
	managers := p.w.managers()
	in := map[string]int{} // managers by zone, zones without one among them
	for _, n := range p.w.nodes {
		if zone := n.cfg.Labels[zoneLabel]; zone != "" {
			in[zone] += 0
		}
	}
	var silent []string
	for _, n := range managers {
		if zone := n.cfg.Labels[zoneLabel]; zone != "" {
			in[zone]++
		} else {
			silent = append(silent, n.cfg.Name)
		}
	}
	total := len(managers)
	if total < 3 || len(silent) == total {
		return
	}
	zones := sortedZones(in)
	worst := zones[0]
	switch left := total - in[worst]; {
	case left < majority(total):
		p.hazard(diag.ZoneLosesQuorum, 0, "", "The declared managers stand %s over their zones (labels.zone; %s): the failure of %s leaves %d of %d, and %d are needed. %s",
			spread(in), inZones(in, zones), worst, left, total, majority(total), better(total, len(in)))
	case len(silent) > 0:
		p.hazard(diag.ZoneLosesQuorum, 0, "", "%s no labels.zone, as the other managers do: whether the loss of one zone would lose the quorum can't be told", declare(silent))
	}
}

func declare(names []string) string {
	if len(names) == 1 {
		return names[0] + " declares"
	}
	return listing(names) + " declare"
}

// sortedZones are the zones, the fullest first.
func sortedZones(in map[string]int) []string {
	var zones []string
	for zone := range in {
		zones = append(zones, zone)
	}
	slices.SortFunc(zones, func(a, b string) int {
		if in[a] != in[b] {
			return in[b] - in[a]
		}
		return strings.Compare(a, b)
	})
	return zones
}

// spread is a distribution as people write it: "2-1-0".
func spread(in map[string]int) string {
	var counts []string
	for _, zone := range sortedZones(in) {
		counts = append(counts, strconv.Itoa(in[zone]))
	}
	return strings.Join(counts, "-")
}

func inZones(in map[string]int, zones []string) string {
	var parts []string
	for _, zone := range zones {
		parts = append(parts, fmt.Sprintf("%d in %s", in[zone], zone))
	}
	return strings.Join(parts, ", ")
}

// better says which distribution bears the loss of any zone.
func better(managers, zones int) string {
	even := map[int]string{3: "1-1-1", 5: "2-2-1", 6: "2-2-2", 7: "3-2-2"}[managers]
	way := fmt.Sprintf("%s bears the loss of any zone", even)
	switch {
	case managers == 4:
		way = "Three managers as 1-1-1 or five as 2-2-1 bear the loss of any zone"
	case even == "":
		way = "Seven managers as 3-2-2 bear the loss of any zone"
	}
	if zones < 3 {
		return "No distribution over two zones bears the loss of either: with a third zone " + strings.ToLower(way[:1]) + way[1:]
	}
	return way
}
