package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/pages"
	"github.com/requeen/requeen/schema"
)

const repositoryRoot = "../.."

func allPages(t *testing.T) []pages.Page {
	t.Helper()
	list, err := pages.All(repositoryRoot)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 5 {
		t.Fatalf("only %d pages were found", len(list))
	}
	return list
}

// TestLinks follows every link of every page, to the heading.
func TestLinks(t *testing.T) {
	anchors := map[string]map[string]bool{}
	list := allPages(t)
	for _, p := range list {
		anchors[filepath.Clean(p.File)] = p.Anchors
	}
	for _, p := range list {
		for _, l := range p.Links {
			if strings.Contains(l.Target, "://") {
				continue
			}
			path, fragment, _ := strings.Cut(l.Target, "#")
			file := filepath.Clean(p.File)
			if path != "" {
				file = filepath.Join(filepath.Dir(p.File), path)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s:%d: the link to %s: %v", p.File, l.Line, l.Target, err)
			} else if fragment != "" && !anchors[file][fragment] {
				t.Errorf("%s:%d: %s has no heading #%s", p.File, l.Line, file, fragment)
			}
		}
	}
}

var (
	// testedBy is the mark of a block that another test runs: "name: run by
	// TestA and TestB", or "name: given by TestA", which sets those names itself.
	testedBy = regexp.MustCompile(`^[a-z-]+: (?:run |compared )?by (.*)$`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// testFuncs are the names of all tests, those of the lab included.
func testFuncs(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(repositoryRoot, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllStringSubmatch(string(data), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestBlocks holds every fenced block to one of these: its mark names the tests
// that run it, its commands parse, its configuration loads, or it is text.
func TestBlocks(t *testing.T) {
	funcs := testFuncs(t)
	for _, p := range allPages(t) {
		for _, b := range p.Blocks {
			at := fmt.Sprintf("%s:%d", p.File, b.Line)
			if m := testedBy.FindStringSubmatch(b.Mark); m != nil {
				names := testName.FindAllString(m[1], -1)
				for _, name := range names {
					if !funcs[name] {
						t.Errorf("%s: there is no %s", at, name)
					}
				}
				if len(names) == 0 {
					t.Errorf("%s: the mark %q names no test", at, b.Mark)
				}
				if b.Lang == "sh" {
					shellBlock(t, at, b.Text, true)
				}
				continue
			}
			switch {
			case b.Lang == "sh":
				shellBlock(t, at, b.Text, false)
			case b.Lang == "hcl" && filepath.Base(p.File) != "reference.md": // those load together: TestReferenceExamplesLoad
				hclBlock(t, at, b.Text)
			case b.Lang == "text", b.Lang == "go", b.Lang == "hcl":
			default:
				t.Errorf("%s: a block of %q, which no test knows", at, b.Lang)
			}
		}
		for _, c := range p.Inline {
			if strings.HasPrefix(c.Text, "requeen ") && filepath.Base(p.File) != "codes.md" {
				if err := parses(c.Text, false); err != nil {
					t.Errorf("%s:%d: %s: %v", p.File, c.Line, c.Text, err)
				}
			}
		}
	}
}

// TestPagesNameRealTests looks for tests that were renamed under a page's feet.
func TestPagesNameRealTests(t *testing.T) {
	funcs := testFuncs(t)
	for _, p := range allPages(t) {
		for _, c := range p.Inline {
			for _, name := range testName.FindAllString(c.Text, -1) {
				if !funcs[name] {
					t.Errorf("%s:%d: there is no %s", p.File, c.Line, name)
				}
			}
		}
	}
}

// setUp are first words of lines that no test runs: they make or enter what a
// reader brings along.
var setUp = map[string]bool{"git": true, "cd": true, "echo": true, "export": true, "age-keygen": true, "source": true, "gunzip": true, "man": true, "ssh": true, "ssh-keyscan": true}

// shellBlock parses the lines of a block as far as this repository knows their
// words: requeen, make and go.
func shellBlock(t *testing.T, at, text string, run bool) {
	t.Helper()
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line, _, _ = strings.Cut(line, "#")
		for i, part := range regexp.MustCompile(`\|\||&&|[|;]|<\(`).Split(line, -1) {
			words := strings.Fields(strings.Trim(strings.TrimSpace(part), "()"))
			if len(words) == 0 {
				continue
			}
			var err error
			switch {
			case words[0] == "requeen":
				err = parses(strings.Join(words, " "), true)
			case words[0] == "make":
				err = targets(words[1:])
			case words[0] == "go":
				err = goTest(words)
			case !run && i == 0 && !setUp[words[0]]:
				err = fmt.Errorf("no test knows it; mark the block with the test that runs it")
			}
			if err != nil {
				t.Errorf("%s: %s: %v", at, strings.TrimSpace(part), err)
			}
		}
	}
}

// parses reads a line as the program would, up to the point where it would run.
func parses(line string, whole bool) error {
	line, _, _ = strings.Cut(line, " > ")
	root := newRootCommand(&app{out: io.Discard, err: io.Discard})
	root.InitDefaultHelpCmd() // which cobra puts in only when it runs
	args := normalizeArgs(root, strings.Fields(line)[1:])
	if err := root.PersistentFlags().Parse(nil); err != nil {
		return err
	}
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if !whole {
		return nil
	}
	if !cmd.Runnable() && cmd.Flags().NArg() == 0 && cmd != root {
		return fmt.Errorf("%s does nothing by itself", cmd.CommandPath())
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// targets looks make's targets up.
func targets(words []string) error {
	makefile, err := os.ReadFile(filepath.Join(repositoryRoot, "Makefile"))
	if err != nil {
		return err
	}
	for _, w := range words {
		if !strings.Contains(w, "=") && !strings.Contains(string(makefile), "\n"+w+":") {
			return fmt.Errorf("the Makefile has no target %s", w)
		}
	}
	return nil
}

// goTest looks up the packages of a go command, and the tests of -run and
// -fuzz.
func goTest(words []string) error {
	for i, w := range words {
		if strings.HasPrefix(w, "./") {
			if _, err := os.Stat(filepath.Join(repositoryRoot, strings.TrimSuffix(w, "/..."))); err != nil {
				return err
			}
		}
		if (w == "-run" || w == "-fuzz") && i+1 < len(words) && words[i+1] != "'^$'" {
			if name := testName.FindString(words[i+1]); name == "" {
				return fmt.Errorf("%s names no test", words[i+1])
			} else if !hasTest(name) {
				return fmt.Errorf("there is no %s", name)
			}
		}
	}
	return nil
}

func hasTest(name string) bool {
	found := false
	_ = filepath.WalkDir(repositoryRoot, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || strings.Contains(string(data), "\nfunc "+name+"(")
		return err
	})
	return found
}

// hclBlock loads a configuration; one that is not whole must say so by a mark.
func hclBlock(t *testing.T, at, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.rq.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ds := schema.Load(dir, schema.Options{}); len(ds) > 0 {
		t.Errorf("%s: the configuration does not load: %v", at, ds)
	}
}
