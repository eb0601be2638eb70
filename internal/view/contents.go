package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/specdiff"
	"github.com/requeen/requeen/internal/state"
)

// LineRestoreDiff is the type of a RestoreDiffLine.
const LineRestoreDiff = "restore_difference"

// RestoreDiffLine is an object that a restore changes: added is what comes back, and
// removed what is lost.
type RestoreDiffLine struct {
	Line
	Backup string `json:"backup"` // the backup's ID
	specdiff.Object
}

// RestoreDiff is what a restore changes of the swarm that answers.
type RestoreDiff struct {
	Backup  string // its ID
	Objects []specdiff.Object
}

// Lines are the differences for a program.
func (d RestoreDiff) Lines(at time.Time) []any {
	var lines []any
	for _, o := range d.Objects {
		lines = append(lines, RestoreDiffLine{line(LineRestoreDiff, at), d.Backup, o})
	}
	return lines
}

// RestoreDiff writes what a restore would lose and bring back.
func (s Screen) RestoreDiff(d RestoreDiff) {
	counts := map[string]int{}
	for _, o := range d.Objects {
		counts[o.Change]++
	}
	s.printf("%s\n", s.paint(bold, "What the restore changes of the swarm as it is now"))
	s.paragraph("  ", fmt.Sprintf("%d come back, %d are lost, %d become what they were. Of secrets no value is compared: one can't be changed, so that another ID is another value.",
		counts[specdiff.Added], counts[specdiff.Removed], counts[specdiff.Changed]+counts[specdiff.Remade]))
	s.SpecDiff("the swarm as it is now", "backup "+d.Backup, d.Objects)
	s.printf("\n")
}

// Contents writes what a backup holds: names, images and labels, and no value.
func (s Screen) Contents(list []state.Spec) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b state.Spec) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	kind := ""
	for _, o := range list {
		if o.Kind != kind {
			kind = o.Kind
			s.printf("  %s\n", s.paint(bold, kind+"s"))
		}
		s.hanging("    ", plain(or(o.Name, o.ID)+contentWords(o)))
	}
}

// contentWords are what tells most of an object.
func contentWords(o state.Spec) string {
	var words []string
	add := func(path, form string) {
		if v := o.Fields[path].Value; v != "" {
			words = append(words, fmt.Sprintf(form, v))
		}
	}
	switch o.Kind {
	case "service":
		add("image", "%s")
		add("mode", "%s")
		add("replicas", "%s replicas")
		add("secrets", "secrets %s")
		add("configs", "configs %s")
	case "node":
		add("role", "%s")
		add("availability", "%s")
	case "network":
		add("driver", "%s")
	case "config":
		if sum := o.Fields["data"].SHA256; sum != "" {
			words = append(words, "sha256 "+sum)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(o.Fields)) {
		if label, is := strings.CutPrefix(path, "labels."); is && o.Kind == "node" {
			words = append(words, label+"="+o.Fields[path].Value)
		}
	}
	words = append(words, "("+o.ID+")")
	return "  " + strings.Join(words, ", ")
}
