package specdiff

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

func shown(v string) state.SpecField { return state.SpecField{Value: v} }

func hidden(v string) state.SpecField { return state.SpecField{SHA256: v} }

func spec(kind, name, id string, fields map[string]state.SpecField) state.Spec {
	return state.Spec{Kind: kind, Name: name, ID: id, Fields: fields}
}

func TestCompare(t *testing.T) {
	first := []state.Spec{
		spec("service", "web", "s1", map[string]state.SpecField{"task.image": shown("nginx:1"), "task.env.KEY": hidden("aa"), "task.env.OLD": hidden("cc")}),
		spec("service", "gone", "s2", nil), spec("service", "same", "s3", map[string]state.SpecField{"mode": shown("1")}),
		spec("secret", "key", "k1", map[string]state.SpecField{"data": hidden("11")}),
		spec("node", "host", "n1", map[string]state.SpecField{"labels.zone": shown("a")}), spec("node", "host", "n2", nil),
	}
	second := []state.Spec{
		spec("service", "web", "s1", map[string]state.SpecField{"task.image": shown("nginx:2"), "task.env.KEY": hidden("bb")}),
		spec("service", "same", "s3", map[string]state.SpecField{"mode": shown("1")}), spec("service", "new", "s4", nil),
		spec("secret", "key", "k2", map[string]state.SpecField{"data": hidden("22")}),
		spec("node", "host", "n1", map[string]state.SpecField{"labels.zone": shown("b")}), spec("node", "host", "n3", nil),
	}
	text, err := json.Marshal(Compare(first, second))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"kind":"node","name":"host","id":"n1","change":"changed","fields":[{"path":"labels.zone","was":"a","is":"b"}]},` +
		`{"kind":"node","name":"host","id":"n2","change":"removed"},{"kind":"node","name":"host","id":"n3","change":"added"},` +
		`{"kind":"secret","name":"key","id":"k2","change":"remade","fields":[{"path":"data","hidden":true}]},` +
		`{"kind":"service","name":"gone","id":"s2","change":"removed"},{"kind":"service","name":"new","id":"s4","change":"added"},` +
		`{"kind":"service","name":"web","id":"s1","change":"changed","fields":[{"path":"task.env.KEY","hidden":true},{"path":"task.env.OLD","hidden":true},{"path":"task.image","was":"nginx:1","is":"nginx:2"}]}]`
	if string(text) != want {
		t.Errorf("have\n%s\nwant\n%s", text, want)
	}
	if strings.Contains(string(text), "aa") || len(Compare(first, first)) != 0 {
		t.Error("something of it is hidden, or what is the same differs")
	}
}
