package host

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestRestoreDataFollowsNoLink: a link that somebody puts in the place of the directory
// that was made leads nothing out of it.
func TestRestoreDataFollowsNoLink(t *testing.T) {
	d := newDataHost(t)
	elsewhere := d.path("elsewhere")
	write(t, elsewhere+"/theirs", "", 0o600)
	_, err := d.host.RestoreData(context.Background(), d.r, func(context.Context) (io.ReadCloser, error) {
		parts, _ := filepath.Glob(d.r.Place + ".requeen-*.part.*/data")
		if len(parts) != 1 {
			t.Fatalf("it unpacks into %q", parts)
		}
		if err := errors.Join(os.Remove(parts[0]), os.Symlink(elsewhere, parts[0])); err != nil {
			t.Fatal(err)
		}
		return io.NopCloser(d.whole()), nil
	})
	if !errors.Is(err, ErrGuard) {
		t.Errorf("got %v", err)
	}
	if there, _ := os.ReadDir(elsewhere); len(there) != 1 {
		t.Errorf("behind the link there is %v", there)
	}
	d.holds("old")
}

// TestReadyData: what begin would refuse is refused before anything is stopped for it,
// and nothing is changed on the host.
func TestReadyData(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*dataHost)
		kind  error
	}{
		"well":            {func(*dataHost) {}, nil},
		"not there":       {func(d *dataHost) { _ = os.RemoveAll(filepath.Dir(d.r.Place)) }, nil},
		"another machine": {func(d *dataHost) { d.r.MachineID = "other" }, ErrGuard},
		"a mount point": {func(d *dataHost) {
			write(d.t, d.path("mounts"), "31 30 8:2 / "+strings.ReplaceAll(d.r.Place, " ", `\040`)+" rw shared:2 - ext4 /dev/sdb1 rw\n", 0o644)
		}, ErrGuard},
		"a link":        {func(d *dataHost) { d.r.Place = d.path("a-link"); _ = os.Symlink(d.path("from"), d.r.Place) }, ErrGuard},
		"no room":       {func(d *dataHost) { d.r.Bytes = 1 << 60 }, ErrNoRoom},
		"kept as it is": {func(d *dataHost) { d.r.Bytes, d.r.Fill = 1<<60, true }, nil},
		"it has begun": {func(d *dataHost) {
			_, _ = d.restore(iotest.ErrReader(errors.New("cut")))
			d.r.Bytes = 1 << 60
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDataHost(t)
			tt.spoil(d)
			before, _ := filepath.Glob(d.r.Place + "*")
			if err := d.host.ReadyData(context.Background(), d.r); !errors.Is(err, tt.kind) {
				t.Errorf("got %v", err)
			}
			if after, _ := filepath.Glob(d.r.Place + "*"); !slices.Equal(before, after) {
				t.Errorf("beside the place there is %q", after)
			}
			if exists(d.path("state/tokens/prod")) != (name == "it has begun") {
				t.Error("it has kept a token")
			}
		})
	}
}

// TestRestoreDataFreesItsLeftovers: what a cut attempt has unpacked is not what the next
// one lacks room for.
func TestRestoreDataFreesItsLeftovers(t *testing.T) {
	d := newDataHost(t)
	if _, err := d.restore(iotest.ErrReader(errors.New("cut"))); err == nil {
		t.Fatal("it was not cut")
	}
	left, _ := filepath.Glob(d.r.Place + ".requeen-*.part.*")
	if len(left) != 1 {
		t.Fatalf("left: %q", left)
	}
	write(t, d.path("bin/df"), "#!/bin/sh\ncase \"$*\" in *avail*) ;; *) PATH=$REAL_PATH exec df \"$@\" ;; esac\n"+
		"for f in '"+d.r.Place+"'.requeen-*.part.*; do [ -d \"$f\" ] && { echo Avail; echo 0; exit; }; done\necho Avail; echo 1000000\n", 0o755)
	if _, err := d.restore(d.whole()); err != nil {
		t.Fatal(err)
	}
	d.isRestored()
}

// TestRestoreDataUnpacksAgain: where somebody removed what was unpacked, as the removal
// of a volume does, the restore begins anew.
func TestRestoreDataUnpacksAgain(t *testing.T) {
	d := newDataHost(t)
	write(t, d.path("bin/mv"), "#!/bin/sh\ncase \"$*\" in *.new\\ *_data) exit 1 ;; esac\nPATH=$REAL_PATH exec mv \"$@\"\n", 0o755)
	if err := os.Remove(d.r.Place + "/old"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.restore(d.whole()); err == nil {
		t.Fatal("the last rename did not fail")
	}
	if err := errors.Join(os.Remove(d.path("bin/mv")), os.RemoveAll(filepath.Dir(d.r.Place))); err != nil {
		t.Fatal(err)
	}
	if _, err := d.restore(d.whole()); err != nil {
		t.Fatal(err)
	}
	d.isRestored()
}

// TestRestoreDataOfAnyLabel: a volume may be called "new"; what another restore unpacks
// may not be taken for a restore.
func TestRestoreDataOfAnyLabel(t *testing.T) {
	for id, good := range map[string]bool{"20250310T030000Z-5874ab.volume.new": true, "20250310T030000Z-5874ab.volume.part": true, "20250310T030000Z-5874ab.volume.a.b": true,
		"20250310T030000Z-5874ab.volume.a.new": false, "r1.new": false, "20250310T030000Z-5874ab.volume.a.part.x": false} {
		if likeUnpacked(id) == good {
			t.Errorf("%s is taken: %v", id, !good)
		}
	}
}
