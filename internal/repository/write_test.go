package repository

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

func TestIDs(t *testing.T) {
	at := time.Date(2026, 3, 1, 5, 5, 6, 7, time.FixedZone("", 3600))
	id := NewID(at, bytes.NewReader([]byte{0x0a, 0x1b, 0x2c}))
	if id != testID {
		t.Error(id)
	}
	if got, err := ParseID(id); err != nil || !got.Equal(taken) {
		t.Error(got, err)
	}
	if NewID(at, rand.Reader) == NewID(at, rand.Reader) {
		t.Error("two backups of one second have one ID")
	}
	for _, bad := range []string{"", "lock", "20261301T040506Z-0a1b2c", "20260301T040506Z-0A1B2C", testID + "/", testID + "\n", "../" + testID} {
		if _, err := ParseID(bad); err == nil {
			t.Errorf("%q is an ID", bad)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an ID without randomness")
		}
	}()
	NewID(at, iotest.ErrReader(io.ErrUnexpectedEOF))
}

func TestURLs(t *testing.T) {
	for _, good := range []string{"file:///srv/backups", "file://localhost/srv/backups/", "file:///srv/with%20space"} {
		if err := CheckURL(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", "/srv/backups", "file:srv", "file://srv/backups", "file://./srv", "file:///", "file:////", "file:///srv?create_dir=1",
		"file:///srv#x", "file://user:hush@/srv", "s3://AKIA:hush@bucket?secret=hush", "http://[::1", "file:///srv%00x", "mem://",
	} {
		err := CheckURL(bad)
		if !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	_, good := keyPair(t)
	url := "file://" + t.TempDir()
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"no cluster":         {Options{URL: url, Plaintext: true}, ErrURL},
		"cluster leads out":  {Options{URL: url, Cluster: "..", Plaintext: true}, ErrURL},
		"cluster is a path":  {Options{URL: url, Cluster: "a/b", Plaintext: true}, ErrURL},
		"both forms":         {Options{URL: url, Cluster: "prod", Plaintext: true, Recipients: []string{good}}, ErrRecipients},
		"recipient no good":  {Options{URL: url, Cluster: "prod", Recipients: []string{"x"}}, ErrRecipients},
		"scheme not built":   {Options{URL: "ftp://b", Cluster: "prod"}, ErrURL},
		"no repository":      {Options{Cluster: "prod"}, ErrURL},
		"unfinished's label": {Options{URL: url, Cluster: "a.1f.tmp"}, ErrURL},
	} {
		r, err := Open(ctx, c.o)
		if !errors.Is(err, c.want) || r != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreateRefusesWhatIsThere(t *testing.T) {
	r, _ := newRepository(t)
	if _, err := r.Create(ctx, "latest"); !errors.Is(err, ErrManifest) {
		t.Error(err)
	}
	w, err := r.Create(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "swarm", "../x.tar", "a/b.tar", ".tar", "manifest.json"} {
		if _, err := w.Put(ctx, bad, strings.NewReader("x"), nil); !errors.Is(err, ErrManifest) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := w.Commit(ctx, manifest()); !errors.Is(err, ErrManifest) {
		t.Errorf("a backup of nothing: %v", err)
	}
	if _, err := w.Put(ctx, "swarm.tar", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(ctx, "swarm.tar", strings.NewReader("x"), nil); !errors.Is(err, ErrExists) {
		t.Errorf("the same object again: %v", err)
	}
	if _, err := r.Create(ctx, testID); !errors.Is(err, ErrIncomplete) {
		t.Errorf("beside leftovers: %v", err)
	}
	for name, spoilt := range map[string]func(*state.Backup){
		"another ID": func(b *state.Backup) { b.ID = "20260301T040506Z-000000" }, "another cluster": func(b *state.Backup) { b.Cluster = "test" },
		"no kind": func(b *state.Backup) { b.Kind = "" }, "no time": func(b *state.Backup) { b.TakenAt = time.Time{} },
		"a problem": func(b *state.Backup) { b.Problem = &state.Problem{Text: "p"} },
	} {
		m := manifest()
		spoilt(&m)
		if err := w.Commit(ctx, m); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Commit(ctx, manifest()); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx, manifest()); !errors.Is(err, ErrManifest) {
		t.Errorf("a second Commit: %v", err)
	}
	if _, err := w.Put(ctx, "late.tar", strings.NewReader("x"), nil); !errors.Is(err, ErrExists) {
		t.Errorf("after the Commit: %v", err)
	}
	if err := w.Abort(ctx); err != nil {
		t.Error(err)
	}
	if _, err := r.Create(ctx, testID); !errors.Is(err, ErrExists) {
		t.Errorf("over a backup: %v", err)
	}
	if err := r.RemoveIncomplete(ctx, testID); !errors.Is(err, ErrExists) {
		t.Errorf("a backup counts as incomplete: %v", err)
	}
	if err := r.VerifyObjects(ctx, testID); err != nil {
		t.Errorf("Abort or RemoveIncomplete touched a backup: %v", err)
	}
}

// What changed between Put and Commit is noticed before there is a manifest.
func TestCommitLooksAgain(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"removed":    func(dir string) error { return os.Remove(filepath.Join(dir, "swarm.tar.zst.age")) },
		"cut":        func(dir string) error { return os.Truncate(filepath.Join(dir, "swarm.tar.zst.age"), 3) },
		"added":      func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) },
		"a manifest": func(dir string) error { return os.WriteFile(filepath.Join(dir, manifestName), nil, 0o600) },
	} {
		r, root := newRepository(t)
		w, err := r.Create(ctx, testID)
		if err == nil {
			_, err = w.Put(ctx, "swarm.tar", strings.NewReader("x"), nil)
		}
		if err == nil {
			err = change(filepath.Join(root, "prod", testID))
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(ctx, manifest()); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

// lying is a store on which what is read differs from what was written.
type lying struct{ store }

func (l lying) open(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := l.store.open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if len(data) > 0 {
		data[len(data)/2] ^= 1
	}
	return io.NopCloser(bytes.NewReader(data)), err
}

func TestObjectsAreReadBack(t *testing.T) {
	r, _ := newRepository(t)
	honest := r.store
	r.store = lying{honest}
	if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": []byte("x")}); !errors.Is(err, ErrDigest) {
		t.Errorf("an object that reads back otherwise: %v", err)
	}
	r.store = honest
	w, err := r.Create(ctx, testID)
	if err == nil {
		_, err = w.Put(ctx, "swarm.tar", strings.NewReader("x"), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.store = lying{honest}
	if err := w.Commit(ctx, manifest()); !errors.Is(err, ErrDigest) {
		t.Errorf("a manifest that reads back otherwise: %v", err)
	}
	r.store = honest
	if list, err := r.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// A source that fails, or a run that is interrupted, leaves nothing.
func TestPutThatFailsLeavesNothing(t *testing.T) {
	r, root := newRepository(t)
	w, err := r.Create(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the host went away")
	src := io.MultiReader(bytes.NewReader(content(1, 400_000)), iotest.ErrReader(broken))
	if _, err := w.Put(ctx, "swarm.tar", src, nil); !errors.Is(err, broken) {
		t.Errorf("a source that fails: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	progress := func(n int64) {
		if n > 100_000 {
			cancel()
		}
	}
	if _, err := w.Put(ended, "swarm.tar", bytes.NewReader(content(1, 400_000)), progress); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt: %v", err)
	}
	if got := keys(t, r.store, "prod/"); got != "" {
		t.Errorf("left: %s", got)
	}
	if err := w.Abort(ended); err != nil {
		t.Error(err)
	}
	if got := tree(t, filepath.Join(root, "prod")); len(got) != 0 {
		t.Errorf("left after Abort: %v", got)
	}
}

// dayID is the ID of the backup of a day in March.
func dayID(day int) string { return fmt.Sprintf("202603%02dT000000Z-00000%d", day, day) }

func storeDay(t *testing.T, r *Repository, day int) {
	t.Helper()
	w, err := r.Create(ctx, dayID(day))
	if err == nil {
		_, err = w.Put(ctx, "swarm.tar", strings.NewReader("x"), nil)
	}
	m := manifest()
	m.TakenAt = time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)
	if err == nil {
		err = w.Commit(ctx, m)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// spoilManifest changes a field of a manifest at rest.
func spoilManifest(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	spoil(t, path, func(data []byte) []byte {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		data, _ = json.Marshal(m)
		return data
	})
}

func TestListOrderAndProblems(t *testing.T) {
	r, root := newRepository(t)
	if list, err := r.List(ctx); err != nil || len(list) != 0 || !absent(root) {
		t.Errorf("a repository that is not there yet: %v, %v", list, err)
	}
	for day := 1; day <= 7; day++ {
		storeDay(t, r, day)
	}
	path := func(day int, name string) string { return filepath.Join(root, "prod", dayID(day), name) }
	spoil(t, path(2, manifestName), func(b []byte) []byte { return b[:50] })
	spoil(t, path(3, "swarm.tar.zst.age"), func(b []byte) []byte { return b[:1] })
	spoilManifest(t, path(4, manifestName), func(m map[string]any) {
		m["stored"].([]any)[0].(map[string]any)["name"] = "../../../x.tar.zst.age"
	})
	spoilManifest(t, path(5, manifestName), func(m map[string]any) { m["format_version"], m["more"] = 99, true })
	spoilManifest(t, path(6, manifestName), func(m map[string]any) { m["id"] = dayID(7) })
	if err := os.Remove(path(7, manifestName)); err != nil { // no backup any more
		t.Fatal(err)
	}
	for _, other := range []string{"notes", "20260399T000000Z-000000", "lock"} {
		if err := writeAll(ctx, r.store, "prod/"+other+"/manifest.json", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}

	list, err := r.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range list {
		text := ""
		if b.Problem != nil {
			text = b.Problem.Text
			if b.Problem.Code != diag.BackupDamaged || b.Problem.Remedy == "" {
				t.Errorf("%+v", b.Problem)
			}
		}
		got = append(got, b.ID+" "+text)
	}
	want := []string{
		dayID(6) + ` its manifest can't be read: it is the manifest of backup "` + dayID(7) + `"`,
		dayID(5) + " its manifest can't be read: its format is 99 and this program reads up to 1: use a newer requeen",
		dayID(4) + ` its manifest can't be read: it names an object that can't be one: "../../../x.tar.zst.age"`,
		fmt.Sprintf("%s swarm.tar.zst.age has 1 bytes, and was stored with %d", dayID(3), list[len(list)-1].Stored[0].Size),
		dayID(2) + " its manifest can't be read: unexpected end of JSON input",
		dayID(1) + " ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := r.Get(ctx, dayID(2)); !errors.Is(err, ErrManifest) {
		t.Errorf("Get of what can't be read: %v", err)
	}
	if b, err := r.Get(ctx, dayID(3)); err != nil || b.Problem == nil {
		t.Errorf("%+v, %v", b, err)
	}
	if clusters, err := Clusters(ctx, "file://"+root); err != nil || strings.Join(clusters, " ") != "prod" {
		t.Errorf("%v, %v", clusters, err)
	}
}
