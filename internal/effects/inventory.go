package effects

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// lacks names what of one inventory is not in the other, "" if all is. More than
// was wanted is no lack: tasks of the restored services make networks and nodes
// come back.
func lacks(have, want state.Inventory) string {
	var parts []string
	add := func(what string, have, want []string) {
		var gone []string
		for _, id := range want {
			if !slices.Contains(have, id) {
				gone = append(gone, id)
			}
		}
		if len(gone) > 0 {
			parts = append(parts, fmt.Sprintf("%d of %d %s are not in the swarm (%s)", len(gone), len(want), what, strings.Join(first(gone, 5), ", ")))
		}
	}
	add("services", have.Services, want.Services)
	add("secrets", have.Secrets, want.Secrets)
	add("configs", have.Configs, want.Configs)
	add("networks", have.Networks, want.Networks)
	ids := slices.Collect(maps.Keys(want.Nodes))
	sort.Strings(ids)
	for _, id := range ids {
		n, there := have.Nodes[id]
		switch {
		case !there:
			parts = append(parts, "node "+id+" is not in the swarm")
		case !maps.Equal(n.Labels, want.Nodes[id].Labels):
			parts = append(parts, "node "+id+" does not have its labels")
		}
	}
	return strings.Join(parts, "; ")
}

func first(list []string, n int) []string {
	if len(list) > n {
		return append(slices.Clone(list[:n]), "…")
	}
	return list
}
