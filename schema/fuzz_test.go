package schema

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"
)

// FuzzLoad: whatever stands in the files, Load does not panic, and there is a
// Config if and only if there are no errors.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		seed := map[string][]byte{}
		for _, file := range ar.Files {
			if file.Name != "want" {
				seed[filepath.Ext(file.Name)] = append(seed[filepath.Ext(file.Name)], file.Data...)
			}
		}
		f.Add(seed[".hcl"], seed[".rqvars"], "dc=fra")
	}
	for _, s := range []string{"", "\xef\xbb\xbf", "\x00", "a = ", "node \"", "locals {\n a = ", "<<E", "${", "%{", "locals {\n a = [for", "locals {\n a = try(try(try(1)))\n}\n", "cluster \"x\" {}\r\n"} {
		f.Add([]byte(s), []byte(s), s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, config, values []byte, v string) {
		for name, data := range map[string][]byte{"main.rq.hcl": config, "requeen.rqvars": values} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, ds := load(dir, Options{Vars: map[string]string{"v": v}, Environ: []string{"RQ_VAR_dc=" + v, "S=" + v}})
		if (cfg == nil) != ds.HasErrors() {
			t.Fatalf("Config is nil: %v; %v", cfg == nil, ds)
		}
		for _, d := range ds {
			if d.Summary == "" || d.Remedy == "" {
				t.Fatalf("%+v", d)
			}
		}
		if cfg != nil && (cfg.Cluster.Name == "" || len(cfg.SHA256) != 64 || len(cfg.Files) == 0) {
			t.Fatalf("%+v", cfg)
		}
	})
}
