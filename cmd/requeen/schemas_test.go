package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/internal/view/schemas"
	"github.com/requeen/requeen/plan"
)

// TestSchemasAreFresh holds the published schemas to the types that are encoded:
// every field that can be written is in them with a description, and nothing else.
func TestSchemasAreFresh(t *testing.T) {
	for _, name := range schemas.Names() {
		golden(t, "../../internal/view/schemas/"+name+".schema.json", schemaText(t, name))
	}
}

// planLine is a type of lines, by the word that is its type; "" for a type of which
// the lines have several.
type planLine struct {
	kind string
	of   any
}

var planLines = []planLine{
	{view.LineVersion, view.VersionLine{}}, {view.LineObservation, view.ObservationLine{}}, {view.LineCondition, view.ConditionLine{}},
	{view.LinePartial, view.PartialLine{}}, {view.LineUndecided, view.UndecidedLine{}}, {view.LineRecovery, view.RecoveryLine{}},
	{view.LineStep, view.StepLine{}}, {view.LineHazard, view.HazardLine{}}, {view.LineUnmet, view.UnmetLine{}},
	{view.LinePlanSummary, view.PlanSummaryLine{}}, {view.LineDifference, view.DifferenceLine{}}, {view.LineBackupAge, view.BackupAgeLine{}},
	{view.LineUnseen, view.UnseenLine{}}, {view.LineDriftSummary, view.DriftSummaryLine{}}, {view.LineDiagnostic, view.DiagnosticLine{}},
	{view.LineRestoreDiff, view.RestoreDiffLine{}},
}

// schemaText makes a schema.
func schemaText(t *testing.T, name string) string {
	g := &schemaMaker{t: t, words: readWords(t), defs: map[string]reflect.Type{}}
	head := object{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"$id", "urn:requeen:schema:" + name + ":1"}}
	var body object
	switch name {
	case schemas.Plan:
		body = append(object{{"title", "A plan of requeen"}, {"description", planAbout}}, g.object(reflect.TypeFor[plan.Plan](), fixed{"format_version": plan.FormatVersion})...)
		body.property("digest", object{{"type", "string"}, {"pattern", "^sha256:[0-9a-f]{64}$"},
			{"description", "The digest by which the plan is approved: of the document's bytes before the line that holds it."}})
	case schemas.Observation:
		body = append(object{{"title", "An observation of requeen"}, {"description", observationAbout}},
			g.object(reflect.TypeFor[statefile.Observation](), fixed{"format_version": statefile.FormatVersion})...)
	case schemas.PlanStream:
		body = object{{"title", "A line of requeen plan -json"}, {"description", planStreamAbout}, {"oneOf", g.lines(planLines)}}
	case schemas.ApplyStream:
		body = object{{"title", "A line of requeen apply -json"}, {"description", applyStreamAbout},
			{"oneOf", g.lines(append([]planLine{{"", eventLine{}}}, planLines...))}}
	}
	if name == schemas.BackupDiff {
		body = append(object{{"title", "What requeen backup diff -json prints"}, {"description", backupDiffAbout}}, g.object(reflect.TypeFor[view.BackupDiff](), nil)...)
	}
	text, err := marshal(append(append(head, body...), member{"$defs", g.definitions()}))
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return pretty.String() + "\n"
}

// member and object are a JSON object that keeps its order.
type member struct {
	name  string
	value any
}
type object []member

// MarshalJSON writes the members as they stand.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s%q:%s", map[bool]string{true: "{", false: ","}[i == 0], m.name, value)
	}
	if len(o) == 0 {
		b.WriteString("{")
	}
	b.WriteString("}")
	return b.Bytes(), nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// property adds a required property to a schema of an object.
func (o object) property(name string, schema object) {
	for i, m := range o {
		switch m.name {
		case "properties":
			o[i].value = append(m.value.(object), member{name, schema})
		case "required":
			o[i].value = append(m.value.([]string), name)
		}
	}
}

// fixed are properties that have one value.
type fixed map[string]any

// schemaMaker makes schemas of types.
type schemaMaker struct {
	t     *testing.T
	words *sourceWords
	defs  map[string]reflect.Type // that are referred to, by their name
	order []string
}

// lines gives a schema for each kind of line.
func (g *schemaMaker) lines(list []planLine) []object {
	var all []object
	for _, l := range list {
		is := fixed{"format_version": view.LinesVersion}
		head := object{{"title", "event"}}
		if l.kind != "" {
			is["type"], head[0].value = l.kind, l.kind
		}
		head = append(head, member{"description", g.words.types[nameOf(reflect.TypeOf(l.of))]})
		all = append(all, append(head, g.object(reflect.TypeOf(l.of), is)...))
	}
	return all
}

// object is the schema of a struct: it has the fields that can be written, and no
// others.
func (g *schemaMaker) object(t reflect.Type, f fixed) object {
	props, required := object{}, []string{}
	for _, field := range jsonFields(t) {
		var schema object
		if v, is := f[field.json]; is {
			schema = object{{"const", v}}
		} else {
			schema = g.schema(field.Type, !field.optional && field.pkg == "state")
		}
		text := g.words.field(g.t, field)
		if field.Type == reflect.TypeFor[time.Duration]() || field.Type == reflect.TypeFor[*time.Duration]() {
			text += " In nanoseconds."
		}
		props = append(props, member{field.json, append(schema, member{"description", text})})
		if !field.optional {
			required = append(required, field.json)
		}
	}
	return object{{"type", "object"}, {"properties", props}, {"required", required}, {"additionalProperties", false}}
}

// schema is that of a value. A slice or map of a state that nothing was put in is
// null where it is written at all.
func (g *schemaMaker) schema(t reflect.Type, nullable bool) object {
	if t.Kind() == reflect.Pointer {
		return g.schema(t.Elem(), false)
	}
	kind := func(word string) any {
		if nullable {
			return []string{word, "null"}
		}
		return word
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{{"type", "string"}, {"format", "date-time"}}
	case t.Kind() == reflect.String && g.words.constants[nameOf(t)] != nil, t.Kind() == reflect.Struct:
		return object{{"$ref", "#/$defs/" + g.refer(t)}}
	}
	switch t.Kind() {
	case reflect.String:
		return object{{"type", "string"}}
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int64:
		return object{{"type", "integer"}}
	case reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case reflect.Slice:
		return object{{"type", kind("array")}, {"items", g.schema(t.Elem(), false)}}
	case reflect.Map:
		return object{{"type", kind("object")}, {"additionalProperties", g.schema(t.Elem(), false)}}
	}
	g.t.Fatalf("no schema is known for %s", t)
	return nil
}

func (g *schemaMaker) refer(t reflect.Type) string {
	name := t.Name()
	if known, there := g.defs[name]; there && known != t {
		name = strings.ReplaceAll(nameOf(t), ".", "_")
	}
	if _, there := g.defs[name]; !there {
		g.defs[name] = t
		g.order = append(g.order, name)
	}
	return name
}

// definitions are the schemas that the others refer to; a definition may refer to
// more.
func (g *schemaMaker) definitions() object {
	all := object{}
	for i := 0; i < len(g.order); i++ {
		name := g.order[i]
		t := g.defs[name]
		head := object{{"description", g.words.types[nameOf(t)]}}
		if t.Kind() == reflect.Struct {
			all = append(all, member{name, append(head, g.object(t, nil)...)})
			continue
		}
		var values []string
		for _, c := range g.words.constants[nameOf(t)] {
			values = append(values, c.value)
		}
		head[0].value = g.words.enumeration(nameOf(t))
		all = append(all, member{name, append(head, member{"enum", values})})
	}
	return all
}

// nameOf is a type's name with its package's, as the source has it.
func nameOf(t reflect.Type) string {
	return t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:] + "." + t.Name()
}
