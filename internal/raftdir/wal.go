package raftdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/swarmkit/v2/manager/encryption"
	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
)

const whyLog = "what the swarm wrote last may be lost, and the engine may not start on it"

// history is a raft log and its newest snapshot, decrypted.
type history struct {
	metadata []byte // the marshalled api.RaftMember that this node is
	state    raftpb.HardState
	snapshot *raftpb.Snapshot // nil when none was made yet
	entries  []raftpb.Entry   // after the snapshot, without a gap
}

// snapshotIndex is the snapshot's index, 0 when there is none.
func (h *history) snapshotIndex() uint64 {
	if h.snapshot == nil {
		return 0
	}
	return h.snapshot.Metadata.Index
}

// last gives the term and index of the last entry.
func (h *history) last() (term, index uint64) {
	if n := len(h.entries); n > 0 {
		return h.entries[n-1].Term, h.entries[n-1].Index
	}
	if h.snapshot != nil {
		return h.snapshot.Metadata.Term, h.snapshot.Metadata.Index
	}
	return 0, 0
}

// readHistory reads raft/ without a lock and without a write, and proves that
// the log is whole: every segment's checksums, no torn end, etcd's own
// verification, no gap from the snapshot to the last entry, a commit index
// within it, and every entry decrypted.
func readHistory(ctx context.Context, dir string, d encryption.Decrypter) (*history, error) {
	for _, sub := range []string{fileRaft, fileWAL, fileSnap} {
		if err := needDir(dir, sub, "the engine starts as an empty swarm without it"); err != nil {
			return nil, err
		}
	}
	if err := checkNotInUse(dir); err != nil {
		return nil, err
	}
	if err := walkSegments(ctx, dir); err != nil {
		return nil, err
	}
	h := &history{}
	var err error
	if h.snapshot, err = readSnapshot(dir, d); err != nil {
		return nil, err
	}
	if err := readEntries(dir, h); err != nil {
		return nil, err
	}
	if err := checkBounds(h); err != nil {
		return h, err
	}
	return h, decryptEntries(ctx, h, d)
}

// walkSegments decodes every record of every segment to the very end. etcd's
// own readers stop in silence at a torn record, for a running member repairs it
// by forgetting what follows; a copy of a stopped one must have none.
func walkSegments(ctx context.Context, dir string) error {
	walDir := filepath.Join(dir, filepath.FromSlash(fileWAL))
	names, err := storage.ListWALs(walDir)
	if err != nil {
		return fileError(fileWAL, whyLog, err)
	}
	if len(names) == 0 {
		return &Error{Kind: ErrMissing, File: fileWAL, What: "no log file is in it", Why: "the engine starts as an empty swarm without it"}
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	readers := make([]fileutil.FileReader, len(names))
	for i, name := range names {
		f, err := os.Open(filepath.Join(walDir, name))
		if err != nil {
			return fileError(fileWAL+"/"+name, whyLog, err)
		}
		files = append(files, f)
		readers[i] = fileutil.NewFileReader(f)
	}
	return guarded(Error{Kind: ErrLogDamaged, File: fileWAL, What: "a record can't be decoded", Why: whyLog}, func() error {
		end, err := decodeToEnd(ctx, readers)
		if err != nil {
			return err
		}
		return checkTail(files[len(files)-1], fileWAL+"/"+names[len(names)-1], end)
	})
}

// decodeToEnd gives the offset in the last segment at which the log ends; with
// io.ErrUnexpectedEOF that in the segment, whichever it is, that is torn.
func decodeToEnd(ctx context.Context, readers []fileutil.FileReader) (int64, error) {
	decoder := wal.NewDecoder(readers...)
	for rec, n := (&walpb.Record{}), 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		err := decoder.Decode(rec)
		switch {
		case errors.Is(err, io.EOF):
			return decoder.LastOffset(), nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return decoder.LastOffset(), &Error{Kind: ErrLogDamaged, File: fileWAL, What: "a file ends in the middle of a record", Why: whyLog, Err: err}
		case err != nil:
			return 0, &Error{Kind: ErrLogDamaged, File: fileWAL, What: "a record does not have its checksum", Why: whyLog, Err: err}
		}
		if rec.Type != wal.CrcType {
			continue
		}
		// A segment begins with the checksum of all before it.
		if crc := decoder.LastCRC(); crc != 0 && rec.Validate(crc) != nil {
			return 0, &Error{Kind: ErrLogDamaged, File: fileWAL, What: "a file does not continue the one before it", Why: whyLog}
		}
		decoder.UpdateCRC(rec.Crc)
	}
}

// checkTail proves that nothing but preallocated zeros follows the log's end:
// the decoder takes a hole of zeros for the end.
func checkTail(f *os.File, file string, end int64) error {
	buf := make([]byte, 1<<20)
	for off := end; ; {
		n, err := f.ReadAt(buf, off)
		for i, b := range buf[:n] {
			if b != 0 {
				return &Error{Kind: ErrLogDamaged, File: file, What: fmt.Sprintf("the log ends at byte %d, but more is written at byte %d", end, off+int64(i)), Why: whyLog}
			}
		}
		off += int64(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fileError(file, whyLog, err)
		}
	}
}

// readEntries runs etcd's verification from the snapshot on and reads what
// follows it, still encrypted.
func readEntries(dir string, h *history) error {
	walDir := filepath.Join(dir, filepath.FromSlash(fileWAL))
	start := walpb.Snapshot{}
	if h.snapshot != nil {
		m := h.snapshot.Metadata
		start = walpb.Snapshot{Index: m.Index, Term: m.Term, ConfState: &m.ConfState}
	}
	failure := Error{Kind: ErrLogDamaged, File: fileWAL, What: "etcd's verification fails", Why: whyLog}
	return guarded(failure, func() error {
		if _, err := wal.Verify(zap.NewNop(), walDir, start); err != nil {
			return logError(failure, err)
		}
		w, err := wal.OpenForRead(zap.NewNop(), walDir, start)
		if err != nil {
			return logError(failure, err)
		}
		// A log opened for reading needs no Close: ReadAll closes its files at
		// the end, and Close would panic for want of a directory handle. On
		// an error the files are left to the collector's finalizers.
		h.metadata, h.state, h.entries, err = w.ReadAll()
		if err != nil {
			return logError(failure, err)
		}
		return nil
	})
}

func logError(failure Error, err error) error {
	failure.Err = err
	switch {
	case errors.Is(err, wal.ErrSliceOutOfRange):
		failure.What = "an entry is missing: the indexes have a gap"
	case errors.Is(err, wal.ErrSnapshotNotFound), errors.Is(err, wal.ErrSnapshotMismatch):
		failure.Kind, failure.File = ErrSnapshotDamaged, fileSnap
		failure.What = "the newest snapshot is not the log's"
	}
	return &failure
}

// checkBounds proves the order snapshot ≤ commit ≤ last, without which an
// engine panics at boot, and indexes and terms that rise as raft's do.
func checkBounds(h *history) error {
	index, term := h.snapshotIndex(), uint64(0)
	if h.snapshot != nil {
		term = h.snapshot.Metadata.Term
	}
	for _, e := range h.entries {
		if e.Index != index+1 {
			return &Error{Kind: ErrLogDamaged, File: fileWAL, What: fmt.Sprintf("entry %d follows entry %d", e.Index, index), Why: whyLog}
		}
		if e.Term < term {
			return &Error{Kind: ErrLogDamaged, File: fileWAL, What: fmt.Sprintf("the term falls at entry %d", e.Index), Why: whyLog}
		}
		index, term = e.Index, e.Term
	}
	commit, snapshot := h.state.Commit, h.snapshotIndex()
	if commit < snapshot || commit > index {
		return &Error{
			Kind: ErrCommit, File: fileWAL,
			What: fmt.Sprintf("its commit index %d is out of range [%d, %d]", commit, snapshot, index),
			Why:  "the engine panics on such a log; the log and the snapshot were not copied at one time",
		}
	}
	return nil
}

func decryptEntries(ctx context.Context, h *history, d encryption.Decrypter) error {
	for i := range h.entries {
		if i%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e := &h.entries[i]
		data, err := encryption.Decrypt(e.Data, d)
		if err != nil {
			return &Error{Kind: ErrLogKey, File: fileWAL, What: fmt.Sprintf("entry %d does not open with the log key in %s", e.Index, fileNodeKey), Why: whyNodeKey}
		}
		e.Data = data
	}
	return nil
}
