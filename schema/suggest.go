package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest finds the known name that name was probably meant to be: two edits
// away or 40 % of its letters, and never an altogether different word.
func nearest(name string, known []string) string {
	best, bestDistance := "", 0
	for _, k := range slices.Sorted(slices.Values(known)) {
		d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(k), nil)
		longest := max(len(name), len(k))
		if d >= min(len(name), len(k)) || d > 2 && d*10 > longest*4 {
			continue
		}
		if best == "" || d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// suggest is the remedy for a name that is not known.
func suggest(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		text := fmt.Sprintf("Did you mean %q?", n)
		if levenshtein.Distance(name, n, nil)*2 >= len(name) && len(known) > 1 {
			text += " Known here: " + list(known) + "."
		}
		return text
	}
	if len(known) == 0 {
		return "Remove it."
	}
	return "Known here: " + list(known) + "."
}

// list names things in their given order: a, b and c, and no more than 12.
func list(names []string) string {
	if len(names) > 12 {
		return strings.Join(names[:12], ", ") + fmt.Sprintf(" and %d more", len(names)-12)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
