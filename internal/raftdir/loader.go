package raftdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"go.etcd.io/raft/v3/raftpb"
)

// proveLoads runs swarmkit's own loader, which repairs, migrates and zeroes
// files, on a scratch copy of raft/ that is removed again, and compares what it
// read with what this package did.
func proveLoads(ctx context.Context, dir, scratch string, key *nodeKey, h *history) (err error) {
	if scratch == "" {
		scratch = filepath.Dir(filepath.Clean(dir))
	}
	tmp, err := os.MkdirTemp(scratch, ".verify-")
	if err != nil {
		return fmt.Errorf("no scratch directory for the last proof: %w", err)
	}
	defer func() {
		if rerr := os.RemoveAll(tmp); rerr != nil && err == nil {
			err = fmt.Errorf("the scratch directory of the last proof is left: %w", rerr)
		}
	}()
	for _, sub := range []string{fileWAL, fileSnap} {
		if err := copyFiles(ctx, dir, tmp, sub); err != nil {
			return err
		}
	}
	failure := Error{Kind: ErrLoader, File: fileRaft, What: "swarmkit's own loader refuses it", Why: "a manager would not start on it"}
	return guarded(failure, func() error {
		snapshot, index, state, err := load(ctx, filepath.Join(tmp, fileRaft), key)
		if err != nil {
			failure.Err = err
			return &failure
		}
		if _, last := h.last(); index != last || snapshot != h.snapshotIndex() || state.Commit != h.state.Commit || state.Term != h.state.Term {
			failure.What = fmt.Sprintf("swarmkit's own loader reads a log that ends at %d with commit %d and snapshot %d, not at %d with %d and %d",
				index, state.Commit, snapshot, last, h.state.Commit, h.snapshotIndex())
			return &failure
		}
		return nil
	})
}

// load reads a raft directory the way a manager does when it starts
// (swarmkit's readFromDisk): with the pending key first, where there is one.
func load(ctx context.Context, raftDir string, key *nodeKey) (snapshot, last uint64, state raftpb.HardState, err error) {
	logger := &storage.EncryptedRaftLogger{StateDir: raftDir, EncryptionKey: key.current}
	var older [][]byte
	if key.pending != nil {
		logger.EncryptionKey, older = key.pending, [][]byte{key.current}
	}
	s, data, err := logger.BootstrapFromDisk(ctx, older...)
	if err != nil {
		return 0, 0, raftpb.HardState{}, err
	}
	logger.Close(ctx)
	if s != nil {
		snapshot, last = s.Metadata.Index, s.Metadata.Index
	}
	if n := len(data.Entries); n > 0 {
		last = data.Entries[n-1].Index
	}
	return snapshot, last, data.HardState, nil
}

// copyFiles copies the regular files of one sub-directory, leaving out blocks
// of zeros: a log is preallocated, and mostly holes.
func copyFiles(ctx context.Context, from, to, sub string) error {
	entries, err := os.ReadDir(filepath.Join(from, sub))
	if err != nil {
		return fileError(sub, whyLog, err)
	}
	if err := os.MkdirAll(filepath.Join(to, sub), 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !e.Type().IsRegular() {
			continue
		}
		if err := copySparse(filepath.Join(from, sub, e.Name()), filepath.Join(to, sub, e.Name())); err != nil {
			return fmt.Errorf("scratch copy of %s/%s: %w", sub, e.Name(), err)
		}
	}
	return nil
}

func copySparse(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	buf, zeros, size := make([]byte, 64<<10), make([]byte, 64<<10), int64(0)
	for {
		n, rerr := io.ReadFull(in, buf)
		if !bytes.Equal(buf[:n], zeros[:n]) {
			if _, err := out.WriteAt(buf[:n], size); err != nil {
				return err
			}
		}
		size += int64(n)
		if errors.Is(rerr, io.EOF) || errors.Is(rerr, io.ErrUnexpectedEOF) {
			return out.Truncate(size)
		}
		if rerr != nil {
			return rerr
		}
	}
}
