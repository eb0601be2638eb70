package main

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	s := spreadOf([]float64{4, 1, 3, 2})
	if s != (Spread{N: 4, Median: 2.5, Q1: 1.75, Q3: 3.25, Min: 1, Max: 4}) {
		t.Errorf("spread of 1 to 4: %+v", s)
	}
	if one := spreadOf([]float64{7}); one.Median != 7 || one.Q1 != 7 || one.Max != 7 {
		t.Errorf("spread of one value: %+v", one)
	}
	if none := spreadOf(nil); none.N != 0 || !math.IsNaN(none.Median) {
		t.Errorf("spread of nothing: %+v", none)
	}
}

func TestRatiosAreOfEachRound(t *testing.T) {
	have := ratios([]float64{2, 9, 5}, []float64{1, 3})
	if len(have) != 2 || have[0] != 2 || have[1] != 3 {
		t.Errorf("ratios: %v", have)
	}
}

func TestRounded(t *testing.T) {
	for v, want := range map[float64]float64{3.1234567: 3.1235, 0.00012345678: 0.00012346, 33123457: 33123457, 0: 0} {
		if have := rounded(v); have != want {
			t.Errorf("%v is rounded to %v", v, have)
		}
	}
}

func TestBound(t *testing.T) {
	row := func(max float64, below bool, values ...float64) Section {
		return Section{Rows: []Row{{What: "x", Ours: Series{"a", "s", values}, Other: Series{"b", "s", []float64{1, 1, 1}}, Bound: &Bound{Max: max, Below: below}}}}
	}
	for _, c := range []struct {
		section Section
		broken  int
	}{
		{row(1.1, false, 1, 1.1, 9), 0}, // the median counts
		{row(1.1, false, 1, 1.2, 9), 1},
		{row(1, true, 0.5, 1, 2), 1}, // below is not equal
		{row(1, true, 0.5, 0.9, 2), 0},
	} {
		if have := c.section.broken(); len(have) != c.broken {
			t.Errorf("of %v broken: %q", c.section.Rows[0].Ours.Values, have)
		}
	}
}

func TestOutage(t *testing.T) {
	at := func(s string) (list []sample) {
		for i, r := range s {
			list = append(list, sample{time.Duration(i) * time.Second, r == '+'})
		}
		return list
	}
	for s, want := range map[string]time.Duration{"++--++": 3 * time.Second, "+-+": 2 * time.Second, "+--+-++": 5 * time.Second} {
		if have, err := outage(at(s)); err != nil || have != want {
			t.Errorf("%s: down for %s, %v", s, have, err)
		}
	}
	for _, s := range []string{"", "+++", "-++", "++-"} {
		if _, err := outage(at(s)); err == nil {
			t.Errorf("%q tells how long the engine was down", s)
		}
	}
}

func TestASectionIsReplaced(t *testing.T) {
	var r Results
	for _, name := range []string{sectionSize, sectionDowntime, sectionSize} {
		r.put(Section{Name: name, Made: name})
	}
	if len(r.Sections) != 2 || r.Sections[0].Name != sectionDowntime || r.Sections[1].Name != sectionSize {
		t.Errorf("sections: %+v", r.Sections)
	}
}

// TestResultsAreWhole holds what is kept to what make bench measures: every
// section, its bounds, and a page that says what results.json holds.
func TestResultsAreWhole(t *testing.T) {
	r, err := load(".")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, s := range r.Sections {
		have[s.Name] = true
		if s.Command == "" || s.Made == "" || s.Engine == "" && s.Name != sectionArchive || s.Machine.Cores == 0 {
			t.Errorf("%s does not say how it was made", s.Name)
		}
		if broken := s.broken(); len(broken) > 0 {
			t.Errorf("the results that are kept break a bound: %q", broken)
		}
	}
	for _, name := range sections {
		if !have[name] {
			t.Errorf("there are no results of %s", name)
		}
	}
	page, err := os.ReadFile(textFile)
	if err != nil || string(page) != r.text() {
		t.Errorf("%s is not what %s holds: run make bench (%v)", textFile, jsonFile, err)
	}
	if again, err := json.Marshal(r); err != nil || strings.Contains(string(again), "null") {
		t.Errorf("results that are not whole: %s %v", again, err)
	}
}
