package repository

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/requeen/requeen/internal/pages"
	"github.com/requeen/requeen/internal/state"
)

func layoutPage(t *testing.T) pages.Page {
	t.Helper()
	p, err := pages.Read("layout.md")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pageBlock gives one of the page's blocks by the first word of its mark.
func pageBlock(t *testing.T, name string) string {
	t.Helper()
	for _, b := range layoutPage(t).Blocks {
		if strings.HasPrefix(b.Mark, name+":") {
			return b.Text
		}
	}
	t.Fatalf("layout.md has no block %q", name)
	return ""
}

// TestPageTellsEveryKey holds layout.md to the manifest that is written.
func TestPageTellsEveryKey(t *testing.T) {
	told := map[string]bool{}
	for _, c := range layoutPage(t).Inline {
		told[c.Text] = true
	}
	for _, v := range []any{state.Backup{}, state.RaftReport{}, state.Member{}, state.Objects{}, state.StoredObject{}, state.Lock{}, state.Checks{}, state.Signature{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if key, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); !told[key] {
				t.Errorf("layout.md does not tell %s's key %q", typ.Name(), key)
			}
		}
	}
	for _, name := range []string{manifestName, lockDir + "/", "000012" + lockSuffix, "000012" + heartbeatSuffix, "000012" + releasedSuffix,
		storedName("swarm.tar", false), storedName("config.tar", false)} {
		data, err := os.ReadFile("layout.md")
		if err != nil || !strings.Contains(string(data), name) {
			t.Errorf("layout.md does not tell %s (%v)", name, err)
		}
	}
}

// The shell blocks of the page are run by a real shell with real tar and
// sha256sum; age and zstd, which not every machine has, are stood in for by
// their libraries. The end-to-end tests run the same blocks with the programs.
func init() {
	roles["age"] = func() { filter(decrypt) }
	roles["zstd"] = func() { filter(func(_ []string, in io.Reader) (io.Reader, error) { return zstd.NewReader(in) }) }
}

func filter(open func([]string, io.Reader) (io.Reader, error)) {
	out, err := open(os.Args[1:], os.Stdin)
	if err == nil {
		_, err = io.Copy(os.Stdout, out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// decrypt is age -d -i IDENTITY FILE.
func decrypt(args []string, _ io.Reader) (io.Reader, error) {
	if len(args) != 4 || args[0] != "-d" || args[1] != "-i" {
		return nil, fmt.Errorf("age %q: this test knows -d -i IDENTITY FILE only", args)
	}
	identity, err := os.Open(args[2])
	if err != nil {
		return nil, err
	}
	identities, err := age.ParseIdentities(identity)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(args[3])
	if err != nil {
		return nil, err
	}
	return age.Decrypt(file, identities...)
}

// standIn puts age and zstd on a path of the test's own.
func standIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"age", "zstd"} {
		script := fmt.Sprintf("#!/bin/sh\n%s=%s exec '%s' \"$@\"\n", roleVar, name, os.Args[0])
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir + ":" + os.Getenv("PATH")
}

func TestPageOpensABackup(t *testing.T) {
	root := filepath.Join(t.TempDir(), "repo")
	identity, recipient := keyPair(t)
	r, err := Open(ctx, Options{Name: "offsite", URL: "file://" + root, Cluster: "prod", Recipients: []string{recipient}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := r.Create(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"swarm.tar": "swarm/docker-state.json", "config.tar": "config/prod.rq.hcl"} {
		if _, err := w.Put(ctx, name, tarOf(t, file), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(ctx, manifest()); err != nil {
		t.Fatal(err)
	}
	if given := pageBlock(t, "given"); strings.Count(given, "\n") != 3 {
		t.Errorf("the page gives other names than the test:\n%s", given)
	}
	script := fmt.Sprintf("set -eu\ncluster='%s'\nidentity='%s'\nbackup=%s\n", filepath.Join(root, "prod"), identity, testID)
	for _, name := range []string{"list", "check", "open"} {
		script += pageBlock(t, name)
	}
	script += "cat \"$work/swarm/docker-state.json\" \"$work/config/prod.rq.hcl\"\n" + pageBlock(t, "clean") + "! test -e \"$work\"\n"
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+standIn(t), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, words := range []string{testID + "\n", "swarm.tar.zst.age: OK", "config.tar.zst.age: OK", "this is swarm/docker-state.json", "this is config/prod.rq.hcl"} {
		if !strings.Contains(string(out), words) {
			t.Errorf("the page's commands do not say %q:\n%s", words, out)
		}
	}
}

func tarOf(t *testing.T, name string) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	text := "this is " + name + "\n"
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}
