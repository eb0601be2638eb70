package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
	"github.com/requeen/requeen/schema"
)

var update = flag.Bool("update", false, "write the golden cases anew")

// golden is a case under testdata: its configuration and observation stand
// there as files, which the functions here made, beside the plan.
type golden struct {
	name    string
	about   string
	config  string
	state   *state.State
	backup  bool     // plan -backup
	noLock  bool     // plan -lock=false
	prune   bool     // backup prune
	helpers []string // Input.HelperSystems
	restore string   // plan -restore
	onto    string   // plan -onto
	only    []string // plan -only
	exclude []string // plan -exclude
	codes   []string // that the plan must show, as hazards or unmet goals
	steps   string   // the kinds and nodes in order
}

func (g golden) input(t testing.TB) plan.Input {
	t.Helper()
	dir := filepath.Join("testdata", g.name)
	cfg, ds := schema.Load(dir, schema.Options{})
	if cfg == nil {
		t.Fatalf("%s: %v", dir, ds)
	}
	data, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	st := new(state.State)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(st); err != nil {
		t.Fatal(err)
	}
	return plan.Input{Config: cfg, State: st, Now: st.ObservedAt, ToolVersion: "0.1.0", Backup: g.backup, HelperSystems: g.helpers, Restore: g.restore, Onto: g.onto, NoLock: g.noLock, Prune: g.prune,
		Only: g.only, Exclude: g.exclude}
}

func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range goldens() {
		if seen[g.name] {
			t.Fatalf("two cases are called %s", g.name)
		}
		seen[g.name] = true
		t.Run(g.name, func(t *testing.T) { runGolden(t, g) })
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !seen[e.Name()] && e.Name() != "rapid" {
			t.Errorf("testdata/%s belongs to no case", e.Name())
		}
	}
}

func runGolden(t *testing.T, g golden) {
	dir := filepath.Join("testdata", g.name)
	agree(t, filepath.Join(dir, "config.rq.hcl"), []byte("# "+g.about+"\n\n"+g.config))
	agree(t, filepath.Join(dir, "state.json"), indent(t, g.state))
	in := g.input(t)
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	document, _, err := planfile.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, filepath.Join(dir, "plan.json"), document)
	if have := stepsOf(p); have != g.steps {
		t.Errorf("steps are %q, want %q", have, g.steps)
	}
	if have := codesOf(p); !cmp.Equal(have, g.codes) {
		t.Errorf("codes are %q, want %q", have, g.codes)
	}
	for _, s := range p.Steps {
		if g.noLock && s.Writes() {
			t.Errorf("step %d, %s %s, needs the lock of repository %s", s.ID, s.Kind, s.Node, s.Repository)
		}
	}
	classes(t, p)
	second, err := plan.Build(g.input(t))
	if err != nil {
		t.Fatal(err)
	}
	if again, _, _ := planfile.Encode(second); !bytes.Equal(again, document) {
		t.Error("the same input gives other bytes")
	}
	if ds := plan.Stale(p, in.State, plan.Done{}); plan.IsStale(ds) && len(p.Steps) > 0 {
		t.Errorf("the plan is stale at once: %+v", ds)
	}
}

// classes checks that unmet goals carry refusals and hazards do not, but for a
// lock, which apply refuses and plan only tells.
func classes(t *testing.T, p *plan.Plan) {
	t.Helper()
	for _, u := range p.Unmet {
		if c, known := diag.Lookup(u.Code); !known || c.Class != diag.Refusal {
			t.Errorf("unmet goal with %s, a %s", u.Code, c.Class)
		}
	}
	for _, h := range p.Hazards {
		if c, known := diag.Lookup(h.Code); !known || c.Class == diag.Refusal && h.Code != diag.LockHeld {
			t.Errorf("hazard with %s, a %s", h.Code, c.Class)
		}
	}
}

// agree compares a file with what it should be, or writes it.
func agree(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: go test ./plan -update", err)
	}
	if diff := cmp.Diff(string(have), string(want)); diff != "" {
		t.Errorf("%s (-file +now): go test ./plan -update\n%s", path, diff)
	}
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

// stepsOf is a plan's steps as "stop m2, archive m2, …".
func stepsOf(p *plan.Plan) string {
	text := ""
	for i, s := range p.Steps {
		if i > 0 {
			text += ", "
		}
		text += string(s.Kind) + " " + strings.Join(append([]string{s.Where()}, s.With...), "+")
	}
	return text
}

// codesOf are the codes that a plan shows: unmet goals, then hazards.
func codesOf(p *plan.Plan) []string {
	var codes []string
	for _, u := range p.Unmet {
		codes = append(codes, u.Code)
	}
	for _, h := range p.Hazards {
		codes = append(codes, h.Code)
	}
	return codes
}
