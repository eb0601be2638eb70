package planfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/plan"
)

// documents are the golden plans.
func documents(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../testdata/*/plan.json")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d golden plans (%v)", len(paths), err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(path))] = data
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	for name, document := range documents(t) {
		p, digest, err := Decode(document)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, same, err := Encode(p)
		if err != nil || same != digest || !bytes.Equal(again, document) {
			t.Errorf("%s: not the same bytes after a round trip (%v)", name, err)
		}
	}
}

func TestDigestIsTheLastKeyAndTheOnlyOneCalledSo(t *testing.T) {
	for name, document := range documents(t) {
		if n := strings.Count(string(document), `"digest":`); n != 1 {
			t.Errorf("%s: %d keys are called digest", name, n)
		}
		lines := strings.Split(string(document), "\n")
		if last := lines[len(lines)-3]; !strings.HasPrefix(last, digestPrefix) || lines[len(lines)-2] != "}" || lines[len(lines)-1] != "" {
			t.Errorf("%s: its last lines are %q", name, lines[len(lines)-3:])
		}
	}
}

// sealed gives altered bytes a digest that fits.
func sealed(t *testing.T, document []byte, old, now string) []byte {
	t.Helper()
	if !bytes.Contains(document, []byte(old)) {
		t.Fatalf("there is no %q in the document", old)
	}
	body := bytes.Replace(document[:bytes.LastIndex(document, []byte(digestPrefix))], []byte(old), []byte(now), 1)
	return append(append(bytes.Clone(body), digestPrefix+sum(body)...), digestSuffix...)
}

func TestAlteredDocuments(t *testing.T) {
	document := documents(t)["due"]
	at := bytes.LastIndex(document, []byte(digestPrefix))
	for name, c := range map[string]struct {
		document []byte
		says     string
	}{
		"empty":                 {nil, "empty"},
		"one letter":            {bytes.Replace(document, []byte(`"m2"`), []byte(`"m1"`), 1), "its bytes have"},
		"one space":             {bytes.Replace(document, []byte(`: "m2"`), []byte(`:  "m2"`), 1), "its bytes have"},
		"another digest":        {bytes.Replace(document, document[at+len(digestPrefix):at+len(digestPrefix)+4], []byte("0000"), 1), "its bytes have"},
		"CRLF":                  {bytes.ReplaceAll(document, []byte("\n"), []byte("\r\n")), "CRLF"},
		"cut in the middle":     {document[:len(document)/2], "no digest"},
		"cut in the digest":     {document[:at+len(digestPrefix)+20], "not the last thing"},
		"last line end gone":    {document[:len(document)-1], "not the last thing"},
		"something after it":    {append(bytes.Clone(document), "{}\n"...), "not the last thing"},
		"twice":                 {append(bytes.Clone(document), document...), "its bytes have"},
		"too large":             {bytes.Repeat([]byte(" "), MaxSize+1), "larger"},
		"no plan":               {[]byte("hello\n"), "no digest"},
		"sealed, compact":       {sealed(t, document, "\n  \"tool_version\"", "\"tool_version\""), "not in the form"},
		"sealed, a key twice":   {sealed(t, document, `"cluster": "prod"`, "\"cluster\": \"x\",\n  \"cluster\": \"prod\""), "not in the form"},
		"sealed, other letters": {sealed(t, document, `"cluster": "prod"`, `"Cluster": "prod"`), "not in the form"},
		"sealed, null steps":    {sealed(t, document, `"unmet": []`, `"unmet":  []`), "not in the form"},
	} {
		p, digest, err := Decode(c.document)
		if !errors.Is(err, ErrAltered) || p != nil || digest != "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range []string{"RQ404", "lan again", "never edit", c.says} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}

func TestOtherVersionsAndKeysAreRefused(t *testing.T) {
	document := documents(t)["due"]
	var version *VersionError
	_, _, err := Decode(sealed(t, document, `"format_version": 1`, `"format_version": 2`))
	if !errors.As(err, &version) || version.Version != 2 || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer version: %v", err)
	}
	_, _, err = Decode(sealed(t, document, `"format_version": 1`, `"format_version": 0`))
	if !errors.As(err, &version) || !strings.Contains(err.Error(), "plan again") {
		t.Errorf("no version: %v", err)
	}
	_, _, err = Decode(sealed(t, document, `"format_version": 1`, "\"format_version\": 9,\n  \"novel\": true"))
	if !errors.As(err, &version) {
		t.Errorf("a newer version with keys of its own: %v", err)
	}
	_, _, err = Decode(sealed(t, document, `"tool_version"`, "\"novel\": true,\n  \"tool_version\""))
	if err == nil || !strings.Contains(err.Error(), "novel") {
		t.Errorf("an unknown key: %v", err)
	}
	_, _, err = Decode(sealed(t, document, `"steps": [`, `"steps": [[`))
	if err == nil {
		t.Error("no JSON: no error")
	}
}

func TestWriteAndRead(t *testing.T) {
	p, digest, err := Decode(documents(t)["autolocked"])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "tonight.plan")
	if err := os.WriteFile(path, []byte("an older file that all may read"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, p); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	back, same, err := Read(path)
	if err != nil || same != digest || !cmp.Equal(back, p) {
		t.Errorf("%s, %v: %s", same, err, cmp.Diff(p, back))
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("files are left: %v", entries)
	}
}

func TestWriteFails(t *testing.T) {
	p := &plan.Plan{}
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "gone", "plan"), p); err == nil {
		t.Error("into no directory: no error")
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "taken"), p); err == nil {
		t.Error("over a directory: no error")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("files are left: %v", entries)
	}
	if _, _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	path := filepath.Join(dir, "bad")
	if err := os.WriteFile(path, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(path); !errors.Is(err, ErrAltered) || !strings.Contains(err.Error(), path) {
		t.Errorf("a bad file: %v", err)
	}
}

// FuzzDecode: what is accepted is exactly what Encode writes, and nothing makes
// Decode panic. The input is tried as it is, and under a digest that fits.
func FuzzDecode(f *testing.F) {
	all := documents(f)
	for _, name := range []string{"due", "autolocked", "nobody", "leftover-stopped", "fresh"} {
		f.Add(all[name])
		f.Add(all[name][:bytes.LastIndex(all[name], []byte(digestPrefix))])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		under := append(append(bytes.Clone(data), digestPrefix+sum(data)...), digestSuffix...)
		for _, document := range [][]byte{data, under} {
			p, digest, err := Decode(document)
			if err != nil {
				if p != nil || digest != "" {
					t.Fatal("something came with an error")
				}
				continue
			}
			again, same, err := Encode(p)
			if err != nil || same != digest || !bytes.Equal(again, document) {
				t.Fatalf("accepted, but not in Encode's form: %v", err)
			}
		}
	})
}
