package repository

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// ExtractTar unpacks a tar stream, GNU's sparse files too, into a directory
// that only this user may enter, making it if need be. It takes regular files,
// directories and symbolic links that stay inside; everything else, and every
// name that leads out, ends it with an error. Permissions are kept; owners and
// times are not. Blocks of zeros are left as holes: what it returns is how many
// other bytes were written.
func ExtractTar(r io.Reader, dir string) (int64, error) {
	if err := privateDir(dir); err != nil {
		return 0, badArchive("the directory to unpack into can't be used", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, badArchive("the directory to unpack into can't be used", err)
	}
	defer root.Close()
	x := &extraction{root: root, dirs: map[string]fs.FileMode{".": dirMode}}
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = x.entry(h, in)
		}
		if err != nil {
			return x.written, badArchive("the archive can't be unpacked", err)
		}
	}
	if err := x.finish(); err != nil {
		return x.written, badArchive("the archive can't be unpacked", err)
	}
	// What follows the end mark is padding; reading it lets the source check
	// itself to its end.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return x.written, badArchive("the archive can't be read to its end", err)
	}
	return x.written, nil
}

func badArchive(what string, cause error) error {
	var known *Error
	if errors.As(cause, &known) {
		return cause
	}
	if isFull(cause) {
		return &Error{Kind: ErrNoSpace, What: what, Cause: cause, Why: "Nothing of it may be used", Remedy: "make room there, or use a larger memory-backed directory"}
	}
	return &Error{Kind: ErrArchive, What: what, Cause: cause, Why: "Nothing of it may be used", Remedy: "use another backup"}
}

func privateDir(dir string) error {
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be entered by others: its mode must be 0700", dir)
	}
	return nil
}

// extraction is a stream on its way into a directory. os.Root keeps every path
// inside; that directories are only those made here keeps links out of paths.
type extraction struct {
	root    *os.Root
	dirs    map[string]fs.FileMode // made here, with the mode that they get in the end
	written int64
}

func (x *extraction) entry(h *tar.Header, content io.Reader) error {
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(h.Mode).Perm()
	if h.Typeflag == tar.TypeDir {
		if err := x.directory(name); err != nil {
			return err
		}
		if name != "." {
			x.dirs[name] = mode
		}
		return nil
	}
	if err := x.directory(path.Dir(name)); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		return x.file(name, mode, h.Size, content)
	case tar.TypeSymlink:
		if err := checkLink(name, h.Linkname); err != nil {
			return err
		}
		return x.root.Symlink(h.Linkname, filepath.FromSlash(name))
	}
	return fmt.Errorf("%q is neither a file, a directory nor a symbolic link (type %q)", h.Name, h.Typeflag)
}

// cleanName accepts "./raft/", "raft"; not "/raft", "a/../b", "..".
func cleanName(name string) (string, error) {
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("%q leads out of the archive", name)
		}
	}
	if name == "" || strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\x00\\") {
		return "", fmt.Errorf("%q is no name that is unpacked", name)
	}
	return path.Clean(name), nil
}

// checkLink lets a link go up only at its beginning, where what lies above are
// directories made here: further on, ".." is taken from where another link led,
// and "here/../x" with here -> "." is outside.
func checkLink(name, target string) error {
	out := fmt.Errorf("the link %q leads out of the archive, to %q", name, target)
	if target == "" || path.IsAbs(target) || !filepath.IsLocal(path.Join(path.Dir(name), target)) {
		return out
	}
	down := false
	for _, part := range strings.Split(target, "/") {
		if part == ".." && down {
			return out
		}
		down = down || (part != ".." && part != "." && part != "")
	}
	return nil
}

// directory makes a directory and those above it. One that is there but was
// not made here is a link, or was there before, and is refused.
func (x *extraction) directory(name string) error {
	if _, ok := x.dirs[name]; ok {
		return nil
	}
	if err := x.directory(path.Dir(name)); err != nil {
		return err
	}
	if err := x.root.Mkdir(filepath.FromSlash(name), dirMode); err != nil {
		return err
	}
	x.dirs[name] = dirMode
	return nil
}

func (x *extraction) file(name string, mode fs.FileMode, size int64, content io.Reader) error {
	f, err := x.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	there, n, err := CopySparse(f, content)
	if err == nil && there != size {
		err = fmt.Errorf("%w: %d of %d bytes", io.ErrUnexpectedEOF, there, size)
	}
	x.written += n
	if err == nil {
		err = f.Chmod(mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// finish gives the directories their modes, the deepest first: one may forbid
// to enter it.
func (x *extraction) finish() error {
	delete(x.dirs, ".")
	list := make([]string, 0, len(x.dirs))
	for name := range x.dirs {
		list = append(list, name)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(list)))
	for _, name := range list {
		if err := x.root.Chmod(filepath.FromSlash(name), x.dirs[name]); err != nil {
			return err
		}
	}
	return nil
}

var zeros [32 << 10]byte

// CopySparse writes content to a file that is new, blocks of zeros as holes:
// a raft log is preallocated, and in a file in memory each of its bytes would
// count. It gives the content's size, and how much of it was not zero, in bytes.
func CopySparse(f *os.File, content io.Reader) (size, written int64, err error) {
	buf := make([]byte, len(zeros))
	for {
		n, err := io.ReadFull(content, buf)
		if n > 0 && !bytes.Equal(buf[:n], zeros[:n]) {
			if _, err := f.WriteAt(buf[:n], size); err != nil {
				return size, written, err
			}
			written += int64(n)
		}
		size += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return size, written, f.Truncate(size)
		}
		if err != nil {
			return size, written, err
		}
	}
}
