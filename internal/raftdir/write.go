package raftdir

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"go.etcd.io/raft/v3/raftpb"
)

// write makes the directories and files below out, which is there.
func (n *successor) write(ctx context.Context, out string) error {
	if err := n.writeLog(ctx, filepath.Join(out, fileRaft)); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(out, "certificates"), 0o755); err != nil {
		return err
	}
	// The key comes last: before it, nothing in the log can be read.
	for _, f := range []struct {
		name    string
		content []byte
	}{{fileRootCA, n.rootPEM}, {fileNodeCert, n.certPEM}, {fileNodeKey, n.keyPEM}} {
		if err := os.WriteFile(filepath.Join(out, filepath.FromSlash(f.name)), f.content, 0o600); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return setModes(out)
}

// writeLog writes raft/ with swarmkit's own logger.
func (n *successor) writeLog(ctx context.Context, raftDir string) error {
	logger := &storage.EncryptedRaftLogger{StateDir: raftDir, EncryptionKey: n.dek}
	if err := logger.BootstrapNew(n.metadata); err != nil {
		return err
	}
	err := logger.SaveSnapshot(n.snapshot)
	if err == nil {
		err = logger.SaveEntries(n.state, []raftpb.Entry{n.entry})
	}
	logger.Close(ctx) // it tells no error: prove reads what came of it
	if err != nil {
		return err
	}
	return dropZeros(filepath.Join(raftDir, filepath.Base(fileWAL)))
}

// dropZeros turns the blocks that the log preallocates, 64 MB of zeros in
// memory, into holes.
func dropZeros(walDir string) error {
	names, err := storage.ListWALs(walDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		file := filepath.Join(walDir, name)
		if err := copySparse(file, file+".sparse"); err != nil {
			return err
		}
		if err := os.Rename(file+".sparse", file); err != nil {
			return err
		}
	}
	return nil
}

// setModes gives every file and directory the mode that an engine writes it
// with, whatever the umask was.
func setModes(out string) error {
	return filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		return os.Chmod(path, modeOf(filepath.ToSlash(rel), d.IsDir()))
	})
}

func modeOf(rel string, dir bool) fs.FileMode {
	switch {
	case rel == "certificates":
		return 0o755
	case dir:
		return 0o700
	case rel == fileNodeCert, rel == fileRootCA, strings.HasPrefix(rel, fileSnap+"/"):
		return 0o644
	}
	return 0o600
}
