package repository

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type member struct {
	name, link string
	kind       byte
	mode       int64
	data       string
}

func archive(t *testing.T, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Linkname: m.link, Typeflag: m.kind, Mode: m.mode, Size: int64(len(m.data))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestExtractTarKeepsTreeAndModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	data := archive(t,
		member{name: "./", kind: tar.TypeDir, mode: 0o755},
		member{name: "./certificates/", kind: tar.TypeDir, mode: 0o500},
		member{name: "./certificates/swarm-node.key", kind: tar.TypeReg, mode: 0o600, data: "key"},
		member{name: "./raft/wal/0.wal", kind: tar.TypeReg, mode: 0o4640, data: "log"},
		member{name: "./raft/newest", kind: tar.TypeSymlink, link: "wal/0.wal"},
		member{name: "./raft/wal/up", kind: tar.TypeSymlink, link: ".././../empty"},
		member{name: "./empty", kind: tar.TypeReg, mode: 0o444},
	)
	n, err := ExtractTar(bytes.NewReader(data), dir)
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "certificates"), 0o700) }) // so that it can be removed
	if err != nil || n != 6 {
		t.Fatalf("%d, %v", n, err)
	}
	got := strings.Join(tree(t, dir), "\n")
	want := strings.Join([]string{
		"dr-x------ certificates", "-rw------- certificates/swarm-node.key", "-r--r--r-- empty",
		"drwx------ raft", "Lrwxrwxrwx raft/newest", "drwx------ raft/wal", "-rw-r----- raft/wal/0.wal", "Lrwxrwxrwx raft/wal/up",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory itself: %v, %v", info, err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "raft/newest")); err != nil || string(data) != "log" {
		t.Errorf("through the link: %q, %v", data, err)
	}
}

// Nothing that an archive holds gets out of the directory.
func TestExtractTarStaysInside(t *testing.T) {
	cases := map[string][]member{
		"parent":             {{name: "../out2", kind: tar.TypeReg, data: "x"}},
		"parent in the path": {{name: "a/../../out2", kind: tar.TypeReg, data: "x"}},
		"absolute":           {{name: "/out2", kind: tar.TypeReg, data: "x"}},
		"the directory":      {{name: ".", kind: tar.TypeReg, data: "x"}},
		"absolute link":      {{name: "a", kind: tar.TypeSymlink, link: "/etc"}},
		"link out":           {{name: "a/b", kind: tar.TypeSymlink, link: "../../out2"}},
		"link out by a link": {{name: "here", kind: tar.TypeSymlink, link: "."}, {name: "a", kind: tar.TypeSymlink, link: "here/../outside"}},
		"through a link":     {{name: "d/", kind: tar.TypeDir, mode: 0o700}, {name: "a", kind: tar.TypeSymlink, link: "d"}, {name: "a/x", kind: tar.TypeReg, data: "x"}},
		"over a link":        {{name: "a", kind: tar.TypeSymlink, link: "b"}, {name: "a", kind: tar.TypeReg, data: "x"}},
		"directory on link":  {{name: "a", kind: tar.TypeSymlink, link: "b"}, {name: "a/", kind: tar.TypeDir, mode: 0o700}},
		"twice":              {{name: "a", kind: tar.TypeReg, data: "x"}, {name: "a", kind: tar.TypeReg, data: "y"}},
		"hard link":          {{name: "a", kind: tar.TypeReg, data: "x"}, {name: "b", kind: tar.TypeLink, link: "a"}},
		"hard link out":      {{name: "b", kind: tar.TypeLink, link: "../outside"}},
		"device":             {{name: "a", kind: tar.TypeChar}},
		"pipe":               {{name: "a", kind: tar.TypeFifo}},
	}
	for name, members := range cases {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			if err := os.WriteFile(filepath.Join(top, "outside"), []byte("o"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ExtractTar(bytes.NewReader(archive(t, members...)), filepath.Join(top, "out"))
			if !errors.Is(err, ErrArchive) {
				t.Errorf("accepted: %v", err)
			}
			entries, err := os.ReadDir(top)
			if err != nil || len(entries) != 2 {
				t.Errorf("beside the directory: %v, %v", entries, err)
			}
		})
	}
}

func TestExtractTarWantsPrivateDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := ExtractTar(bytes.NewReader(archive(t)), dir); !errors.Is(err, ErrArchive) {
		t.Errorf("a directory that others may enter: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := ExtractTar(bytes.NewReader(archive(t)), link); !errors.Is(err, ErrArchive) {
		t.Errorf("a link: %v", err)
	}
}

func TestExtractTarNoticesCutArchive(t *testing.T) {
	data := archive(t, member{name: "a", kind: tar.TypeReg, data: strings.Repeat("x", 5000)})
	for _, n := range []int{100, 700, 3000, 5400} {
		if _, err := ExtractTar(bytes.NewReader(data[:n]), filepath.Join(t.TempDir(), "out")); !errors.Is(err, ErrArchive) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
}

// sparse is a member in GNU tar's sparse format, as tar -S writes: one block of
// data at an offset within a larger file.
func sparse(name string, offset, size int64, data []byte) []byte {
	octal := func(n int64) string { return fmt.Sprintf("%011o\x00", n) }
	h := make([]byte, 512)
	copy(h[0:], name)
	copy(h[100:], "0000600\x00")
	copy(h[108:], "0000000\x00")
	copy(h[116:], "0000000\x00")
	copy(h[124:], octal(int64(len(data))))
	copy(h[136:], octal(0))
	h[156] = 'S'
	copy(h[257:], "ustar  \x00")
	copy(h[386:], octal(offset)+octal(int64(len(data))))
	copy(h[386+24:], octal(size)+octal(0))
	copy(h[483:], octal(size))
	copy(h[148:], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	out := append(h, data...)
	out = append(out, make([]byte, (512-len(data)%512)%512)...)
	return append(out, make([]byte, 1024)...)
}

// A preallocated log of 64 MB takes the room of what is written in it.
func TestExtractTarKeepsHoles(t *testing.T) {
	const size, offset = 64 << 20, 32 << 20
	dir := filepath.Join(t.TempDir(), "out")
	data := bytes.Repeat([]byte("entry"), 2000)
	n, err := ExtractTar(bytes.NewReader(sparse("0.wal", offset, size, data)), dir)
	if err != nil {
		t.Fatal(err)
	}
	if n > 128<<10 {
		t.Errorf("%d bytes were written", n)
	}
	f, err := os.Open(filepath.Join(dir, "0.wal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != size {
		t.Fatalf("%v, %v", info, err)
	}
	got := make([]byte, len(data)+2)
	if _, err := f.ReadAt(got, offset-1); err != nil || !bytes.Equal(got[1:len(data)+1], data) || got[0] != 0 || got[len(data)+1] != 0 {
		t.Errorf("the bytes are not where they were: %v", err)
	}
}

func TestWriteTarIsDeterministic(t *testing.T) {
	a := File{Name: "config/a.rq.hcl", Data: []byte("cluster \"prod\" {}\n"), Mode: 0o644}
	b := File{Name: "config/" + strings.Repeat("long", 60) + "/é.rq.hcl", Data: []byte("x"), Mode: 0o600}
	var one, two bytes.Buffer
	if err := WriteTar(&one, []File{a, b}); err != nil {
		t.Fatal(err)
	}
	if err := WriteTar(&two, []File{b, a}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the order of the files changes the bytes")
	}
	files, err := ReadTar(&one)
	if err != nil || len(files) != 2 || files[0].Name != a.Name || !bytes.Equal(files[0].Data, a.Data) || files[1].Mode != 0o600 {
		t.Errorf("%v, %v", files, err)
	}
	for _, bad := range [][]File{{{Name: "../x"}}, {{Name: "/x"}}, {{Name: "a"}, {Name: "a"}}, {{Name: "a/"}}, {{Name: ""}}} {
		if err := WriteTar(io.Discard, bad); !errors.Is(err, ErrArchive) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := ReadTar(bytes.NewReader(archive(t, member{name: "a", kind: tar.TypeSymlink, link: "b"}))); !errors.Is(err, ErrArchive) {
		t.Errorf("a link among small files: %v", err)
	}
}
