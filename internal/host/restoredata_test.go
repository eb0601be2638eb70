package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/requeen/requeen/internal/state"
)

// dataHost is a fake host whose place holds old data, and new data in an archive.
type dataHost struct {
	*fakeHost
	r       DataRestore
	archive []byte
}

func newDataHost(t *testing.T) *dataHost {
	t.Helper()
	f := newFakeHost(t)
	write(t, f.path("mounts"), "", 0o644)
	write(t, f.path("bin/sync"), "#!/bin/sh\nfor last; do :; done\n[ -e \"$last\" ]\n", 0o755) // a busy disk takes seconds
	o := &f.host.pool.o
	o.testOnlyEnv = append(o.testOnlyEnv, "mount_table="+f.path("mounts"))
	place := f.path("docker/volumes/pg data/_data")
	write(t, place+"/old", "old", 0o600)
	from := f.path("from")
	write(t, from+"/base/1", "row", 0o640)
	write(t, from+"/.hidden", "", 0o600)
	for _, err := range []error{os.Link(from+"/base/1", from+"/base/2"), os.Symlink("/etc/passwd", from+"/link"), os.Chmod(from+"/base", os.ModeSetgid|0o750), os.Chmod(from, 0o711)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sparse, err := os.Create(from + "/sparse")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = sparse.WriteAt([]byte("end"), 16<<20)
	_ = sparse.Close()
	_ = syscall.Setxattr(from+"/base/1", "user.note", []byte("kept"), 0)
	tar := exec.Command("tar", "--sparse", "--xattrs", "--acls", "--numeric-owner", "-C", from, "-cf", "-", ".")
	tar.Stderr = os.Stderr
	archive, err := tar.Output()
	if err != nil {
		t.Fatal(err)
	}
	return &dataHost{fakeHost: f, archive: archive, r: DataRestore{ID: "r1-volume-pg", Cluster: "prod", Token: 7, MachineID: "machine1", Place: place,
		Backup: "20260102T030405Z-abcdef", SHA256: "00", Bytes: 10, Files: 10, Unused: func(context.Context) error { return nil }}}
}

func (d *dataHost) restore(archive io.Reader) (DataRestored, error) {
	return d.host.RestoreData(context.Background(), d.r, func(context.Context) (io.ReadCloser, error) { return io.NopCloser(archive), nil })
}

func (d *dataHost) whole() io.Reader { return bytes.NewReader(d.archive) }

// holds asserts which files are in the place.
func (d *dataHost) holds(want ...string) {
	d.t.Helper()
	var got []string
	err := filepath.WalkDir(d.r.Place, func(file string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			got = append(got, strings.TrimPrefix(file, d.r.Place+"/"))
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		d.t.Errorf("the place holds %q, %v", got, err)
	}
}

// isRestored asserts that the place holds the archive and nothing else.
func (d *dataHost) isRestored() {
	d.t.Helper()
	d.holds(".hidden", "base/1", "base/2", "link", "sparse")
	place, one, two := &syscall.Stat_t{}, &syscall.Stat_t{}, &syscall.Stat_t{}
	for path, to := range map[string]*syscall.Stat_t{"": place, "/base/1": one, "/base/2": two} {
		if err := syscall.Stat(d.r.Place+path, to); err != nil {
			d.t.Fatal(err)
		}
	}
	if one.Ino != two.Ino || one.Mode&0o7777 != 0o640 || place.Mode&0o7777 != 0o711 {
		d.t.Errorf("links or modes are not kept: %o %o", one.Mode, place.Mode)
	}
	if dir, _ := os.Stat(d.r.Place + "/base"); dir.Mode()&os.ModeSetgid == 0 {
		d.t.Error("the setgid bit is not kept")
	}
	if to, err := os.Readlink(d.r.Place + "/link"); to != "/etc/passwd" {
		d.t.Errorf("the symbolic link is %q, %v", to, err)
	}
	sparse := &syscall.Stat_t{}
	if err := syscall.Stat(d.r.Place+"/sparse", sparse); err != nil || sparse.Size != 16<<20+3 || sparse.Blocks*512 > 1<<20 {
		d.t.Errorf("the sparse file has %d bytes in %d blocks, %v", sparse.Size, sparse.Blocks, err)
	}
	note := make([]byte, 16)
	if n, err := syscall.Getxattr(d.path("from/base/1"), "user.note", note); err == nil && n > 0 {
		if n, err = syscall.Getxattr(d.r.Place+"/base/1", "user.note", note); err != nil || string(note[:n]) != "kept" {
			d.t.Errorf("the extended attribute is %q, %v", note[:max(n, 0)], err)
		}
	}
	if left, _ := filepath.Glob(d.r.Place + ".requeen-*.new"); len(left) > 0 {
		d.t.Errorf("left: %q", left)
	}
}

// TestRestoreData: what was in the place is beside it, also after a second call, which
// fetches nothing.
func TestRestoreData(t *testing.T) {
	d := newDataHost(t)
	got, err := d.restore(d.whole())
	if err != nil {
		t.Fatal(err)
	}
	d.isRestored()
	if len(got.Asides) != 1 || got.Before || read(t, got.Asides[0]+"/old") != "old" {
		t.Errorf("got %+v", got)
	}
	again, err := d.restore(iotest.ErrReader(errors.New("fetched again")))
	if err != nil || !again.Before || len(again.Asides) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	d.r.SHA256 = "11"
	if _, err := d.restore(d.whole()); !errors.Is(err, ErrGuard) {
		t.Errorf("another object under the same ID: %v", err)
	}
}

// TestDataAsideIsToldAndRemoved: a probe tells what was set aside, also of a restore that
// is not over, and only that is removed.
func TestDataAsideIsToldAndRemoved(t *testing.T) {
	d := newDataHost(t)
	done, err := d.restore(d.whole())
	if err != nil {
		t.Fatal(err)
	}
	told := func() []state.SetAside {
		var asides []state.SetAside
		for _, a := range d.look(d.path("docker")).Host.SetAsides {
			if a.DataOf != "" {
				asides = append(asides, a)
			}
		}
		return asides
	}
	asides := told()
	if len(asides) != 1 || asides[0].Path != done.Asides[0] || asides[0].DataOf != d.r.Place || asides[0].Restore != d.r.ID || asides[0].Cluster != "prod" || asides[0].Unfinished {
		t.Fatalf("told %+v", asides)
	}
	remove := func(path string) error {
		return d.host.RemoveDataAside(context.Background(), "prod", 7, "machine1", d.r.ID, path)
	}
	if err := remove(d.r.Place); err == nil {
		t.Error("the place itself is removed")
	}
	write(t, d.r.Place+".requeen-"+d.r.ID+"x/file", "", 0o600)
	if err := remove(d.r.Place + ".requeen-" + d.r.ID + "x"); !errors.Is(err, ErrGuard) {
		t.Errorf("another directory: %v", err)
	}
	if err := remove(done.Asides[0]); err != nil {
		t.Fatal(err)
	}
	if len(told()) > 0 || exists(done.Asides[0]) || exists(d.path("state/restores/"+d.r.ID)) {
		t.Error("something is left")
	}
	d.isRestored()
}

// TestRestoreDataIntoNothing: a place that is empty, or not there, leaves no set-aside.
func TestRestoreDataIntoNothing(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"empty":            func(p string) error { return os.Remove(p + "/old") },
		"not there":        os.RemoveAll,
		"no parent either": func(p string) error { return os.RemoveAll(filepath.Dir(filepath.Dir(p))) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDataHost(t)
			if err := spoil(d.r.Place); err != nil {
				t.Fatal(err)
			}
			if got, err := d.restore(d.whole()); err != nil || len(got.Asides) > 0 {
				t.Errorf("%+v, %v", got, err)
			}
			d.isRestored()
		})
	}
}

// TestRestoreDataKeepsWhatIsThere: where only an empty place is to be filled.
func TestRestoreDataKeepsWhatIsThere(t *testing.T) {
	d := newDataHost(t)
	d.r.Fill = true
	got, err := d.restore(iotest.ErrReader(errors.New("fetched")))
	if err != nil || !got.Kept {
		t.Errorf("got %+v, %v", got, err)
	}
	d.holds("old")
	if err := os.Remove(d.r.Place + "/old"); err != nil {
		t.Fatal(err)
	}
	if got, err := d.restore(d.whole()); err != nil || got.Kept {
		t.Errorf("got %+v, %v", got, err)
	}
	d.isRestored()
	if got, err := d.restore(iotest.ErrReader(errors.New("fetched"))); err != nil || !got.Before {
		t.Errorf("again: %+v, %v", got, err)
	}
}

// TestRestoreDataOfACutArchive: an archive that did not come to its end is not put
// into the place, also where tar found nothing wrong with it, and the next try does it.
func TestRestoreDataOfACutArchive(t *testing.T) {
	d := newDataHost(t)
	forged := errors.New("the digest does not hold")
	for name, archive := range map[string]io.Reader{
		"in its middle":   io.MultiReader(bytes.NewReader(d.archive[:len(d.archive)/2]), iotest.ErrReader(forged)),
		"behind its end":  io.MultiReader(d.whole(), iotest.ErrReader(forged)),
		"before its head": iotest.ErrReader(forged),
	} {
		if _, err := d.restore(archive); !errors.Is(err, forged) {
			t.Errorf("%s: %v", name, err)
		}
		d.holds("old")
	}
	if _, err := d.restore(bytes.NewReader([]byte(strings.Repeat("no archive", 1000)))); !errors.Is(err, ErrGuard) {
		t.Errorf("no archive: %v", err)
	}
	if _, err := d.restore(d.whole()); err != nil {
		t.Fatal(err)
	}
	d.isRestored()
	if left, _ := filepath.Glob(d.r.Place + ".requeen-*"); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

// TestRestoreDataRefuses: on another machine, after a later run, where there is no
// room, and where what is in the place can't be renamed.
func TestRestoreDataRefuses(t *testing.T) {
	mounted := func(d *dataHost, at string) {
		at = strings.ReplaceAll(at, " ", `\040`)
		write(d.t, d.path("mounts"), "31 30 8:2 / "+at+" rw shared:2 - ext4 /dev/sdb1 rw\n", 0o644)
	}
	for name, tt := range map[string]struct {
		spoil func(*dataHost)
		kind  error
		word  string
	}{
		"another machine": {func(d *dataHost) { d.r.MachineID = "other" }, ErrGuard, "not other"},
		"a higher token":  {func(d *dataHost) { write(d.t, d.path("state/tokens/prod"), "8\n", 0o644) }, ErrToken, "token 8"},
		"a mount point":   {func(d *dataHost) { mounted(d, d.r.Place) }, ErrGuard, "is a mount point"},
		"a mount inside":  {func(d *dataHost) { mounted(d, d.r.Place+"/sub") }, ErrGuard, "is mounted on"},
		"no room":         {func(d *dataHost) { d.r.Bytes = 1 << 60 }, ErrNoRoom, "are needed"},
		"a file": {func(d *dataHost) {
			_ = os.RemoveAll(d.r.Place)
			write(d.t, d.r.Place, "", 0o600)
		}, ErrGuard, "not a directory"},
		"a link": {func(d *dataHost) {
			d.r.Place = d.path("a-link")
			_ = os.Symlink(d.path("from"), d.r.Place)
		}, ErrGuard, "symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDataHost(t)
			tt.spoil(d)
			if _, err := d.restore(d.whole()); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.word) {
				t.Errorf("got %v", err)
			}
			if left, _ := filepath.Glob(d.r.Place + ".requeen-*"); len(left) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}

// TestRestoreDataCutAnywhere: killed at each of its renames, syncs and marks, and
// repeated under its own ID, or followed by another restore of the place, it ends the
// same, and the old data are kept.
func TestRestoreDataCutAnywhere(t *testing.T) {
	const cuts = 26 // more than there are: the last ones are not reached
	for n := 1; n <= cuts; n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			d := newDataHost(t)
			d.cutAt(n)
			if _, err := d.restore(d.whole()); err == nil {
				if n < 15 {
					t.Error("it was not cut")
				}
				return
			}
			_ = os.Remove(d.path("cut.at"))
			if n%3 == 0 {
				d.r.ID = "r2-volume-pg"
			}
			if _, err := d.restore(d.whole()); err != nil {
				t.Fatal(err)
			}
			d.isRestored()
			if olds, _ := filepath.Glob(d.r.Place + ".requeen-*/old"); len(olds) != 1 {
				t.Errorf("the old data are in %q", olds)
			}
		})
	}
}

// cutAt lets the host's shell die when it calls a tool that changes something for the
// n-th time.
func (d *dataHost) cutAt(n int) {
	const tool = `#!/bin/sh
n=$(cat "$FAKE/cut.n" 2>/dev/null)
echo $((${n:-0} + 1)) >"$FAKE/cut.n"
if [ "$((${n:-0} + 1))" = "$(cat "$FAKE/cut.at" 2>/dev/null)" ]; then kill -9 $PPID; exit 1; fi
PATH=$REAL_PATH exec %s "$@"
`
	for _, name := range []string{"mv", "sync", "rm", "rmdir", "mkdir"} {
		write(d.t, d.path("bin/"+name), fmt.Sprintf(tool, name), 0o755)
	}
	write(d.t, d.path("cut.at"), strconv.Itoa(n)+"\n", 0o644)
}
