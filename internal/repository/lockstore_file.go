package repository

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// createOnce writes the bytes under a name of its own and links that to the
// key: link(2) fails when the key exists, for all processes and, over NFS, for
// all machines, and nobody ever reads half of it. Where a file system has no
// links, O_EXCL decides. (fileblob's IfNotExist is a look under an in-process
// mutex, and lets two processes both win.)
func (s *fileStore) createOnce(ctx context.Context, key string, data []byte) error {
	if _, err := s.opened(true); err != nil {
		return err
	}
	path := s.path(key)
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	var suffix [8]byte
	if _, err := rand.Read(suffix[:]); err != nil {
		return err
	}
	temp := path + "." + hex.EncodeToString(suffix[:]) + ".tmp"
	if err := writeExclusive(temp, data); err != nil {
		return err
	}
	defer os.Remove(temp)

	err := os.Link(temp, path)
	switch {
	case err == nil:
	case linked(temp, path):
		// The server made the link, and the answer was lost (NFS).
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS):
		if err := writeExclusive(path, data); err != nil {
			return err
		}
	default:
		return err
	}
	return s.settle(ctx, filepath.ToSlash(filepath.Dir(key)))
}

func writeExclusive(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

func linked(temp, path string) bool {
	a, errA := os.Lstat(temp)
	b, errB := os.Lstat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
