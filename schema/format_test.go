package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"
)

func mustFormat(t interface {
	Helper()
	Fatalf(string, ...any)
}, src []byte) []byte {
	t.Helper()
	out, ds := Format("main.rq.hcl", src)
	if ds.HasErrors() {
		t.Fatalf("%v\n%q", ds, src)
	}
	return out
}

func TestFormat(t *testing.T) {
	for in, want := range map[string]string{
		"":            "",
		"\n\n":        "",
		"# x":         "# x\n",
		"\n\n# x\n\n": "# x\n",
		"a=1":         "a = 1\n",
		"cluster  \"x\"{\nid=1 # one\nautolock   =true\n}\n\n\n": "cluster \"x\" {\n  id       = 1 # one\n  autolock = true\n}\n",
		"cluster \"x\" {\r\n\tid = 1 // one\r\n}\r\n":            "cluster \"x\" {\n  id = 1 // one\n}\n",
		"\xef\xbb\xbfa = 1\n":                                    "a = 1\n",
		"a = <<E\r\nx\r\n  y\r\nE\r\nb=1\r\n":                    "a = <<E\r\nx\r\n  y\r\nE\nb = 1\n",
		"/* one\r\n  two */\r\na=[1,\n2]\n":                      "/* one\n  two */\na = [1,\n2]\n",
		"a = \"${ b }\"\n":                                       "a = \"${b}\"\n",
	} {
		if got := string(mustFormat(t, []byte(in))); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestFormatRefuses(t *testing.T) {
	for _, src := range []string{"a = ", "node \"", "locals {\n a = [", "a = 1 b = 2", "\xff", strings.Repeat("[", 200)} {
		out, ds := Format("x.rq.hcl", []byte(src))
		if out != nil || !ds.HasErrors() || ds[0].Subject == nil || ds[0].Subject.Filename != "x.rq.hcl" || ds[0].Remedy == "" {
			t.Errorf("%q: %q, %v", src, out, ds)
		}
	}
	_, ds := Format("requeen.rqvars", []byte("password = \"hunter2\" x\n"))
	if len(ds) == 0 || strings.Contains(ds.Error()+ds[0].Snippet, "hunter2") {
		t.Errorf("a variable's value is shown: %+v", ds)
	}
}

// What is formatted stays as it is, and means what it meant.
func TestFormatKeepsTheMeaning(t *testing.T) {
	names, err := filepath.Glob("testdata/good/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		ar := parseArchive(t, name)
		dir := writeFiles(t, ar.Files...)
		want := mustLoad(t, dir, goldenOptions(t, ar.Comment, dir))
		for _, style := range []func(string) string{
			func(s string) string { return s },
			func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
			func(s string) string { return strings.ReplaceAll(s, " = ", "=") },
			func(s string) string { return strings.ReplaceAll(s, "\n", " # why\n") },
		} {
			var files []txtar.File
			for _, f := range ar.Files {
				if IsSource(f.Name) && !strings.Contains(string(f.Data), "<<") {
					f.Data = mustFormat(t, []byte(style(string(f.Data))))
					if again := mustFormat(t, f.Data); !bytes.Equal(again, f.Data) {
						t.Errorf("%s: %s is formatted differently the second time:\n%s\n%s", name, f.Name, f.Data, again)
					}
				}
				files = append(files, f)
			}
			got := mustLoad(t, writeFiles(t, files...), goldenOptions(t, ar.Comment, dir))
			got.Cluster.UnlockKey, want.Cluster.UnlockKey = Secret{}, Secret{}
			for i := range got.Repositories {
				got.Repositories[i].Identity = want.Repositories[i].Identity // lies in the directory
			}
			if got.Recovery != nil {
				got.Recovery.UnlockKeyTo.File = want.Recovery.UnlockKeyTo.File
			}
			forget(got)
			forget(want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s means something else when it is formatted", name)
			}
		}
	}
}

// Format(Format(x)) is Format(x), and no comment is lost, for sources made of
// pieces that may stand in any order.
func TestFormatIsIdempotent(t *testing.T) {
	pieces := []string{
		"# comment\n", "// other\n", "/* inline */", "/* of\nlines */\n", "\n", "\r\n", "  ", "\t", "a=1\n", "long_name   = [1,2 , 3]\n", "b = \"x ${ a } %{ if true }y%{ endif }\" # end\n",
		"c = {a=1,b=2}\n", "d = {\na=1 # one\nbbb = [\n1,\n2,\n]\n}\n", "node \"m1\" {\n", "connection { ssh=\"x\" }\n", "}\n", "e = a ? -1 : !true\n", "f = <<EOT\n  text  \n\tmore ${ a }\nEOT\n",
		"g = <<-EOT\n    text\n  EOT\n", "h = f(1,\n2,g( ))\n", "i = [for x in [1] :x if x>0]\n", "j = a[ 0 ].b[*].c\n", "k = (1+2)*-3%2\n", "l = \"$${x}\"\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		src := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
		once, ds := Format("x.rq.hcl", []byte(src))
		if ds.HasErrors() {
			if _, plain := ds[0], ds[0].Summary == "File that can't be formatted"; plain {
				t.Fatalf("%v\n%s", ds, src)
			}
			return
		}
		twice := mustFormat(t, once)
		if !bytes.Equal(once, twice) {
			t.Fatalf("%q gives %q, then %q", src, once, twice)
		}
		for _, comment := range []string{"# comment", "// other", "/* inline */", "/* of\nlines */", "# one", "# end"} {
			if strings.Count(src, comment) != strings.Count(string(once), comment) {
				t.Fatalf("%q: the comment %q is lost in %q", src, comment, once)
			}
		}
	})
}

func TestExamplesAreFormatted(t *testing.T) {
	names, err := filepath.Glob("../examples/*/*.rq.hcl")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustFormat(t, src); !bytes.Equal(got, src) {
			t.Errorf("%s is not in its canonical form:\n%s", name, got)
		}
	}
	for _, s := range topLevel {
		if got := mustFormat(t, []byte(s.example)); string(got) != s.example+"\n" {
			t.Errorf("the example of %s is not in its canonical form:\n%s", s.name, got)
		}
	}
}
