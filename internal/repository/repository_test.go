package repository

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/requeen/requeen/internal/state"
)

var (
	ctx   = context.Background()
	taken = time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC)
)

const testID = "20260301T040506Z-0a1b2c"

// keyPair makes an identity file and its recipient.
func keyPair(t *testing.T) (file, recipient string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(file, []byte("# of a test\n"+id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, id.Recipient().String()
}

// newRepository gives an encrypted repository in a directory of its own.
func newRepository(t *testing.T) (*Repository, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "repo")
	file, recipient := keyPair(t)
	r, err := Open(ctx, Options{Name: "offsite", URL: "file://" + root, Cluster: "prod", Recipients: []string{recipient}, IdentityFile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, root
}

func manifest() state.Backup {
	return state.Backup{Kind: state.KindRegular, Backup: "state", SwarmID: "s1", TakenAt: taken, Verified: "raft"}
}

// content is bytes that don't compress, the same for the same seed.
func content(seed uint64, n int) []byte {
	out := make([]byte, n)
	src := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = src.Read(out)
	return out
}

func store1(t *testing.T, r *Repository, id string, objects map[string][]byte) {
	t.Helper()
	if err := tryStore(ctx, r, id, objects); err != nil {
		t.Fatal(err)
	}
}

func tryStore(ctx context.Context, r *Repository, id string, objects map[string][]byte) error {
	w, err := r.Create(ctx, id)
	if err != nil {
		return err
	}
	for name, data := range objects {
		if _, err := w.Put(ctx, name, bytes.NewReader(data), nil); err != nil {
			return errors.Join(err, w.Abort(ctx))
		}
	}
	if err := w.Commit(ctx, manifest()); err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	return nil
}

func readObject(t *testing.T, r *Repository, id, name string) []byte {
	t.Helper()
	in, err := r.OpenObject(ctx, id, name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tree gives the paths below root, with modes, sorted.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if rel, _ := filepath.Rel(root, path); rel != "." {
			list = append(list, info.Mode().String()+" "+rel)
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return list
}

func TestPutListOpen(t *testing.T) {
	r, root := newRepository(t)
	swarm, config := content(1, 300_000), []byte("cluster \"prod\" {}\n")
	var told int64
	w, err := r.Create(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	object, err := w.Put(ctx, "swarm.tar", bytes.NewReader(swarm), func(n int64) { told = n })
	if err != nil {
		t.Fatal(err)
	}
	if object.Name != "swarm.tar.zst.age" || told != int64(len(swarm)) {
		t.Errorf("stored as %q, progress ended at %d of %d", object.Name, told, len(swarm))
	}
	if _, err := w.Put(ctx, "config.tar", bytes.NewReader(config), nil); err != nil {
		t.Fatal(err)
	}
	if list, err := r.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("before the manifest: %v, %v", list, err)
	}
	if err := w.Commit(ctx, manifest()); err != nil {
		t.Fatal(err)
	}

	want := []string{
		"drwx------ prod", "drwx------ prod/" + testID,
		"-rw------- prod/" + testID + "/config.tar.zst.age",
		"-rw------- prod/" + testID + "/manifest.json",
		"-rw------- prod/" + testID + "/swarm.tar.zst.age",
	}
	if got := tree(t, root); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("layout:\n%s", strings.Join(got, "\n"))
	}
	list, err := r.List(ctx)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	b := list[0]
	if b.Problem != nil || b.ID != testID || b.Cluster != "prod" || b.FormatVersion != 1 || len(b.Stored) != 2 || b.UploadedAt.IsZero() || len(b.Recipients) != 1 {
		t.Errorf("manifest: %+v", b)
	}
	if got := readObject(t, r, testID, "swarm.tar"); !bytes.Equal(got, swarm) {
		t.Error("swarm.tar comes back otherwise")
	}
	if got := readObject(t, r, testID, "config.tar.zst.age"); !bytes.Equal(got, config) {
		t.Error("config.tar comes back otherwise")
	}
	if err := r.VerifyObjects(ctx, testID); err != nil {
		t.Error(err)
	}
}
