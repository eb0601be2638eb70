package diag

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write codes.md anew")

func TestReferenceIsFresh(t *testing.T) {
	want := Reference()
	if *update {
		if err := os.WriteFile("codes.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("codes.md")
	if err != nil || string(have) != want {
		t.Errorf("codes.md is stale (%v): go test ./internal/diag -update", err)
	}
}

func TestCodesAreWholeAndUnique(t *testing.T) {
	form := regexp.MustCompile(`^RQ[1-9][0-9]{2}$`)
	seen := map[string]bool{}
	for _, c := range Codes() {
		if !form.MatchString(c.ID) || seen[c.ID] {
			t.Errorf("%q is no code, or stands twice", c.ID)
		}
		seen[c.ID] = true
		for _, text := range []string{c.Title, c.Meaning, c.Remedy, string(c.Class)} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s lacks its title, meaning, remedy or class", c.ID)
			}
		}
	}
}

func TestSortPutsPlacesFirst(t *testing.T) {
	at := func(file string, b int) *Range { return &Range{Filename: file, Start: Pos{Byte: b}} }
	ds := Diagnostics{{Summary: "c"}, {Summary: "b", Subject: at("b", 1)}, {Summary: "a", Subject: at("a", 9)}, {Summary: "d", Subject: at("a", 2)}}
	ds.Sort()
	var order string
	for _, d := range ds {
		order += d.Summary
	}
	if order != "dabc" {
		t.Errorf("order %s, want dabc", order)
	}
}
