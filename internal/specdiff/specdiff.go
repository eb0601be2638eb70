// Package specdiff compares what two backups of a swarm hold, or one and the living
// swarm: pure, and it sees no secret's value.
package specdiff

import (
	"cmp"
	"maps"
	"slices"

	"github.com/requeen/requeen/internal/state"
)

// What has become of an object.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
	// Remade is an object that has the name of one that was removed.
	Remade = "remade"
)

// Object is an object that is not in both alike.
type Object struct {
	Kind   string  `json:"kind"` // service, secret, config, network or node
	Name   string  `json:"name"`
	ID     string  `json:"id"`               // in the second; of what was removed, in the first
	Change string  `json:"change"`           // added, removed, changed or remade
	Fields []Field `json:"fields,omitempty"` // what differs; absent of what was added or removed
}

// Field is a value that is not the same. A hidden one has neither value.
type Field struct {
	Path   string `json:"path"`             // such as image, or env.NAME
	Was    string `json:"was,omitempty"`    // in the first; absent where it was not set
	Is     string `json:"is,omitempty"`     // in the second; likewise
	Hidden bool   `json:"hidden,omitempty"` // the values differ, and are not shown
}

// Compare tells what is otherwise in the second than in the first, sorted by kind and
// name. Objects are the same by their names, nodes by their IDs.
func Compare(first, second []state.Spec) []Object {
	was, is := byKey(first), byKey(second)
	list := []Object{}
	for key, a := range was {
		b, still := is[key]
		if !still {
			list = append(list, Object{Kind: a.Kind, Name: a.Name, ID: a.ID, Change: Removed})
			continue
		}
		o := Object{Kind: b.Kind, Name: b.Name, ID: b.ID, Change: Changed, Fields: fields(a.Fields, b.Fields)}
		if a.ID != b.ID {
			o.Change = Remade
		}
		if o.Change == Remade || len(o.Fields) > 0 {
			list = append(list, o)
		}
	}
	for key, b := range is {
		if _, there := was[key]; !there {
			list = append(list, Object{Kind: b.Kind, Name: b.Name, ID: b.ID, Change: Added})
		}
	}
	slices.SortFunc(list, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func byKey(list []state.Spec) map[[2]string]state.Spec {
	out := map[[2]string]state.Spec{}
	for _, s := range list {
		if s.Kind == "node" { // hostnames are not unique
			out[[2]string{s.Kind, s.ID}] = s
			continue
		}
		out[[2]string{s.Kind, s.Name}] = s
	}
	return out
}

func fields(was, is map[string]state.SpecField) []Field {
	paths := map[string]bool{}
	for p := range was {
		paths[p] = true
	}
	for p := range is {
		paths[p] = true
	}
	var list []Field
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		a, b := was[p], is[p]
		switch {
		case a == b:
		case a.SHA256 != "" || b.SHA256 != "":
			list = append(list, Field{Path: p, Hidden: true})
		default:
			list = append(list, Field{Path: p, Was: a.Value, Is: b.Value})
		}
	}
	return list
}
