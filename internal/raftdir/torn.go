package raftdir

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/swarmkit/v2/manager/encryption"
	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
)

// survivor is the log of a manager that may have been killed, read as an engine
// reads it when it starts again: a torn end is forgotten, a broken snapshot
// passed by. It is sealed until unseal was called.
type survivor struct {
	history
	torn bool // something after the last whole record was forgotten
}

// readSurvivor reads raft/ without a key, a lock or a write. What an engine
// would not start on is still an error, and the survivor is then filled as far
// as the reading got, nil where it did not get to the log.
func readSurvivor(ctx context.Context, dir string) (*survivor, error) {
	for _, sub := range []string{fileRaft, fileWAL, fileSnap} {
		if err := needDir(dir, sub, "the engine starts as an empty swarm without it"); err != nil {
			return nil, err
		}
	}
	if err := checkNotInUse(dir); err != nil {
		return nil, err
	}
	h := &survivor{}
	torn, err := findTear(ctx, dir)
	if err != nil {
		return nil, err
	}
	h.torn = torn != nil
	if h.snapshot, err = newestReadable(dir); err != nil {
		return nil, err
	}
	if err := readEntries(dir, &h.history); err != nil {
		return nil, err
	}
	if err := checkBounds(&h.history); err != nil || torn == nil {
		return h, err
	}
	return h, checkTear(torn, &h.history)
}

// unseal decrypts what was read.
func (h *survivor) unseal(ctx context.Context, d encryption.Decrypter) error {
	if h.snapshot != nil {
		data, err := encryption.Decrypt(h.snapshot.Data, d)
		if err != nil {
			return &Error{Kind: ErrLogKey, File: fileSnap, What: "the newest snapshot does not open with the log key in " + fileNodeKey, Why: whyNodeKey}
		}
		h.snapshot.Data = data
	}
	return decryptEntries(ctx, &h.history, d)
}

// lastFile notes whether the decoder has come to a file.
type lastFile struct {
	fileutil.FileReader
	reached bool
}

func (f *lastFile) Read(p []byte) (int, error) {
	f.reached = true
	return f.FileReader.Read(p)
}

// findTear tells where the log's last file ends in something that was not
// wholly written, nil where it does not. An engine repairs the last file only, so that a tear in
// another is damage.
func findTear(ctx context.Context, dir string) (torn *tear, err error) {
	files, names, err := openSegments(dir)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	readers := make([]fileutil.FileReader, len(files))
	for i, f := range files {
		readers[i] = fileutil.NewFileReader(f)
	}
	last := &lastFile{FileReader: readers[len(readers)-1]}
	readers[len(readers)-1] = last
	name := names[len(names)-1]
	failure := Error{Kind: ErrLogDamaged, File: fileWAL, What: "a record can't be decoded", Why: whyLog}
	err = guarded(failure, func() error {
		end, err := decodeToEnd(ctx, readers)
		cut := errors.Is(err, io.ErrUnexpectedEOF) && last.reached
		if err == nil {
			err = checkTail(files[len(files)-1], fileWAL+"/"+name, end)
			cut = errors.Is(err, ErrLogDamaged)
		}
		if cut {
			torn = &tear{name: fileWAL + "/" + name, path: files[len(files)-1].Name(), at: end}
			return nil
		}
		return err
	})
	return torn, err
}

// openSegments opens every file of the log, in order; close them also on an
// error.
func openSegments(dir string) (files []*os.File, names []string, err error) {
	walDir := filepath.Join(dir, filepath.FromSlash(fileWAL))
	if names, err = storage.ListWALs(walDir); err != nil {
		return nil, nil, fileError(fileWAL, whyLog, err)
	}
	if len(names) == 0 {
		return nil, nil, &Error{Kind: ErrMissing, File: fileWAL, What: "no log file is in it", Why: "the engine starts as an empty swarm without it"}
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(walDir, name))
		if err != nil {
			return files, names, fileError(fileWAL+"/"+name, whyLog, err)
		}
		files = append(files, f)
	}
	return files, names, nil
}

// newestReadable gives the newest snapshot that is whole, still encrypted, nil
// where there is none: that is the one an engine starts from. Whether the log
// reaches back to it is for readEntries to tell.
func newestReadable(dir string) (*raftpb.Snapshot, error) {
	snapDir := filepath.Join(dir, filepath.FromSlash(fileSnap))
	names, err := storage.ListSnapshots(snapDir)
	if err != nil {
		return nil, fileError(fileSnap, whySnapshot, err)
	}
	for _, name := range names {
		var s *raftpb.Snapshot
		failure := Error{Kind: ErrSnapshotDamaged, File: fileSnap + "/" + name, What: "it can't be decoded", Why: whySnapshot}
		err := guarded(failure, func() (err error) {
			s, err = snap.Read(zap.NewNop(), filepath.Join(snapDir, name))
			return err
		})
		if err == nil {
			return s, nil
		}
	}
	return nil, nil
}
