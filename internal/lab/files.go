package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// writeFile replaces a file as a whole: whoever looks sees the old one or the
// new one, also after a power cut.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// exists says whether there is something at path, a dangling link included.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// lockFile waits for the exclusive lock on path and returns what lets it go.
// The kernel lets it go as well when the process ends.
func lockFile(ctx context.Context, path, what string, progress Progress) (func(), error) {
	said := false
	var held *os.File
	err := WaitFor(ctx, 30*time.Minute, what, func() (bool, error) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return false, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && isFile(f, path) {
			held = f
			return true, nil
		}
		f.Close()
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return false, err
		}
		if !said {
			progress("waiting: another command holds " + path)
			said = true
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return func() { held.Close() }, nil
}

// isFile says whether an open file is still the one at path: who held the lock
// before may have removed it.
func isFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}
