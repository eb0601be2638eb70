package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// plansInto gives a script some of plan's golden plans, as plan files.
func plansInto(dir string) error {
	for _, name := range []string{"force", "fresh", "prune"} {
		document, err := os.ReadFile(filepath.Join("..", "..", "plan", "testdata", name, "plan.json"))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".plan"), document, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// -no-color says what NO_COLOR says, as soon as it is read.
func TestNoColor(t *testing.T) {
	for text, want := range map[string]string{"true": "1", "1": "1", "false": ""} {
		t.Setenv("NO_COLOR", "")
		if err := (noColorFlag{}).Set(text); err != nil || os.Getenv("NO_COLOR") != want {
			t.Errorf("-no-color=%s: NO_COLOR is %q, %v", text, os.Getenv("NO_COLOR"), err)
		}
	}
	if err := (noColorFlag{}).Set("perhaps"); err == nil {
		t.Error("-no-color=perhaps is taken")
	}
}

// The picture is for the eyes: what decides or runs a plan must not read it.
func TestNothingRunsByThePicture(t *testing.T) {
	for _, dir := range []string{"apply", "internal/effects", "internal/status"} {
		files, err := filepath.Glob(filepath.Join(repositoryRoot, dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, file := range files {
			if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte(".Picture")) {
				t.Errorf("%s reads a plan's picture (%v)", file, err)
			}
		}
	}
}
