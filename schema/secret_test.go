package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

const hush = "SWMKEY-1-hunter2hunter2"

type hidesSecret struct {
	inner Secret
	Ptr   *Secret
	m     map[string]Secret
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := NewSecret(hush)
	holder := hidesSecret{inner: s, Ptr: &s, m: map[string]Secret{"k": s}}
	var texts []string
	for _, flags := range []string{"", "+", "#", "-20", "020", " "} {
		for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
			format := "%" + flags + string(verb)
			for _, v := range []any{s, &s, holder, &holder, []Secret{s}, map[string]Secret{"k": s}, Cluster{UnlockKey: s}, &Config{Cluster: Cluster{UnlockKey: s}}} {
				texts = append(texts, fmt.Sprintf(format, v))
			}
		}
	}
	texts = append(texts, fmt.Sprint(s), fmt.Errorf("x: %w %v", errors.New("y"), s).Error(), s.String(), s.GoString())
	for _, v := range []any{s, &s, Cluster{UnlockKey: s}, map[string]any{"s": s}} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "secret", s, "cluster", Cluster{UnlockKey: s}, "holder", holder)
	}
	if err := template.Must(template.New("").Parse("{{.}} {{printf \"%q\" .}}")).Execute(&b, s); err != nil {
		t.Fatal(err)
	}
	texts = append(texts, b.String())
	for _, text := range texts {
		if strings.Contains(text, "hunter2") {
			t.Errorf("it is printed: %s", text)
		}
	}
	if got := fmt.Sprintf("%v %s %d %#v %x", s, s, s, s, s); got != strings.TrimSuffix(strings.Repeat(redacted+" ", 5), " ") {
		t.Errorf("got %q", got)
	}
}

func TestSecretKnows(t *testing.T) {
	for _, c := range []struct {
		s          Secret
		set, known bool
		value      string
	}{
		{Secret{}, false, false, ""},
		{UnknownSecret(), true, false, ""},
		{NewSecret("x\r\n\n"), true, true, "x"},
		{NewSecret(" x"), true, true, " x"},
	} {
		if c.s.Set() != c.set || c.s.Known() != c.known || c.s.Reveal() != c.value {
			t.Errorf("set %v, known %v, value %q; want %+v", c.s.Set(), c.s.Known(), c.s.Reveal(), c)
		}
	}
	if !NewSecret("a").Equal(NewSecret("a\n")) || NewSecret("a").Equal(NewSecret("b")) || NewSecret("").Equal(UnknownSecret()) || UnknownSecret().Equal(Secret{}) {
		t.Error("Equal is wrong")
	}
}
