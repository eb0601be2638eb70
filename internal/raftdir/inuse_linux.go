package raftdir

import (
	"os"
	"path/filepath"

	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"golang.org/x/sys/unix"
)

// checkNotInUse asks, without taking it, for the lock that a running engine
// holds on its log files (ErrInUse). A file system that can't tell is no reason
// to refuse.
func checkNotInUse(dir string) error {
	walDir := filepath.Join(dir, filepath.FromSlash(fileWAL))
	names, err := storage.ListWALs(walDir)
	if err != nil {
		return fileError(fileWAL, whyLog, err)
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(walDir, name))
		if err != nil {
			return fileError(fileWAL+"/"+name, whyLog, err)
		}
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		err = unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock)
		f.Close()
		if err == nil && lock.Type != unix.F_UNLCK {
			return &Error{Kind: ErrInUse, File: fileWAL + "/" + name, What: "a running engine has it open", Why: "only a private copy can be verified"}
		}
	}
	return nil
}
