//go:build lab

package objectstore

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// signed is a repository with a recipient and keys, at a URL.
type signed struct {
	recipient, identity string
	private, public     string
}

func newSigned(t *testing.T) signed {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s := signed{recipient: id.Recipient().String(), identity: filepath.Join(t.TempDir(), "identity")}
	if err := os.WriteFile(s.identity, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.private, s.public, err = repository.NewSignKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s signed) at(t *testing.T, name, url string) *repository.Repository {
	t.Helper()
	r, err := repository.Open(t.Context(), repository.Options{Name: name, URL: url, Cluster: "prod", Recipients: []string{s.recipient},
		IdentityFile: s.identity, VerifyKeys: []string{s.public}, SignKey: repository.SignKey{Text: func() string { return s.private }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func opens(t *testing.T, r *repository.Repository, want int64) {
	t.Helper()
	in, err := r.OpenObject(t.Context(), backupID, "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if n, err := io.Copy(io.Discard, in); err != nil || n != want {
		t.Errorf("%s: read %d of %d: %v", r.Name(), n, want, err)
	}
}

// A backup in two repositories: the server dies in the middle of the copy into it, what
// is left is no backup, and once it is back the copy is made; then the first is lost,
// and the second opens.
func TestCopyIntoServer(t *testing.T) {
	const size = 24 << 20
	s, keys := newServer(t), newSigned(t)
	root := t.TempDir()
	first, second := keys.at(t, "nas", "file://"+root), keys.at(t, "offsite", s.url())
	if err := store(t.Context(), first, backupID, noise(size)); err != nil {
		t.Fatal(err)
	}
	killed := false
	_, err := second.Copy(t.Context(), first, backupID, func(p repository.CopyProgress) {
		if p.Bytes > size/2 && !killed {
			killed = true
			s.kill()
		}
	})
	says(t, err, "can't be reached")
	s.start()
	if list, err := second.List(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("after the cut: %v, %v", list, err)
	}
	copied, err := second.Copy(t.Context(), first, backupID, nil)
	if err != nil || copied.Problem != nil || copied.Signature == nil {
		t.Fatalf("%+v, %v", copied.Problem, err)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	opens(t, second, size)
	back := keys.at(t, "new", "file://"+t.TempDir())
	if _, err := back.Copy(t.Context(), second, backupID, nil); err != nil {
		t.Fatal(err)
	}
	opens(t, back, size)
}

// Whoever can write to the bucket can slip nothing in: a manifest that says more than
// was signed, an archive in another's place, an older manifest under a newer name, and
// one of his own key are refused, are opened by nobody, and are copied nowhere.
func TestForgedInServer(t *testing.T) {
	s, keys := newServer(t), newSigned(t)
	const other = "20260302T040506Z-0a1b2c"
	r := keys.at(t, "offsite", s.url())
	for _, id := range []string{backupID, other} {
		if err := store(t.Context(), r, id, strings.NewReader("the swarm of "+id)); err != nil {
			t.Fatal(err)
		}
	}
	place := filepath.Join(s.root, "data", bucketName, "place", "prod")
	manifestOf := func(id string) string { return filepath.Join(place, id, "manifest.json") }
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	write := func(path string, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good, archive := read(manifestOf(backupID)), filepath.Join(place, backupID, "swarm.tar.zst.age")
	bytes := read(archive)
	edited := func(edit func(*state.Backup)) []byte {
		var b state.Backup
		if err := json.Unmarshal(good, &b); err != nil {
			t.Fatal(err)
		}
		edit(&b)
		data, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return append(data, '\n')
	}
	to := keys.at(t, "nas", "file://"+t.TempDir())
	for name, c := range map[string]struct {
		forge func()
		kind  error
	}{
		"a manifest that was edited":       {func() { write(manifestOf(backupID), edited(func(b *state.Backup) { b.Verified = "plan" })) }, repository.ErrSignature},
		"a manifest without its signature": {func() { write(manifestOf(backupID), edited(func(b *state.Backup) { b.Signature = nil })) }, repository.ErrSignature},
		"a manifest of another key": {func() {
			theirs := newSigned(t)
			theirs.recipient = keys.recipient
			if err := os.RemoveAll(filepath.Join(place, backupID)); err != nil {
				t.Fatal(err)
			}
			if err := store(t.Context(), theirs.at(t, "offsite", s.url()), backupID, strings.NewReader("their swarm")); err != nil {
				t.Fatal(err)
			}
		}, repository.ErrSignature},
		"an older manifest, replayed": {func() { write(manifestOf(backupID), read(manifestOf(other))) }, repository.ErrManifest},
		"another backup's archive":    {func() { write(archive, read(filepath.Join(place, other, "swarm.tar.zst.age"))) }, repository.ErrDigest},
	} {
		t.Run(name, func(t *testing.T) {
			c.forge()
			t.Cleanup(func() { write(archive, bytes); write(manifestOf(backupID), good) })
			for what, do := range map[string]func() error{
				"verified": func() error { return r.VerifyObjects(t.Context(), backupID) },
				"copied":   func() error { _, err := to.Copy(t.Context(), r, backupID, nil); return err },
				"opened": func() error {
					in, err := r.OpenObject(t.Context(), backupID, "swarm.tar")
					if err != nil {
						return err
					}
					defer in.Close()
					_, err = io.Copy(io.Discard, in)
					return err
				},
			} {
				if err := do(); !errors.Is(err, c.kind) {
					t.Errorf("%s: %v, want %v", what, err, c.kind)
				}
			}
			if list, err := to.List(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("copied: %v, %v", list, err)
			}
		})
	}
	if err := r.VerifyObjects(t.Context(), backupID); err != nil {
		t.Errorf("put back: %v", err)
	}
}
