package host

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestMain lets the test binary be the helper that it puts on "hosts".
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "host-helper" {
		os.Exit(RunHelper(os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// eventually waits for a condition that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fakeID puts an `id` before the real one that says root, so that scripts for
// root run in tests without it.
func fakeID(t *testing.T, bin string) {
	t.Helper()
	write(t, filepath.Join(bin, "id"), "#!/bin/sh\necho 0\n", 0o755)
}
