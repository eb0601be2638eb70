// Package atomicfile writes a file that is there as a whole or as it was before,
// also after a power cut: plans and observations are read by other programs while
// they are written anew.
//
// It must not know what it writes, and it imports nothing of ours.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write puts data at path with mode 0600. A file that stands there is replaced,
// whatever its mode; where that fails it stays, and nothing is left beside it.
func Write(path string, data []byte) error { return WriteMode(path, data, 0o600) }

// WriteMode is Write with another mode, for what others are to read.
func WriteMode(path string, data []byte, mode os.FileMode) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".requeen-*") // 0600
	if err != nil {
		return err
	}
	if err := errors.Join(fill(tmp, data), os.Chmod(tmp.Name(), mode)); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

// fill writes, syncs and closes a file.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
