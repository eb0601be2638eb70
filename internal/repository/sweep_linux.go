package repository

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// halfMade is how long a directory may be without an owner file: NewPrivate is
// making it.
const halfMade = time.Minute

// SweepPrivate removes this user's directories whose owner is gone, as when the
// janitor was killed together with its parent. It gives what it removed, also
// with an error.
func SweepPrivate() ([]string, error) {
	var (
		removed []string
		faults  []error
	)
	for _, place := range places() {
		entries, err := os.ReadDir(place)
		if err != nil {
			continue // then NewPrivate can have made nothing there
		}
		for _, e := range entries {
			dir := filepath.Join(place, e.Name())
			if !strings.HasPrefix(e.Name(), privatePrefix) || !inMemory(place) || !ours(dir) {
				continue
			}
			gone, err := removeAbandoned(dir)
			if gone {
				removed = append(removed, dir)
			}
			if err != nil {
				faults = append(faults, noPrivate("Plaintext may be left in "+dir, err))
			}
		}
	}
	return removed, errors.Join(faults...)
}

// ours: a directory, not a link to one, that belongs to this user.
func ours(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func removeAbandoned(dir string) (bool, error) {
	owner, err := lockOwner(dir, 0)
	switch {
	case err == nil:
		defer owner.Close()
	case errors.Is(err, errOwned):
		return false, nil
	case errors.Is(err, fs.ErrNotExist):
		info, err := os.Lstat(dir)
		if err != nil || time.Since(info.ModTime()) < halfMade {
			return false, nil
		}
	default:
		return false, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return false, err
	}
	return true, nil
}
