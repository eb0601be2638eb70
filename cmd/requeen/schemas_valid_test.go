package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/internal/view/schemas"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
	"github.com/requeen/requeen/schema"
)

// compiled is a published schema.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, ok := schemas.Get(name)
	if !ok {
		t.Fatalf("there is no schema %s", name)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid holds a document to a schema.
func valid(t *testing.T, s *jsonschema.Schema, what string, document []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		t.Errorf("%s: %v\n%.2000s", what, err, document)
	}
}

// validLines holds lines to a schema as they are printed.
func validLines(t *testing.T, s *jsonschema.Schema, what string, lines ...any) {
	t.Helper()
	var out bytes.Buffer
	if err := writeLines(&out, lines...); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(out.Bytes()) {
		valid(t, s, what, line)
	}
}

// goldenCase is a case of package plan: what was declared and observed, and the
// plan of it.
type goldenCase struct {
	name  string
	dir   string
	state *state.State
	plan  *plan.Plan
	bytes []byte // of the plan
}

func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	dirs, err := filepath.Glob("../../plan/testdata/*/plan.json")
	examples, err2 := filepath.Glob("../../examples/*/plan.json")
	if err != nil || err2 != nil || len(dirs) < 100 || len(examples) == 0 {
		t.Fatalf("%d cases, %d examples (%v, %v)", len(dirs), len(examples), err, err2)
	}
	var list []goldenCase
	for _, file := range append(dirs, examples...) {
		c := goldenCase{dir: filepath.Dir(file), name: filepath.Base(filepath.Dir(file)), state: new(state.State)}
		observed, err := os.ReadFile(filepath.Join(c.dir, "state.json"))
		if err == nil {
			err = json.Unmarshal(observed, c.state)
		}
		if err == nil {
			c.bytes, err = os.ReadFile(file)
		}
		if err == nil {
			c.plan, _, err = planfile.Decode(c.bytes)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.dir, err)
		}
		list = append(list, c)
	}
	return list
}

// TestSchemasHoldForWhatIsWritten validates every golden plan, observation and
// stream of lines.
func TestSchemasHoldForWhatIsWritten(t *testing.T) {
	planned, observed := compiled(t, schemas.Plan), compiled(t, schemas.Observation)
	streams := []*jsonschema.Schema{compiled(t, schemas.PlanStream), compiled(t, schemas.ApplyStream)}
	for _, c := range goldenCases(t) {
		valid(t, planned, c.name, c.bytes)
		document, err := statefile.Encode(c.state, "0.1.0")
		if err != nil {
			t.Fatal(err)
		}
		valid(t, observed, c.name, document)
		cfg, ds := schema.Load(c.dir, schema.Options{})
		if cfg == nil {
			t.Fatal(ds)
		}
		seen := view.Observation{File: "x", At: c.state.ObservedAt, Now: c.state.ObservedAt.Add(time.Hour)}
		lines := append(view.PlanLines(c.plan, "sha256:0", seen.Line()),
			view.DriftLines(plan.FindDrift(cfg, c.state, c.state.ObservedAt), "0.1.0")...)
		for _, s := range streams {
			validLines(t, s, c.name, lines...)
		}
	}
	failed := view.DiagnosticLines(diag.Diagnostics{{Severity: diag.Error, Summary: "x"},
		{Severity: diag.Error, Code: "RQ101", Summary: "x", Subject: &diag.Range{Filename: "f"}, Snippet: "s"}}, time.Now())
	for _, s := range streams {
		validLines(t, s, "diagnostics", failed...)
	}
}

// TestSchemaHoldsForRuns validates the lines of runs that do all that a run does:
// they go on, are found done, fail, are interrupted, and are refused.
func TestSchemaHoldsForRuns(t *testing.T) {
	s := compiled(t, schemas.ApplyStream)
	seen := map[apply.EventType]bool{}
	for name, change := range map[string]func(*applytest.World, *apply.Request){
		"well":   func(*applytest.World, *apply.Request) {},
		"failed": func(w *applytest.World, _ *apply.Request) { w.Faults.Unreadable = true },
		"interrupted": func(_ *applytest.World, q *apply.Request) {
			stop := make(chan struct{})
			close(stop)
			q.Interrupt = stop
		},
	} {
		w := applytest.New(3)
		q := runRequest(t, w)
		change(w, &q)
		for range 2 { // the second goes on, or finds all done
			p := w.Process()
			_, _ = apply.Start(context.Background(), p.Ports(), q)
			for _, e := range p.Events {
				seen[e.Type] = true
				validLines(t, s, name, eventLine{view.LinesVersion, e})
			}
			q.Interrupt, w.Faults = nil, applytest.Faults{}
		}
	}
	for _, want := range []apply.EventType{apply.RunStarted, apply.RunResumed, apply.StepStarted, apply.StepProgress, apply.StepDone, apply.StepFailed, apply.Interrupted, apply.RunDone, apply.RunFailed} {
		if !seen[want] {
			t.Errorf("no run told %s", want)
		}
	}
}

// runRequest is a run of the backup that is due in a fake world.
func runRequest(t *testing.T, w *applytest.World) apply.Request {
	t.Helper()
	st := w.State()
	cfg := &schema.Config{SHA256: "00", Cluster: schema.Cluster{Name: applytest.ClusterName},
		Repositories: []schema.Repository{{Name: "offsite", URL: "file:///offsite", Recipients: []string{"age1"}}},
		Backups:      []schema.Backup{{Name: "state", Repository: "offsite", MaxAge: 24 * time.Hour, From: schema.FromFollower, Consistency: schema.ConsistencyStopped}}}
	for _, h := range st.Hosts {
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: h.Name, Address: h.Address, Role: schema.RoleManager})
	}
	p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: w.Clock.Now()})
	if err != nil || len(p.Steps) == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	raw, digest, err := planfile.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return apply.Request{Plan: p, Digest: digest, PlanBytes: raw, JournalRoot: t.TempDir(), ToolVersion: "test", Owner: "op",
		NewID: func(now time.Time) string { n++; return fmt.Sprintf("%s-%06x", now.Format("20060102T150405Z"), n) }}
}

// fill sets every field to something: the first value of those that a type has.
func fill(w *sourceWords, v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2025, 3, 10, 3, 0, 0, 0, time.UTC)))
		return
	case v.Kind() == reflect.String:
		v.SetString("x")
		if list := w.constants[nameOf(v.Type())]; len(list) > 0 {
			v.SetString(list[len(list)-1].value)
			if list[len(list)-1].value == "" {
				v.SetString(list[0].value)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(w, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(w, v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(w, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(w, v.Field(i))
		}
	}
}

// TestSchemasHaveEveryField validates documents in which every field is set: the
// schemas are closed, so that one which they lack is refused.
func TestSchemasHaveEveryField(t *testing.T) {
	words := readWords(t)
	p := new(plan.Plan)
	fill(words, reflect.ValueOf(p).Elem())
	document, _, err := planfile.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, compiled(t, schemas.Plan), "plan", document)
	st := new(state.State)
	fill(words, reflect.ValueOf(st).Elem())
	if document, err = statefile.Encode(st, "x"); err != nil {
		t.Fatal(err)
	}
	valid(t, compiled(t, schemas.Observation), "observation", document)
	diff := view.BackupDiff{}
	fill(words, reflect.ValueOf(&diff).Elem())
	var line bytes.Buffer
	if err := writeLines(&line, diff); err != nil {
		t.Fatal(err)
	}
	valid(t, compiled(t, schemas.BackupDiff), "backup diff", line.Bytes())
	stream := compiled(t, schemas.ApplyStream)
	for _, l := range append([]planLine{{"run_done", eventLine{}}}, planLines...) {
		v := reflect.New(reflect.TypeOf(l.of)).Elem()
		fill(words, v)
		v.FieldByName("Type").SetString(l.kind)
		validLines(t, stream, l.kind, v.Interface())
	}
}

// TestSchemasRefuse: a schema that takes anything would hold nothing to it.
func TestSchemasRefuse(t *testing.T) {
	var due goldenCase
	for _, c := range goldenCases(t) {
		if c.name == "due" {
			due = c
		}
	}
	observation, err := statefile.Encode(due.state, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if err := writeLines(&lines, view.PlanLines(due.plan, "sha256:0")...); err != nil {
		t.Fatal(err)
	}
	summary := lines.String()[strings.LastIndex(strings.TrimSpace(lines.String()), "\n")+1:]
	for _, c := range []struct{ schema, document, old, now string }{
		{schemas.Plan, string(due.bytes), `"format_version": 1`, `"format_version": 2`},
		{schemas.Plan, string(due.bytes), `"kind": "stop"`, `"kind": "halt"`},
		{schemas.Plan, string(due.bytes), `"margin": {`, `"margins": {`},
		{schemas.Plan, string(due.bytes), `"sha256:`, `"sha512:`},
		{schemas.Plan, string(due.bytes), `"timeout_seconds": `, `"timeout_seconds": -1.`},
		{schemas.Observation, string(observation), `"cluster": "prod"`, `"cluster": 1`},
		{schemas.Observation, string(observation), `"observed_at": "2025`, `"observed_at": "yesterday`},
		{schemas.Observation, string(observation), `"swarm": {`, `"swarm": {"unlock_key": "x",`},
		{schemas.PlanStream, summary, `"type":"plan_summary"`, `"type":"summary"`},
		{schemas.PlanStream, summary, `"format_version":1,`, ``},
		{schemas.ApplyStream, summary, `"steps":`, `"step_count":`},
	} {
		if !strings.Contains(c.document, c.old) {
			t.Fatalf("there is no %s in %s", c.old, c.schema)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(c.document, c.old, c.now, 1)))
		if err != nil {
			t.Fatal(err)
		}
		var refused *jsonschema.ValidationError
		if err := compiled(t, c.schema).Validate(v); !errors.As(err, &refused) {
			t.Errorf("%s takes %s: %v", c.schema, c.now, err)
		}
	}
}
