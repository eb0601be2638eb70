package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
	"github.com/requeen/requeen/schema"
)

var update = flag.Bool("update", false, "write the examples' plans anew")

// TestExamples plans every example from the state that was observed for it.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { planExample(t, dir) })
	}
}

func planExample(t *testing.T, dir string) {
	cfg, ds := schema.Load(dir, schema.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	observation, err := statefile.Read(filepath.Join(dir, "state.json")) // as plan -state reads it
	if err != nil {
		t.Fatal(err)
	}
	st, err := observe.Declared(cfg, observation.Observed())
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: st.ObservedAt.Add(time.Second), ToolVersion: "example"})
	if err != nil {
		t.Fatal(err)
	}
	doc, digest, err := planfile.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	view.Screen{Out: &text, Width: 100}.Plan(p, digest)
	golden(t, filepath.Join(dir, "plan.json"), string(doc))
	golden(t, filepath.Join(dir, "plan.txt"), text.String())
}

func golden(t *testing.T, file, have string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != have {
		t.Errorf("%s is stale (%v): go test ./cmd/requeen -run %s -update\n%s", file, err, t.Name(), have)
	}
}

// TestReadme holds the README to what is there: its first example is
// examples/first, its plan is that example's, and it names the two commands.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	example, err := os.ReadFile("../../examples/first/prod.rq.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(readme, "```hcl\n"+string(example)+"```") {
		t.Error("the README's first configuration is not examples/first/prod.rq.hcl")
	}
	planned, err := os.ReadFile("../../examples/first/plan.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(readme, "```text\n"+string(planned)+"```") {
		t.Error("the README's plan is not examples/first/plan.txt")
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"demo", "test"} {
		if !strings.Contains(readme, "make "+target) || !strings.Contains(string(makefile), "\n"+target+":") {
			t.Errorf("make %s is not both in the README and in the Makefile", target)
		}
	}
}
