package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func rootPage() *page { return pageOf(newRootCommand(&app{out: io.Discard, err: io.Discard})) }

func TestCommandsPageIsFresh(t *testing.T) { golden(t, "commands.md", commandsReference(rootPage())) }

// TestCommandsAreWhole holds every command to what a person looks for in its
// help.
func TestCommandsAreWhole(t *testing.T) {
	rootPage().each(func(p *page) {
		if p.Short == "" || p.Text == p.Short {
			t.Errorf("%s: its short or its long text is missing", p.Path)
		}
		if p.Examples == "" && len(p.Commands) == 0 {
			t.Errorf("%s has no example", p.Path)
		}
		for _, f := range append(p.Flags, p.Before...) {
			if f.Value != strings.ToUpper(f.Value) && f.Value != "NAME=VALUE" {
				t.Errorf("%s %s: the value is called %q; name it in its usage, as `FILE`", p.Path, f.Name, f.Value)
			}
		}
	})
}

// TestManPages writes all pages and reads what a formatter would stumble over.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if status := run([]string{"man", "-out", dir}, strings.NewReader(""), io.Discard, os.Stderr); status != 0 {
		t.Fatalf("exit %d", status)
	}
	want := map[string]bool{}
	rootPage().each(func(p *page) {
		want[manFile(p.Path)] = true
		data, err := os.ReadFile(filepath.Join(dir, manFile(p.Path)))
		if err != nil {
			t.Error(err)
			return
		}
		text := string(data)
		sections := []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS"}
		if len(p.Commands) == 0 {
			sections = append(sections, "EXAMPLES")
		}
		at := 0
		for _, s := range sections {
			i := strings.Index(text, "\n.SH "+s+"\n")
			if i < at {
				t.Errorf("%s: the section %s is missing, or not in its place", p.Path, s)
			}
			at = i
		}
		for _, f := range p.Flags {
			if !strings.Contains(text, "\n.B "+escape(f.left())+"\n") {
				t.Errorf("%s: the flag %s is missing", p.Path, f.Name)
			}
		}
		wellFormed(t, p.Path, text)
	})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !want[e.Name()] {
			t.Errorf("%s is the page of no command", e.Name())
		}
	}
}

var (
	requests   = regexp.MustCompile(`^\.(TH|SH|TP|B|BR|PP|RS|RE|nf|fi)( |$)`)
	escapes    = regexp.MustCompile(`\\(e|-|&|\(aq|\(ga|\(ha|\(ti|\(dq|\(en)`)
	bareHyphen = regexp.MustCompile(`(^|[^\\])-`)
)

// wellFormed says that every line is a known request or text, and that nothing
// of the text is read as a command.
func wellFormed(t *testing.T, path, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !requests.MatchString(line) {
			t.Errorf("%s: %q would be read as a request", path, line)
		}
		if rest := escapes.ReplaceAllString(line, ""); strings.Contains(rest, `\`) {
			t.Errorf("%s: %q has an unknown escape", path, line)
		}
		if bareHyphen.MatchString(line) {
			t.Errorf("%s: %q has a hyphen that can't be searched for", path, line)
		}
		if strings.HasPrefix(line, ".TP") && strings.Contains(line, `\`) || line == "" {
			t.Errorf("%s: an empty line, or a request with text", path)
		}
	}
}

// TestEscape holds what a formatter would change: the words of a person come
// out as they went in.
func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		`-name`:          `\-name`,
		`a\b`:            `a\eb`,
		`it's "so" ^~`:   `it\(aqs \(dqso\(dq \(ha\(ti`,
		`COMMAND…`:       `COMMAND\&...`,
		"`age -d`":       `\(gaage \-d\(ga`,
		`*.rq.hcl in it`: `*.rq.hcl in it`,
	} {
		if have := escape(in); have != want {
			t.Errorf("escape(%q) = %q, want %q", in, have, want)
		}
	}
	if have := guarded(".rq.hcl"); have != `\&.rq.hcl` {
		t.Errorf("a line that begins with a dot comes out as %q", have)
	}
}

// TestVariablesAreTold looks for variables that the program reads and no page
// tells.
func TestVariablesAreTold(t *testing.T) {
	told := map[string]bool{"TERM": true, "XDG_RUNTIME_DIR": true, "HOME": true, "COLUMNS": true, "STORAGE_EMULATOR_HOST": true} // as every program has them
	for _, v := range variables {
		for name := range strings.SplitSeq(v.Name, ", ") {
			told[name] = true
		}
	}
	reads := regexp.MustCompile(`(?:Getenv|LookupEnv)\("([A-Z_]+)"\)`)
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range reads.FindAllStringSubmatch(string(data), -1) {
			family, _, _ := strings.Cut(found[1], "_") // an object storage's, which its own tools tell
			if !told[found[1]] && !told[family+"_name"] && !strings.HasPrefix(found[1], "RQ_TESTONLY_") {
				t.Errorf("%s reads %s, which the table in page.go does not have", path, found[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
