package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The sections, in the order in which they are measured and shown.
const (
	sectionDowntime = "downtime"
	sectionMemory   = "memory"
	sectionRecovery = "recovery"
	sectionPlan     = "plan"
	sectionSize     = "size"
	sectionArchive  = "archive"
)

var sections = []string{sectionDowntime, sectionMemory, sectionRecovery, sectionPlan, sectionSize, sectionArchive}

// Results are what results.json holds.
type Results struct {
	Sections []Section `json:"sections"`
}

// Section is what one part of the program measured in one run.
type Section struct {
	Name    string   `json:"name"`
	Made    string   `json:"made"`    // day, UTC
	Command string   `json:"command"` // that made it
	Machine Machine  `json:"machine"`
	Engine  string   `json:"engine,omitempty"` // version of the lab's engines, if there was a lab
	Notes   []string `json:"notes,omitempty"`
	Rows    []Row    `json:"rows"`
}

// Row is one comparison.
type Row struct {
	What  string `json:"what"`
	Ours  Series `json:"ours"`
	Other Series `json:"other"`
	Bound *Bound `json:"bound,omitempty"` // nil: told, not judged
}

// Series are the values of one side, one a round.
type Series struct {
	Label  string    `json:"label"`
	Unit   string    `json:"unit"` // "s", "bytes" or "bytes/s"
	Values []float64 `json:"values"`
}

// Bound is what the median of a row's ratios must keep.
type Bound struct {
	Max   float64 `json:"max,omitempty"`
	Below bool    `json:"below"`         // less than Max, not equal
	Min   float64 `json:"min,omitempty"` // in place of Max: of what is better when there is more of it
}

func (b *Bound) holds(median float64) bool {
	switch {
	case b.Min > 0:
		return median >= b.Min
	case b.Below:
		return median < b.Max
	}
	return median <= b.Max
}

func (b *Bound) String() string {
	switch {
	case b.Min > 0:
		return fmt.Sprintf("at least %.2f", b.Min)
	case b.Below:
		return fmt.Sprintf("below %.2f", b.Max)
	}
	return fmt.Sprintf("at most %.2f", b.Max)
}

func (r *Row) spread() Spread { return spreadOf(ratios(r.Ours.Values, r.Other.Values)) }

// broken are the bounds that a section does not keep, each in a sentence.
func (s *Section) broken() []string {
	var list []string
	for _, r := range s.Rows {
		if sp := r.spread(); r.Bound != nil && !r.Bound.holds(sp.Median) {
			list = append(list, fmt.Sprintf("%s: %s is %.3f times %s (median of %d rounds), and %s is wanted",
				r.What, r.Ours.Label, sp.Median, r.Other.Label, sp.N, r.Bound))
		}
	}
	return list
}

// put replaces the section of the same name, or adds it in its place.
func (r *Results) put(s Section) {
	r.Sections = slices.DeleteFunc(r.Sections, func(old Section) bool { return old.Name == s.Name })
	r.Sections = append(r.Sections, s)
	slices.SortStableFunc(r.Sections, func(a, b Section) int {
		return slices.Index(sections, a.Name) - slices.Index(sections, b.Name)
	})
}

// The two files, in the directory of this program's source.
const (
	jsonFile = "results.json"
	textFile = "results.md"
)

// load reads results.json; without one there are no results yet.
func load(dir string) (Results, error) {
	var r Results
	data, err := os.ReadFile(filepath.Join(dir, jsonFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w; remove it to begin anew", filepath.Join(dir, jsonFile), err)
	}
	return r, nil
}

// save writes both files.
func (r *Results) save(dir string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, jsonFile), append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, textFile), []byte(r.text()), 0o644)
}
