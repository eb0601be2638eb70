package repository

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// TestAheadObjectsBecomePartOfTheBackup: what was stored ahead is in the manifest, also
// after a first try to make the backup was given up; what a cut try left beside it is not.
func TestAheadObjectsBecomePartOfTheBackup(t *testing.T) {
	r, _ := newRepository(t)
	ctx := t.Context()
	put := func(name string, seed uint64) state.StoredObject {
		o, err := r.PutAhead(ctx, testID, name, bytes.NewReader(content(seed, 5000)), nil)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	put("volume-old.tar", 1)
	put("volume-a.tar", 2)
	ahead := []state.StoredObject{put("volume-a.tar", 3)}
	for _, giveUp := range []bool{true, false} {
		w, err := r.Continue(ctx, testID, ahead)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Put(ctx, "swarm.tar", bytes.NewReader(content(4, 100)), nil); err != nil {
			t.Fatal(err)
		}
		if giveUp {
			if err := w.Abort(ctx); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := w.Commit(ctx, manifest()); err != nil {
			t.Fatal(err)
		}
	}
	if got := readObject(t, r, testID, "volume-a.tar"); !bytes.Equal(got, content(3, 5000)) {
		t.Error("the archive is another")
	}
	list, err := r.List(ctx)
	if err != nil || len(list) != 1 || list[0].Problem != nil || len(list[0].Stored) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := r.PutAhead(ctx, testID, "volume-a.tar", bytes.NewReader(nil), nil); !errors.Is(err, ErrExists) {
		t.Errorf("a finished backup is written to: %v", err)
	}
}

func TestAheadObjectThatIsGone(t *testing.T) {
	r, _ := newRepository(t)
	gone := []state.StoredObject{{Name: "volume-a.tar.zst.age", Size: 100}}
	if _, err := r.Continue(t.Context(), testID, gone); !errors.Is(err, ErrDigest) {
		t.Errorf("%v", err)
	}
}

// TestListTar lists what GNU tar writes of holes, links and names beyond ASCII.
func TestListTar(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int64{"plain": 10, "ü": 1, "holes": 8 << 20} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("x"), size-1); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := errors.Join(os.Link(filepath.Join(dir, "plain"), filepath.Join(dir, "hard")), os.Symlink("plain", filepath.Join(dir, "soft"))); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tar", "--create", "--file=-", "--format=posix", "--sparse", "--numeric-owner", "--one-file-system", "--xattrs", "-C", dir, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := ListTar(bytes.NewReader(out)); err != nil || n != 6 {
		t.Errorf("%d entries, %v", n, err)
	}
	if _, err := ListTar(bytes.NewReader(out[:len(out)/2])); !errors.Is(err, ErrArchive) {
		t.Errorf("half of it: %v", err)
	}
	if len(out) > 1<<20 {
		t.Errorf("%d bytes: the holes are in it", len(out))
	}
}

// TestAheadObjectThatWasChanged is found before it is a part of a backup.
func TestAheadObjectThatWasChanged(t *testing.T) {
	r, _ := newRepository(t)
	o, err := r.PutAhead(t.Context(), testID, "volume-a.tar", bytes.NewReader(content(1, 5000)), nil)
	if err != nil {
		t.Fatal(err)
	}
	o.SHA256 = "00" + o.SHA256[2:]
	if _, err := r.Continue(t.Context(), testID, []state.StoredObject{o}); !errors.Is(err, ErrDigest) {
		t.Errorf("%v", err)
	}
}
