package statefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// observed is one of plan's golden states.
func observed(t testing.TB) *state.State {
	t.Helper()
	data, err := os.ReadFile("../../../plan/testdata/force/state.json")
	if err != nil {
		t.Fatal(err)
	}
	st := new(state.State)
	if err := json.Unmarshal(data, st); err != nil {
		t.Fatal(err)
	}
	return st
}

func document(t testing.TB) []byte {
	t.Helper()
	data, err := Encode(observed(t), "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// draw fills a value with anything that a look could put there.
func draw(t *rapid.T, v reflect.Value, omitted bool) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		at := time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		if rapid.Bool().Draw(t, "never") {
			at = time.Time{}
		}
		v.Set(reflect.ValueOf(at))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64Max(1<<min(uint(v.Type().Bits()), 63)-1).Draw(t, "uint"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), false)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") == "-" {
				continue // it is in no file
			}
			draw(t, v.Field(i), strings.Contains(v.Type().Field(i).Tag.Get("json"), "omit"))
		}
	case reflect.Slice:
		drawSlice(t, v, omitted)
	case reflect.Map:
		drawMap(t, v, omitted)
	default:
		t.Fatalf("nothing is drawn for %s", v.Type())
	}
}

// drawSlice makes none, an empty one, or one of a few: an empty one that is left
// out of the document is as none.
func drawSlice(t *rapid.T, v reflect.Value, omitted bool) {
	n := rapid.IntRange(-1, 2).Draw(t, "length")
	if n < 0 || n == 0 && omitted {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		draw(t, v.Index(i), false)
	}
}

func drawMap(t *rapid.T, v reflect.Value, omitted bool) {
	n := rapid.IntRange(-1, 2).Draw(t, "length")
	if n < 0 || n == 0 && omitted {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n {
		value := reflect.New(v.Type().Elem()).Elem()
		draw(t, value, false)
		v.SetMapIndex(reflect.ValueOf(rapid.String().Draw(t, "key")), value)
	}
}

// Whatever was seen comes back out of the file as it was, and has the same bytes
// again.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := new(state.State)
		draw(t, reflect.ValueOf(st).Elem(), false)
		if st.ObservedAt.IsZero() {
			st.ObservedAt = time.Unix(1, 0).UTC()
		}
		data, err := Encode(st, "0.1.0")
		if err != nil {
			t.Fatal(err)
		}
		o, err := Decode(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if d := cmp.Diff(st, o.Observed()); d != "" || o.ToolVersion != "0.1.0" {
			t.Fatal(d)
		}
		again, err := Encode(o.Observed(), o.ToolVersion)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("other bytes (%v)", err)
		}
	})
}

func TestRefused(t *testing.T) {
	whole := string(document(t))
	replaced := func(old, now string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("there is no %q", old)
		}
		return strings.Replace(whole, old, now, 1)
	}
	plan, err := os.ReadFile("../../../plan/testdata/due/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ document, summary, remedy string }{
		"empty":            {"", "is empty", "observe again"},
		"blank":            {"\n\n", "is empty", "observe again"},
		"cut":              {whole[:len(whole)/2], "was cut short", "the whole file"},
		"cut at the brace": {whole[:len(whole)-2], "was cut short", "the whole file"},
		"cut in a word":    {whole[:20], "was cut short", "the whole file"},
		"no JSON":          {"hello", "can't be read", "observe again"},
		"a list":           {"[1]", "can't be read", "observe again"},
		"twice":            {whole + whole, "can't be read", "observe again"},
		"a plan":           {string(plan), "is a plan file", "requeen show"},
		"no version":       {replaced(`"format_version": 1,`, ""), "is no observation", "observe again"},
		"an older version": {replaced(`"format_version": 1`, `"format_version": 0`), "of another format", "observe again"},
		"a newer version":  {replaced(`"format_version": 1,`, `"format_version": 2, "novel": 1,`), "of a newer requeen", "the requeen that observed"},
		"an unknown key":   {replaced(`"tool_version"`, `"novel": {}, "tool_version"`), "a field that is not known", "never edit"},
		"a deep one":       {replaced(`"swarm_dir": {`, `"swarm_dir": {"novel": 1,`), "a field that is not known", "never edit"},
		"another type":     {replaced(`"hosts": [`, `"hosts": [3,`), "can't be read", "observe again"},
		"no time":          {replaced(`"observed_at": "2025-03-10T03:00:00Z",`, ""), "can't be read", "observe again"},
	} {
		o, err := Decode([]byte(c.document))
		var d diag.Diagnostic
		if o != nil || !errors.As(err, &d) || !strings.Contains(d.Summary, c.summary) || !strings.Contains(d.Remedy, c.remedy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Encode(nil, ""); err == nil {
		t.Error("nothing was encoded")
	}
}

func TestWriteAndRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "prod.state.json")
	st := observed(t)
	if err := Write(path, st, "0.1.0"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	o, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(st, o.Observed()); d != "" {
		t.Error(d)
	}
	var d diag.Diagnostic
	if err := Write(filepath.Join(dir, "none", "x"), st, ""); !errors.As(err, &d) || d.Remedy == "" {
		t.Errorf("into no directory: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.As(err, &d) || d.Remedy == "" {
		t.Errorf("no file: %v", err)
	}
	if _, err := Read(dir); !errors.As(err, &d) || d.Remedy == "" {
		t.Errorf("a directory: %v", err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); !errors.As(err, &d) || !strings.Contains(d.Detail, path) {
		t.Errorf("a file that is cut: %v", err)
	}
}

// FuzzDecode: nothing makes Decode panic, and what is accepted is written and read
// again without a change.
func FuzzDecode(f *testing.F) {
	f.Add(document(f))
	f.Add([]byte(`{"format_version": 1, "observed_at": "2025-03-10T03:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Decode(data)
		if err != nil {
			if o != nil {
				t.Fatal("something came with an error")
			}
			return
		}
		once, err := Encode(o.Observed(), o.ToolVersion)
		if err != nil {
			return // a year that JSON's times can't hold
		}
		again, err := Decode(once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		twice, err := Encode(again.Observed(), again.ToolVersion)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("it changes on the way (%v)", err)
		}
	})
}
