package repository

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// beside opens another repository, with options made from those of r.
func beside(t *testing.T, r *Repository, change func(*Options)) (*Repository, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "nas")
	o := r.opts
	o.Name, o.URL = "nas", "file://"+root
	if change != nil {
		change(&o)
	}
	to, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	return to, root
}

// storedIn puts a backup of two objects into a repository.
func storedIn(t *testing.T, r *Repository) state.Backup {
	t.Helper()
	w, err := r.Create(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"swarm.tar", "config.tar"} {
		if _, err := w.Put(ctx, name, strings.NewReader("what "+name+" holds"), nil); err != nil {
			t.Fatal(err)
		}
	}
	m := manifest()
	m.OpenedAt, m.Checked = taken, &state.Checks{Objects: taken}
	if err := w.Commit(ctx, m); err != nil {
		t.Fatal(err)
	}
	b, err := r.Get(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func opensThere(t *testing.T, r *Repository) {
	t.Helper()
	in, err := r.OpenObject(ctx, testID, "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if data, err := io.ReadAll(in); err != nil || string(data) != "what swarm.tar holds" {
		t.Errorf("%q, %v", data, err)
	}
}

// Where the recipients are the same the very bytes are stored, and no identity is
// needed.
func TestCopyAsIs(t *testing.T) {
	from, source := newRepository(t)
	b := storedIn(t, from)
	to, root := beside(t, from, func(o *Options) { o.IdentityFile = "" })
	told := map[string]int64{}
	copied, err := to.Copy(ctx, from, testID, func(p CopyProgress) { told[p.Object] = p.Bytes })
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range b.Stored {
		one, err1 := os.ReadFile(filepath.Join(source, "prod", testID, o.Name))
		two, err2 := os.ReadFile(filepath.Join(root, "prod", testID, o.Name))
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(one, two) || told[o.Name] != o.Size {
			t.Errorf("%s: %v, the same: %v, told %d of %d", o.Name, err, bytes.Equal(one, two), told[o.Name], o.Size)
		}
	}
	if copied.Checked != nil || !copied.OpenedAt.Equal(taken) || !copied.UploadedAt.Equal(b.UploadedAt) {
		t.Errorf("the copy's manifest: %+v", copied)
	}
	if again, err := to.Copy(ctx, from, testID, nil); err != nil || again.ID != testID {
		t.Errorf("a second time: %v", err)
	}
}

// Where the recipients are others it is encrypted anew, for which an identity is
// needed; what is not there, and what opens for others, is no copy.
func TestCopyAnew(t *testing.T) {
	from, _ := newRepository(t)
	storedIn(t, from)
	file, recipient := keyPair(t)
	to, root := beside(t, from, func(o *Options) { o.Recipients, o.IdentityFile = []string{recipient}, file })
	closed, _ := beside(t, from, nil)
	closed.store, closed.identity = from.store, ""
	if _, err := to.Copy(ctx, closed, testID, nil); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("without an identity: %v", err)
	}
	if !absent(filepath.Join(root, "prod", testID)) {
		t.Error("a copy that failed left something")
	}
	copied, err := to.Copy(ctx, from, testID, nil)
	if err != nil {
		t.Fatal(err)
	}
	opensThere(t, to)
	if !copied.OpenedAt.IsZero() || len(copied.Recipients) != 1 || copied.Recipients[0] != recipient {
		t.Errorf("the copy's manifest: %+v", copied)
	}
}

// A backup that is damaged, or is another than the one that is there, is not copied.
func TestCopyRefused(t *testing.T) {
	from, source := newRepository(t)
	b := storedIn(t, from)
	to, root := beside(t, from, nil)
	path := filepath.Join(source, "prod", testID, b.Stored[0].Name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Copy(ctx, from, testID, nil); !errors.Is(err, ErrDigest) || !absent(filepath.Join(root, "prod", testID)) {
		t.Errorf("a changed byte: %v", err)
	}
	other := manifest()
	other.TakenAt = taken.AddDate(0, 0, 1)
	w, err := to.Create(ctx, testID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(ctx, "swarm.tar", strings.NewReader("another"), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx, other); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Copy(ctx, from, testID, nil); !errors.Is(err, ErrExists) {
		t.Errorf("over another backup: %v", err)
	}
}

// A signature goes with its manifest; what nobody signed is never signed afterwards.
func TestCopySigned(t *testing.T) {
	file, recipient := keyPair(t)
	private, public, err := NewSignKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string, verify ...string) *Repository {
		r, err := Open(ctx, Options{Name: name, URL: "file://" + filepath.Join(t.TempDir(), name), Cluster: "prod",
			Recipients: []string{recipient}, IdentityFile: file, VerifyKeys: verify, SignKey: SignKey{Text: func() string { return private }}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	signed, plain := open("offsite", public), open("unsigned")
	b := storedIn(t, signed)
	storedIn(t, plain)
	to := open("nas", public)
	to.opts.SignKey = SignKey{}
	copied, err := to.Copy(ctx, signed, testID, nil)
	if err != nil || copied.Problem != nil || copied.Signature == nil || *copied.Signature != *b.Signature {
		t.Errorf("signed: %+v, %v", copied.Signature, err)
	}
	if _, err := open("late", public).Copy(ctx, plain, testID, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("a backup that nobody signed: %v", err)
	}
}

// A copy that was cut anywhere is no backup, and is finished by copying again.
func TestEveryFaultWhileCopying(t *testing.T) {
	from, _ := newRepository(t)
	storedIn(t, from)
	everyFault(t, faultKinds, func(t *testing.T, f *faulty, to *Repository) {
		to.sealer = from.sealer
		_, err := to.Copy(ctx, from, testID, nil)
		to.store = f.store
		b, found := to.Get(ctx, testID)
		switch {
		case err == nil && (found != nil || b.Problem != nil):
			t.Fatalf("copied, and there is none: %v, %+v", found, b.Problem)
		case err != nil && found == nil && b.Problem != nil:
			t.Fatalf("a part of it counts as a backup: %+v", b.Problem)
		}
		if _, err := to.Copy(ctx, from, testID, nil); err != nil {
			t.Fatalf("again: %v", err)
		}
		if err := to.VerifyObjects(ctx, testID); err != nil {
			t.Fatal(err)
		}
	})
}
