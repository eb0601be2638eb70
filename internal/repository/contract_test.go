package repository

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
)

// stores are the kinds of store, each of which must keep the contract.
var stores = map[string]func(t *testing.T) store{
	"file":    func(t *testing.T) store { return newFileStore(filepath.Join(t.TempDir(), "a", "b")) },
	"objects": func(t *testing.T) store { return newMemoryStore("") },
	"prefix":  func(t *testing.T) store { return newMemoryStore("some/place/") },
}

func init() {
	if os.Getenv(elsewhereVar) != "" {
		stores["elsewhere"] = func(t *testing.T) store {
			s, err := openStore(newURL(t))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
}

// newMemoryStore is an object storage that is gone with the test: what is
// uploaded, listed and made once is so by the same code as at a real one.
func newMemoryStore(prefix string) *objectStore {
	bucket := memblob.OpenBucket(nil)
	return &objectStore{prefix: prefix, dial: func(context.Context) (*blob.Bucket, error) { return bucket, nil }}
}

func TestStoreContract(t *testing.T) {
	parts := map[string]func(*testing.T, store){
		"looking makes nothing":       contractLooking,
		"an object comes back":        contractRoundTrip,
		"what is cancelled is unseen": contractCancel,
		"only one creation":           contractCreateOnce,
		"removal":                     contractRemove,
		"names":                       contractNames,
	}
	for kind, open := range stores {
		for name, part := range parts {
			t.Run(kind+"/"+name, func(t *testing.T) {
				s := open(t)
				defer s.close()
				part(t, s)
			})
		}
	}
}

func keys(t *testing.T, s store, prefix string) string {
	t.Helper()
	objects, err := s.list(ctx, prefix)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, o := range objects {
		list = append(list, o.key)
	}
	return strings.Join(list, " ")
}

func contractLooking(t *testing.T, s store) {
	if got := keys(t, s, "prod/"); got != "" {
		t.Error(got)
	}
	if list, err := s.names(ctx, ""); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	if _, err := s.open(ctx, "prod/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent object: %v", err)
	}
	if err := s.remove(ctx, "prod/x"); err != nil {
		t.Errorf("removing an absent object: %v", err)
	}
	if err := s.tidy(ctx, "prod/"); err != nil {
		t.Error(err)
	}
	if f, ok := s.(*fileStore); ok && !absent(filepath.Dir(f.root)) {
		t.Error("looking made a directory")
	}
}

func contractRoundTrip(t *testing.T, s store) {
	before := time.Now().Add(-time.Hour)
	data := content(3, 100_000)
	if err := writeAll(ctx, s, "prod/a/x", data); err != nil {
		t.Fatal(err)
	}
	if err := writeAll(ctx, s, "prod/a/x", data[1:]); err != nil {
		t.Fatalf("writing over it: %v", err)
	}
	if err := writeAll(ctx, s, "prod/a/empty", nil); err != nil {
		t.Fatal(err)
	}
	if err := writeAll(ctx, s, "prodigal/a/x", data); err != nil {
		t.Fatal(err)
	}
	if err := s.settle(ctx, "prod/a/"); err != nil {
		t.Error(err)
	}
	got, err := readAll(ctx, s, "prod/a/x", 1<<20)
	if err != nil || !bytes.Equal(got, data[1:]) {
		t.Errorf("it reads back otherwise: %v", err)
	}
	if _, err := readAll(ctx, s, "prod/a/x", 10); !errors.Is(err, errTooLong) {
		t.Errorf("a limit: %v", err)
	}
	objects, err := s.list(ctx, "prod/")
	if err != nil || len(objects) != 2 || objects[0].key != "prod/a/empty" || objects[1].size != int64(len(data)-1) || objects[1].modified.Before(before) {
		t.Errorf("%v, %v", objects, err)
	}
}

func contractCancel(t *testing.T, s store) {
	w, err := s.create(ctx, "prod/a/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content(1, 70_000)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(ctx, "prod/a/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is seen before it is complete: %v", err)
	}
	w.cancel()
	ended, cancel := context.WithCancel(ctx)
	w, err = s.create(ended, "prod/a/y")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := w.commit(); err == nil {
		t.Error("a commit after its context had ended")
	}
	if got := keys(t, s, "prod/"); got != "" {
		t.Errorf("left: %s", got)
	}
}

func contractCreateOnce(t *testing.T, s store) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		wins []string
	)
	for _, who := range strings.Split("abcdefgh", "") {
		wg.Go(func() {
			err := s.createOnce(ctx, "prod/lock/000001.json", []byte(who))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				wins = append(wins, who)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := readAll(ctx, s, "prod/lock/000001.json", 10)
	if err != nil || len(wins) != 1 || string(got) != wins[0] {
		t.Errorf("%v created it, %q is in it: %v", wins, got, err)
	}
	if got := keys(t, s, "prod/"); got != "prod/lock/000001.json" {
		t.Errorf("left: %s", got)
	}
	if err := s.createOnce(ctx, "prod/lock/000001.json", []byte("other")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again, with other bytes: %v", err)
	}
}

// contractNames: what lies right below, each once, objects and prefixes alike.
func contractNames(t *testing.T, s store) {
	for _, key := range []string{"prod/a/x", "prod/a/y", "prod/b", "prodigal/c"} {
		if err := writeAll(ctx, s, key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string]string{"": "prod prodigal", "prod/": "a b", "prod/a/": "x y", "none/": ""} {
		if list, err := s.names(ctx, prefix); err != nil || strings.Join(list, " ") != want {
			t.Errorf("below %q: %v, %v", prefix, list, err)
		}
	}
}

func contractRemove(t *testing.T, s store) {
	if err := writeAll(ctx, s, "prod/a/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.tidy(ctx, "prod/a/"); err != nil {
		t.Fatal(err)
	}
	if keys(t, s, "prod/") != "prod/a/x" {
		t.Error("tidy removed what was not empty")
	}
	if err := s.remove(ctx, "prod/a/x"); err != nil {
		t.Fatal(err)
	}
	if err := s.tidy(ctx, "prod/a/"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.names(ctx, "prod/"); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// What can't be read is not taken for absent (safety rule 4).
func TestFileStoreTellsWhatItCannotList(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "prod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(ctx, Options{URL: "file://" + root, Cluster: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := r.List(ctx); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), root) {
		t.Errorf("a file in the place of a directory: %v, %v", list, err)
	}
	loop := filepath.Join(root, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if _, err := newFileStore(root).list(ctx, "loop/"); err == nil {
		t.Error("a directory that can't be opened lists as empty")
	}
}

// The repository may be behind a link, as a mounted disk often is.
func TestFileStoreBehindLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	s := newFileStore(link)
	if err := writeAll(ctx, s, "prod/a/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.settle(ctx, "prod/a/"); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, s, "prod/"); got != "prod/a/x" {
		t.Errorf("listed: %q", got)
	}
}
