package effects

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/repository"
)

const (
	testRecipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	testKey       = "SWMKEY-1-c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
)

func keyWorld() *World {
	return New(Options{Now: time.Now, Nodes: map[string]Node{"m1": {Address: "10.0.0.11", Manager: true}},
		Repositories: map[string]repository.Options{"local": {Recipients: []string{testRecipient}}, "clear": {Plaintext: true}}})
}

// TestKeyFile: the file is encrypted, for its owner alone, and what it held before is
// kept, once for a recovery.
func TestKeyFile(t *testing.T) {
	w, dir := keyWorld(), t.TempDir()
	file := filepath.Join(dir, "unlock-key.age")
	if err := os.WriteFile(file, []byte("the earlier key"), 0o644); err != nil {
		t.Fatal(err)
	}
	op := apply.Operation{ID: "20260101T000000Z-abcdef", KeyTo: apply.KeyTo{File: file, Repository: "local"}}
	for range 2 { // a run that is cut after the file was written delivers again
		if err := w.fileKey(op, []byte(testKey)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{file: "age-encryption.org", file + ".before-" + op.ID: "the earlier key"} {
		data, err := os.ReadFile(name)
		info, statErr := os.Stat(name)
		if err != nil || statErr != nil || info.Mode() != 0o600 || !strings.HasPrefix(string(data), want) || strings.Contains(string(data), testKey) {
			t.Errorf("%s: %v, %v, %q", name, errors.Join(err, statErr), info.Mode(), data)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("left: %v", list)
	}
}

// TestKeyIsWrittenNowhereInClear: a repository without recipients takes no key.
func TestKeyIsWrittenNowhereInClear(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	op := apply.Operation{ID: "r", KeyTo: apply.KeyTo{File: file, Repository: "clear"}}
	if err := keyWorld().fileKey(op, []byte(testKey)); err == nil {
		t.Error("it was written")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it is there")
	}
}

// TestPlaceOfAKeyIsTriedFirst: a place that can't be written is refused before
// anything is changed.
func TestPlaceOfAKeyIsTriedFirst(t *testing.T) {
	w, dir := keyWorld(), t.TempDir()
	to := apply.KeyTo{File: filepath.Join(dir, "missing", "key"), Repository: "local"}
	if err := w.ReadyRecovery(t.Context(), apply.Operation{KeyTo: to}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("said: %v", err)
	}
	to.File = filepath.Join(dir, "key")
	if err := w.ReadyRecovery(t.Context(), apply.Operation{KeyTo: to}); err != nil {
		t.Error(err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("left: %v", list)
	}
}

// TestKeyCommand: the command reads the key, and whatever it writes, the key is in no
// error.
func TestKeyCommand(t *testing.T) {
	w, file := keyWorld(), filepath.Join(t.TempDir(), "out")
	op := apply.Operation{ID: "r", Node: "m1", KeyTo: apply.KeyTo{Command: "cat >" + file}}
	if err := w.pipeKey(t.Context(), op, []byte(testKey)); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(file); string(data) != testKey+"\n" {
		t.Errorf("it read %q", data)
	}
	op.KeyTo.Command = `read k; echo "refused: $k and ${k#SWMKEY-1-}" >&2; exit 3`
	err := w.pipeKey(t.Context(), op, []byte(testKey))
	if err == nil || !strings.Contains(err.Error(), "status 3") || !strings.Contains(err.Error(), "refused: ") {
		t.Fatalf("said: %v", err)
	}
	if strings.Contains(err.Error(), strings.TrimPrefix(testKey, "SWMKEY-1-")) {
		t.Error("the error holds the key")
	}
	op.KeyTo.Command = "exit 0" // reads nothing
	if err := w.pipeKey(t.Context(), op, []byte(testKey)); err != nil {
		t.Error(err)
	}
}

// TestCheckCommand: its lines are told, its end is in the error, and it is told what
// it is run for.
func TestCheckCommand(t *testing.T) {
	w, lines := keyWorld(), []string{}
	run := func(ctx context.Context, command string) error {
		lines = lines[:0]
		return w.RunCheck(ctx, apply.Operation{ID: "rec", Cluster: "prod", Node: "m1", Command: command}, func(l string) { lines = append(lines, l) })
	}
	if err := run(t.Context(), `echo $RQ_CLUSTER $RQ_RECOVERY $RQ_MANAGER $RQ_MANAGER_ADDRESS; printf 'a\033[31mb'`); err != nil || strings.Join(lines, "|") != "prod rec m1 10.0.0.11|a [31mb" {
		t.Errorf("%v: %q", err, lines)
	}
	err := run(t.Context(), "seq 1 100000; echo no service answers; exit 7")
	if err == nil || !strings.Contains(err.Error(), "status 7") || !strings.HasSuffix(err.Error(), "no service answers") || len(err.Error()) > 2*keptOutput || len(lines) != 100001 {
		t.Errorf("%v, %d lines", err, len(lines))
	}
	if err := run(t.Context(), "sleep 5 & true"); err != nil {
		t.Errorf("what it leaves in the background: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := run(ctx, "echo begun; sleep 1000; echo over"); err == nil || !strings.Contains(err.Error(), "still running") || time.Since(began) > 30*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}
