package host

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestStage(t *testing.T) {
	o := newOperation(t)
	new := o.swarm + ".requeen-r1.new"
	for range 2 {
		o.stage()
		o.want("the staged directory", new, preparedFiles...)
	}
	for name, mode := range map[string]os.FileMode{
		"": 0o700, "certificates": 0o755, "certificates/swarm-node.crt": 0o644, "certificates/swarm-node.key": 0o600,
		"raft": 0o700, "raft/snap-v3-encrypted/9.snap": 0o644, "raft/wal-v3-encrypted/0.wal": 0o600,
	} {
		if info, err := os.Stat(filepath.Join(new, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%q: %v, %v", name, info, err)
		}
	}
	info, err := os.Stat(new + "/certificates/swarm-node.key")
	if err != nil || !ownedByMe(info) {
		t.Errorf("the owner is the archive's: %v, %v", info, err)
	}
	if got := read(t, new+"/raft/wal-v3-encrypted/0.wal"); got != strings.Repeat("\x00", 3000)+"new log" {
		t.Errorf("the log has %d bytes", len(got))
	}
	o.want("the swarm directory", o.swarm, oldFiles...)
}

// A cut archive is refused wherever it ends, also between two members, where tar
// takes it for whole; what was staged before is not what a swap would find.
func TestACutUploadIsNotTakenForWhole(t *testing.T) {
	o := newOperation(t)
	whole := prepared(t)
	last := bytes.LastIndex(whole, []byte("swarm/raft/wal-v3-encrypted/0.wal"))
	for name, size := range map[string]int{
		"nothing": 0, "between members": last, "in a header": last + 100, "in a file": last + 1000,
		"before its end": len(bytes.TrimRight(whole, "\x00")), "one empty block": len(whole) - 1024 + 512,
	} {
		if whole := bytes.TrimRight(whole, "\x00"); name == "one empty block" {
			size = (len(whole)+511)/512*512 + 512
		}
		err := o.host.Stage(context.Background(), o.s, 1, bytes.NewReader(prepared(t)[:size]))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		if exists(o.swarm + ".requeen-r1.new") {
			t.Errorf("%s: staged", name)
		}
	}
	broken := errors.New("the disk is broken")
	err := o.host.Stage(context.Background(), o.s, 1, io.MultiReader(bytes.NewReader(whole[:last+700]), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	o.stage()
	if left, _ := filepath.Glob(o.swarm + ".requeen-r1*"); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

func TestStageRefuses(t *testing.T) {
	member := func(header tar.Header) func(*operation) io.Reader {
		return func(o *operation) io.Reader {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := w.WriteHeader(&header); err != nil {
				o.t.Fatal(err)
			}
			_ = w.Close()
			return &b
		}
	}
	whole := func(o *operation) io.Reader { return bytes.NewReader(prepared(o.t)) }
	df := func(out string) func(*operation) io.Reader {
		return func(o *operation) io.Reader {
			write(o.t, o.path("bin/df"), "#!/bin/sh\ncase $* in *=avail*) echo "+out+";; *) echo 3;; esac\n", 0o755)
			return whole(o)
		}
	}
	for name, tt := range map[string]struct {
		archive func(*operation) io.Reader
		kind    error
		word    string
	}{
		"a name outside":    {member(tar.Header{Name: "etc/passwd"}), nil, `"etc/passwd" does not belong`},
		"a name that leads": {member(tar.Header{Name: "swarm/a/../../x"}), nil, "does not belong"},
		"an absolute name":  {member(tar.Header{Name: "/swarm/x"}), nil, "does not belong"},
		"a link":            {member(tar.Header{Name: "swarm/x", Typeflag: tar.TypeSymlink, Linkname: "/etc"}), nil, "neither a file nor a directory"},
		"our own mark":      {member(tar.Header{Name: completeName}), nil, "does not belong"},
		"no certificate":    {member(tar.Header{Name: "swarm/", Typeflag: tar.TypeDir}), ErrGuard, "has no certificates/swarm-node.crt"},
		"no room":           {df("1000"), ErrNoRoom, "1000 bytes are free"},
		"no inodes":         {df("999999999999"), ErrNoRoom, "3 inodes are free"},
		"a full disk": {func(o *operation) io.Reader {
			write(o.t, o.path("bin/tar"), "#!/bin/sh\ncat >/dev/null\necho 'tar: x: Cannot write: No space left on device' >&2\nexit 2\n", 0o755)
			return whole(o)
		}, ErrNoRoom, "does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			err := o.host.Stage(context.Background(), o.s, 1, tt.archive(o))
			if err == nil || tt.kind != nil && !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.word) {
				t.Errorf("got %v", err)
			}
			if exists(o.swarm + ".requeen-r1.new") {
				t.Error("it is staged all the same")
			}
			o.want("the swarm directory", o.swarm, oldFiles...)
			o.up()
		})
	}
}

// A sparse archive goes through as it is: a log's empty 64 MB are not sent.
func TestSealTarKeepsSparseFilesSparse(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/swarm/a", "x", 0o600)
	f, err := os.Create(dir + "/swarm/log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.WriteAt([]byte("end"), 64_000_000); err != nil {
		t.Fatal(err)
	}
	f.Close()
	p, err := NewPool([]Target{{Name: "m1", Local: true}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	h, _ := p.Host("m1")
	out, err := h.Output(context.Background(), Command{Script: `tar --sparse -cf - -C "$1" swarm`, Args: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sealTar(&b, iotest.OneByteReader(strings.NewReader(out))); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 100_000 {
		t.Errorf("%d bytes", b.Len())
	}
	got := map[string]int64{}
	for members := tar.NewReader(&b); ; {
		header, err := members.Next()
		if err != nil {
			break
		}
		n, err := io.Copy(io.Discard, members)
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] = n
	}
	if want := "map[swarm/:0 swarm/.requeen-complete:0 swarm/a:1 swarm/log:64000003]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
