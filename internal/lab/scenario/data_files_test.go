//go:build lab

package scenario

import (
	"os"
	"path/filepath"
	"syscall"
)

// oddFiles are what a plain copy would lose of an application's data.
const (
	oddOwner = 70707
	oddHole  = 64 << 20
)

// leavesOddFiles puts a foreign owner with a setgid mode, two names of one file, a link to
// nowhere, an extended attribute, holes, a pipe, and a name that no shell likes into a
// directory of a node's disk.
func (s *swarm) leavesOddFiles(dir string) {
	s.t.Helper()
	at := func(name string) string { return filepath.Join(dir, "odd", name) }
	must(s.t, os.Mkdir(filepath.Join(dir, "odd"), 0o700))
	must(s.t, os.WriteFile(at("owned"), []byte("owned"), 0o600))
	must(s.t, os.Chown(at("owned"), oddOwner, oddOwner+1))
	must(s.t, os.Chmod(at("owned"), 0o640|os.ModeSetgid))
	must(s.t, os.Link(at("owned"), at("other name")))
	must(s.t, os.Symlink("/nowhere/at all", at("link")))
	must(s.t, syscall.Setxattr(at("owned"), "user.note", []byte("kept"), 0))
	holes, err := os.Create(at("holes"))
	must(s.t, err)
	_, err = holes.WriteAt([]byte("end"), oddHole)
	must(s.t, err)
	must(s.t, holes.Close())
	must(s.t, syscall.Mkfifo(at("pipe"), 0o622))
	must(s.t, os.WriteFile(at("-rf *\n\"$x\""), nil, 0o400))
}

// hasOddFiles says that all of them are as they were.
func (s *swarm) hasOddFiles(dir string) {
	s.t.Helper()
	at := func(name string) string { return filepath.Join(dir, "odd", name) }
	stat := func(name string) (st syscall.Stat_t) {
		if err := syscall.Lstat(at(name), &st); err != nil {
			s.t.Errorf("%q: %v", name, err)
		}
		return st
	}
	owned, other := stat("owned"), stat("other name")
	if owned.Uid != oddOwner || owned.Gid != oddOwner+1 || owned.Mode != syscall.S_IFREG|syscall.S_ISGID|0o640 {
		s.t.Errorf("it belongs to %d:%d and has the mode %o", owned.Uid, owned.Gid, owned.Mode)
	}
	if owned.Ino != other.Ino {
		s.t.Error("two names of one file are two files")
	}
	note := make([]byte, 16)
	if n, err := syscall.Getxattr(at("owned"), "user.note", note); err != nil || string(note[:n]) != "kept" {
		s.t.Errorf("its extended attribute: %v", err)
	}
	if to, err := os.Readlink(at("link")); to != "/nowhere/at all" {
		s.t.Errorf("the link leads to %q: %v", to, err)
	}
	if st := stat("holes"); st.Size != oddHole+3 || st.Blocks*512 > 1<<20 {
		s.t.Errorf("what has holes has %d bytes in %d blocks", st.Size, st.Blocks)
	}
	if st := stat("pipe"); st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		s.t.Errorf("the pipe has the mode %o", st.Mode)
	}
	stat("-rf *\n\"$x\"")
}
