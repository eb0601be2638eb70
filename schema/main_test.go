package schema

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the golden files and the reference page anew")

// golden compares a file with what it should hold, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is stale; look at the difference and run go test ./schema -update\n--- want\n%s\n--- got\n%s", name, want, got)
	}
}

// writeFiles lays files out in a new directory.
func writeFiles(t testing.TB, files ...txtar.File) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "conf")
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func oneFile(src string) txtar.File { return txtar.File{Name: "main.rq.hcl", Data: []byte(src)} }

func parseArchive(t testing.TB, name string) *txtar.Archive {
	t.Helper()
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return ar
}
