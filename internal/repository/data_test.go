package repository

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
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
	mark := len(out) // of the end, from which on there are only zeros
	for mark > 0 && out[mark-1] == 0 {
		mark--
	}
	mark = (mark + 511) / 512 * 512
	if _, err := ListTar(bytes.NewReader(out[:mark])); !errors.Is(err, ErrArchive) {
		t.Errorf("cut right behind an entry: %v", err)
	}
	if len(out) > 1<<20 {
		t.Errorf("%d bytes: the holes are in it", len(out))
	}
}

// TestListTarOfManyHoles: a database that punches holes into its files, or an image of a
// disk, has more of them than archive/tar reads.
func TestListTarOfManyHoles(t *testing.T) {
	const holes = 120_000
	var body, archive bytes.Buffer
	fmt.Fprintf(&body, "%d\n", holes)
	for i := range holes {
		fmt.Fprintf(&body, "%d\n1\n", 1<<30+2*i)
	}
	body.Write(make([]byte, 512-body.Len()%512))
	body.Write(bytes.Repeat([]byte("x"), holes))
	real := fmt.Sprint(1<<30 + 2*holes)
	var pax string
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=disk", "GNU.sparse.realsize=" + real} {
		n := len(r) + 4
		pax += fmt.Sprintf("%d %s\n", n, r)
	}
	header := func(kind byte, size int) {
		b := make([]byte, 512)
		copy(b, "disk")
		copy(b[100:], "0000600\x000000000\x000000000\x00")
		copy(b[124:], fmt.Sprintf("%011o\x0000000000000\x00        ", size))
		b[156] = kind
		copy(b[257:], "ustar\x0000")
		sum := 0
		for _, c := range b {
			sum += int(c)
		}
		copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
		archive.Write(b)
	}
	padded := func(data []byte) {
		archive.Write(data)
		archive.Write(make([]byte, (512-len(data)%512)%512))
	}
	header('x', len(pax))
	padded([]byte(pax))
	header('0', body.Len())
	padded(body.Bytes())
	archive.Write(make([]byte, 1024))
	if _, err := tar.NewReader(bytes.NewReader(archive.Bytes())).Next(); err == nil {
		t.Error("archive/tar reads it now: ListTar may use that")
	}
	if n, err := ListTar(bytes.NewReader(archive.Bytes())); n != 1 || err != nil {
		t.Errorf("%d entries, %v", n, err)
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
