package schema

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/requeen/requeen/internal/diag"
)

// A golden file's comment is prose, lines of "set …" that make the options, and
// its last file, want, is what Load has to say.
//
//	set var NAME=VALUE · set var-file FILE · set env NAME=VALUE · set allow-outside

func goldenOptions(t *testing.T, comment []byte, dir string) Options {
	t.Helper()
	var o Options
	for line := range strings.Lines(string(comment)) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "set ")
		if !ok {
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		switch name, value, _ := strings.Cut(rest, "="); kind {
		case "var":
			o.Inputs = append(o.Inputs, Input{Name: name, Value: value})
		case "var-file":
			o.Inputs = append(o.Inputs, Input{File: filepath.Join(dir, rest)})
		case "env":
			o.Environ = append(o.Environ, rest)
		case "allow-outside":
			o.AllowOutside = true
		default:
			t.Fatalf("unknown setting %q", line)
		}
	}
	return o
}

func render(ds diag.Diagnostics) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s: ", d.Severity)
		if d.Subject != nil {
			fmt.Fprintf(&b, "%s:%d,%d: ", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
		}
		if d.Node != "" {
			fmt.Fprintf(&b, "[%s] ", d.Node)
		}
		b.WriteString(d.Summary + "\n")
		for line := range strings.Lines(d.Snippet) {
			b.WriteString("  | " + strings.TrimSuffix(line, "\n") + "\n")
		}
		fmt.Fprintf(&b, "  %s\n  > %s\n", d.Detail, d.Remedy)
	}
	return b.String()
}

// eachGolden runs f over the archives of a directory and compares what it
// gives with the archive's want.
func eachGolden(t *testing.T, glob string, f func(t *testing.T, cfg *Config, ds diag.Diagnostics) string) {
	names, err := filepath.Glob(glob)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %d files", glob, err, len(names))
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			ar := txtar.Parse(data)
			var in []txtar.File
			for _, file := range ar.Files {
				if file.Name != "want" {
					in = append(in, file)
				}
			}
			dir := writeFiles(t, in...)
			cfg, ds := Load(dir, goldenOptions(t, ar.Comment, dir))
			if (cfg == nil) != ds.HasErrors() {
				t.Errorf("Config is nil: %v, and there are errors: %v", cfg == nil, ds.HasErrors())
			}
			for _, d := range ds {
				checkDiagnostic(t, d)
			}
			got := strings.ReplaceAll(f(t, cfg, ds), dir, "DIR")
			out := txtar.Format(&txtar.Archive{Comment: ar.Comment, Files: append(in, txtar.File{Name: "want", Data: []byte(got)})})
			golden(t, name, string(out))
		})
	}
}

// checkDiagnostic holds for every diagnostic there is.
func checkDiagnostic(t *testing.T, d diag.Diagnostic) {
	t.Helper()
	if d.Summary == "" || d.Detail == "" || d.Remedy == "" {
		t.Errorf("summary, detail or remedy missing: %+v", d)
	}
	if d.Subject != nil && (d.Subject.Filename == "" || d.Subject.Start.Line < 1) {
		t.Errorf("no place: %+v", d)
	}
	if text := fmt.Sprintf("%v %+v", d.Error(), d); strings.Contains(text, "hunter2") || strings.Contains(text, "AGE-SECRET-KEY-1") {
		t.Errorf("a secret is told: %s", text)
	}
}

func TestBad(t *testing.T) {
	eachGolden(t, "testdata/bad/*.txtar", func(t *testing.T, _ *Config, ds diag.Diagnostics) string {
		if len(ds) == 0 {
			t.Error("nothing is wrong with it")
		}
		return render(ds)
	})
}

func TestGood(t *testing.T) {
	eachGolden(t, "testdata/good/*.txtar", func(t *testing.T, cfg *Config, ds diag.Diagnostics) string {
		if cfg == nil || len(ds) != 0 {
			t.Fatalf("it does not load:\n%s", render(ds))
		}
		shown := *cfg
		shown.Files, shown.SHA256 = nil, "" // the files stand above
		text, err := json.MarshalIndent(shown, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	})
}

func TestEnoughIsTested(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(names) < 75 {
		t.Errorf("%d bad configurations (%v), and 75 are wanted", len(names), err)
	}
}
