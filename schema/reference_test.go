package schema

import (
	"slices"
	"strings"
	"testing"
)

func TestReferenceIsCurrent(t *testing.T) { golden(t, "reference.md", Reference()) }

func TestReferenceExamplesLoad(t *testing.T) {
	var src []string
	for _, s := range topLevel {
		if s.example == "" {
			t.Errorf("%s has no example", s.name)
		}
		src = append(src, s.example)
	}
	cfg, ds := Load(writeFiles(t, oneFile(strings.Join(src, "\n\n")+"\n")), Options{})
	if cfg == nil || len(ds) != 0 {
		t.Fatalf("the reference's examples do not load together: %v", ds)
	}
	if len(cfg.Nodes) != 3 || len(cfg.Backups) != 1 || cfg.Backup("state").From != FromFollower {
		t.Errorf("they mean something else: %+v", cfg)
	}
}

func TestEveryRowIsDocumented(t *testing.T) {
	var walk func(s *blockSpec)
	walk = func(s *blockSpec) {
		if s.doc == "" || s.count == "" {
			t.Errorf("block %s: doc or count missing", s.name)
		}
		for _, a := range s.attrs {
			if a.doc == "" || a.typ == "" {
				t.Errorf("%s.%s: doc or type missing", s.name, a.name)
			}
			if a.required && a.def != "" {
				t.Errorf("%s.%s is required and has a default", s.name, a.name)
			}
		}
		for _, n := range s.blocks {
			walk(n)
		}
	}
	for _, s := range topLevel {
		walk(s)
	}
}

func TestEveryFunctionIsDocumented(t *testing.T) {
	known := referenceFunctions()
	for _, name := range known {
		doc, ok := functionDocs[name]
		if !ok || !strings.HasPrefix(doc[0], name+"(") || doc[1] == "" {
			t.Errorf("%s has no line, or not its own: %q", name, doc)
		}
		if _, out := leftOut[name]; out {
			t.Errorf("%s is both there and left out", name)
		}
	}
	for name := range functionDocs {
		if !slices.Contains(known, name) {
			t.Errorf("%s is documented and not there", name)
		}
	}
	for name, why := range leftOut {
		if why[0] == "" || why[1] == "" {
			t.Errorf("%s: reason or remedy missing", name)
		}
	}
}
