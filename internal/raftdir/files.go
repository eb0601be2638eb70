package raftdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a manager's swarm directory, as they are named in errors.
const (
	fileNodeCert = "certificates/swarm-node.crt"
	fileNodeKey  = "certificates/swarm-node.key"
	fileRootCA   = "certificates/swarm-root-ca.crt"
	fileRaft     = "raft"
	fileWAL      = "raft/wal-v3-encrypted"
	fileSnap     = "raft/snap-v3-encrypted"
)

// readFile reads one file of the copy; why says what a manager loses without
// it (ErrMissing, ErrUnreadable).
func readFile(dir, file, why string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, fileError(file, why, err)
	}
	if len(b) == 0 {
		return nil, &Error{Kind: ErrMissing, File: file, What: "it is empty", Why: why}
	}
	return b, nil
}

// needDir checks that a directory of the copy is there (ErrMissing,
// ErrUnreadable).
func needDir(dir, file, why string) error {
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return fileError(file, why, err)
	}
	if !info.IsDir() {
		return &Error{Kind: ErrMissing, File: file, What: "it is no directory", Why: why}
	}
	return nil
}

// fileError tells what is not there from what can't be read (safety rule 4).
func fileError(file, why string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Kind: ErrMissing, File: file, What: "it is not there", Why: why}
	}
	return &Error{Kind: ErrUnreadable, File: file, What: "it can't be read", Why: why, Err: err}
}
