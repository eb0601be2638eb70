package schema

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/tools/txtar"
)

const least = `cluster "prod" {}

node "m1" {
  address = "10.0.0.11"
  role    = "manager"
}
`

func mustLoad(t *testing.T, dir string, o Options) *Config {
	t.Helper()
	cfg, ds := Load(dir, o)
	if cfg == nil {
		t.Fatal(ds)
	}
	return cfg
}

// Where blocks stand and what their files are called makes no difference.
func TestFilesInAnyOrder(t *testing.T) {
	var blocks []string
	for _, s := range topLevel {
		blocks = append(blocks, strings.Split(s.example, "\n\n")...)
	}
	var want *Config
	for turn := range blocks {
		var files []txtar.File
		for i, b := range blocks {
			files = append(files, txtar.File{Name: string(rune('a'+(i+turn)%len(blocks))) + ".rq.hcl", Data: []byte(b + "\n")})
		}
		cfg := mustLoad(t, writeFiles(t, files...), Options{})
		forget(cfg)
		if want == nil {
			want = cfg
		}
		if !reflect.DeepEqual(cfg, want) {
			t.Fatalf("turn %d: %+v, want %+v", turn, cfg, want)
		}
	}
}

// forget takes out of a Config what rests on places.
func forget(c *Config) {
	c.Dir, c.Files, c.SHA256 = "", nil, ""
	c.Outside = Outside{}
	none := Config{}.Cluster.Range
	c.Cluster.Range, c.Cluster.Settings.Range = none, none
	if c.Recovery != nil {
		c.Recovery.Range = none
	}
	for i := range c.Nodes {
		c.Nodes[i].Range, c.Nodes[i].Connection.Range = none, none
	}
	for i := range c.Repositories {
		c.Repositories[i].Range = none
	}
	for i := range c.Backups {
		c.Backups[i].Range = none
		if c.Backups[i].Keep != nil {
			c.Backups[i].Keep.Range = none
		}
		if c.Backups[i].Schedule != nil {
			c.Backups[i].Schedule.Range = none
		}
		for k := range c.Backups[i].Data {
			d := &c.Backups[i].Data[k]
			d.Range = none
			for _, command := range []*Command{d.Before, d.After} {
				if command != nil {
					command.Range = none
				}
			}
		}
	}
}

func TestLoadTwiceIsTheSame(t *testing.T) {
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := writeFiles(t, ar.Files...)
		a, ads := Load(dir, goldenOptions(t, ar.Comment, dir))
		b, bds := Load(dir, goldenOptions(t, ar.Comment, dir))
		if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(ads, bds) {
			t.Errorf("%s: two loads differ", name)
		}
	}
}

func TestDigest(t *testing.T) {
	src := least + `
variable "dc" {
  default = "ams"
}
variable "key" {
  default   = "k"
  sensitive = true
}
repository "r" {
  url        = "file:///${var.dc}"
  recipients = [nonsensitive(env("PUBLIC"))]
  identity   = env("IDENTITY")
}
`
	public := "PUBLIC=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	digest := func(o Options, src string) string {
		o.Environ = append([]string{public}, o.Environ...) // the last of equal names counts
		return mustLoad(t, writeFiles(t, oneFile(src)), o).SHA256
	}
	base := digest(Options{}, src)
	if len(base) != 64 {
		t.Errorf("%q is no SHA-256", base)
	}
	for name, same := range map[string]Options{
		"a directory elsewhere":       {},
		"another secret":              {Vars: map[string]string{"key": "other"}},
		"another identity":            {Environ: []string{"IDENTITY=/x"}},
		"the default, given by -var":  {Vars: map[string]string{"dc": "ams"}},
		"an environment of no matter": {Environ: []string{"X=Y", "RQ_VAR_other=1"}},
	} {
		if got := digest(same, src); got != base {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, other := range map[string]Options{
		"another value by -var":        {Vars: map[string]string{"dc": "fra"}},
		"another value by RQ_VAR_":     {Environ: []string{"RQ_VAR_dc=fra"}},
		"another nonsensitive() value": {Environ: []string{"PUBLIC=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"}},
	} {
		if got := digest(other, src); got == base {
			t.Errorf("%s leaves the digest", name)
		}
	}
	if digest(Options{}, src+"# a comment\n") == base {
		t.Error("another file leaves the digest")
	}
}

func TestPrecedence(t *testing.T) {
	src := least + `
variable "v" {
  default = "default"
}
repository "r" {
  url       = "file:///${var.v}"
  plaintext = true
}
`
	file := func(name, value string) txtar.File {
		return txtar.File{Name: name, Data: []byte(`v = "` + value + `"`)}
	}
	env := []string{"RQ_VAR_v=env"}
	own, a, b, given := file("requeen.rqvars", "own"), file("a.auto.rqvars", "a"), file("b.auto.rqvars", "b"), file("given.rqvars", "given")
	for _, c := range []struct {
		want  string
		files []txtar.File
		opts  func(dir string) Options
	}{
		{"default", []txtar.File{given, file(".x.auto.rqvars", "hidden")}, func(string) Options { return Options{} }},
		{"env", nil, func(string) Options { return Options{Environ: env} }},
		{"own", []txtar.File{own}, func(string) Options { return Options{Environ: env} }},
		{"b", []txtar.File{a, b, own}, func(string) Options { return Options{Environ: env} }},
		{"given", []txtar.File{a, given}, func(d string) Options { return Options{VarFiles: []string{filepath.Join(d, "given.rqvars")}} }},
		{"a", []txtar.File{a, b}, func(d string) Options { return Options{VarFiles: []string{filepath.Join(d, "a.auto.rqvars")}} }},
		{"var", []txtar.File{given}, func(d string) Options {
			return Options{VarFiles: []string{filepath.Join(d, "given.rqvars")}, Vars: map[string]string{"v": "var"}}
		}},
		{"given", []txtar.File{given}, func(d string) Options {
			return Options{Inputs: []Input{{Name: "v", Value: "x"}, {Name: "v", Value: "y"}, {File: filepath.Join(d, "given.rqvars")}}}
		}},
		{"y", []txtar.File{given}, func(d string) Options {
			return Options{Inputs: []Input{{File: filepath.Join(d, "given.rqvars")}, {Name: "v", Value: "x"}, {Name: "v", Value: "y"}}}
		}},
	} {
		dir := writeFiles(t, append(c.files, oneFile(src))...)
		if got := mustLoad(t, dir, c.opts(dir)).Repository("r").URL; got != "file:///"+c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestFilesAreListed(t *testing.T) {
	dir := writeFiles(t, oneFile(least+"variable \"v\" {}\n"), txtar.File{Name: "z.auto.rqvars", Data: []byte("v = 1")},
		txtar.File{Name: "sub/x.rqvars", Data: []byte("v = 2")}, txtar.File{Name: "notes.txt"})
	cfg := mustLoad(t, dir, Options{VarFiles: []string{filepath.Join(dir, "sub", "x.rqvars"), filepath.Join(dir, "z.auto.rqvars")}})
	var names []string
	for _, f := range cfg.Files {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "main.rq.hcl sub/x.rqvars z.auto.rqvars" {
		t.Errorf("got %s", got)
	}
	if !filepath.IsAbs(cfg.Dir) || string(cfg.Files[0].Bytes[:7]) != "cluster" {
		t.Errorf("Dir %s, first file %q", cfg.Dir, cfg.Files[0].Bytes)
	}
}

func TestFind(t *testing.T) {
	cfg := mustLoad(t, writeFiles(t, oneFile(least)), Options{})
	if cfg.Node("m1") == nil || cfg.Node("m1") != &cfg.Nodes[0] || cfg.Node("m2") != nil || cfg.Repository("r") != nil || cfg.Backup("b") != nil {
		t.Error("found wrongly")
	}
}

func TestNoDirectory(t *testing.T) {
	dir := writeFiles(t, oneFile(least))
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"):     "No such directory",
		filepath.Join(dir, "main.rq.hcl"): "Not a directory",
		t.TempDir():                       "No configuration here",
	} {
		cfg, ds := Load(path, Options{})
		if cfg != nil || len(ds) != 1 || ds[0].Summary != want || !strings.Contains(ds[0].Remedy, "-chdir=DIR") {
			t.Errorf("%s: %v, want %s", path, ds, want)
		}
	}
}

// file() follows no link and no .. to the outside, and waits for no pipe.
func TestFileStaysInside(t *testing.T) {
	load := func(path string, outside bool) (*Config, string) {
		dir := writeFiles(t, oneFile("cluster \"prod\" {\n  unlock_key = file(\""+path+"\")\n}\n"+strings.SplitN(least, "\n", 2)[1]),
			txtar.File{Name: "in/key", Data: []byte("SWMKEY-1-in\n")}, txtar.File{Name: "../key", Data: []byte("SWMKEY-1-out\n")})
		for link, to := range map[string]string{"good": "in/key", "bad": "../key", "dir": "..", "abs": filepath.Join(dir, "..", "key")} {
			if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, ds := Load(dir, Options{AllowOutside: outside})
		return cfg, ds.Error()
	}
	for _, c := range []struct {
		path           string
		inside, beyond string // the key, or "" for an error, without and with AllowOutside
	}{
		{"in/key", "SWMKEY-1-in", "SWMKEY-1-in"},
		{"./in/../in/key", "SWMKEY-1-in", "SWMKEY-1-in"},
		{"good", "SWMKEY-1-in", "SWMKEY-1-in"},
		{"bad", "", "SWMKEY-1-out"},
		{"../key", "", "SWMKEY-1-out"},
		{"dir/key", "", "SWMKEY-1-out"},
		{"abs", "", "SWMKEY-1-out"},
		{"pipe", "", ""},
		{"/dev/zero", "", ""},
		{"in", "", ""},
		{"none", "", ""},
	} {
		for outside, want := range map[bool]string{false: c.inside, true: c.beyond} {
			cfg, text := load(c.path, outside)
			if (cfg == nil) != (want == "") || cfg != nil && cfg.Cluster.UnlockKey.Reveal() != want {
				t.Errorf("%s, outside %v: %s; want %q", c.path, outside, text, want)
			}
			if strings.Contains(text, "SWMKEY-1-") {
				t.Errorf("%s: the key is told", c.path)
			}
		}
	}
}

func TestUnlockKeyAndIdentity(t *testing.T) {
	src := "cluster \"prod\" {\n  unlock_key = env(\"KEY\")\n}\nrepository \"r\" {\n  url = \"file:///r\"\n  plaintext = true\n  identity = env(\"ID\")\n}\n" + strings.SplitN(least, "\n", 2)[1]
	dir := writeFiles(t, oneFile(src))
	for _, c := range []struct {
		environ  []string
		known    bool
		identity string
	}{
		{nil, false, ""},
		{[]string{"KEY=", "ID="}, false, ""},
		{[]string{"KEY=SWMKEY-1-x\n", "ID=keys/a.txt\n"}, true, filepath.Join(dir, "keys/a.txt")},
		{[]string{"ID=/etc/keys/../a"}, false, "/etc/a"},
	} {
		cfg := mustLoad(t, dir, Options{Environ: c.environ})
		k := cfg.Cluster.UnlockKey
		if !k.Set() || k.Known() != c.known || c.known && k.Reveal() != "SWMKEY-1-x" || cfg.Repositories[0].Identity != c.identity {
			t.Errorf("%q: known %v, identity %q", c.environ, k.Known(), cfg.Repositories[0].Identity)
		}
	}
	if mustLoad(t, writeFiles(t, oneFile(least)), Options{}).Cluster.UnlockKey.Set() {
		t.Error("an unlock key that is not there is set")
	}
}
