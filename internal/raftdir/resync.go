package raftdir

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// tear is where the last file of a log ceases to be readable.
type tear struct {
	name string // as in errors
	path string
	at   int64 // in bytes
}

// checkTear tells a torn end from damage in the middle, which an engine repairs
// alike: it forgets all that follows, and a log with one bad bit near its
// beginning then passes for one that is far behind. What a crash tears was never
// synced, so that no later record can say that it was committed. Where one does
// it is damage (ErrLogDamaged).
func checkTear(t *tear, h *history) error {
	content, err := os.ReadFile(t.path)
	if err != nil {
		return fileError(t.name, whyLog, err)
	}
	_, last := h.last()
	commit := uint64(0)
	failure := Error{Kind: ErrLogDamaged, File: t.name, What: "what follows its torn end can't be decoded", Why: whyLog}
	err = guarded(failure, func() error {
		commit = commitAfter(content, t.at)
		return nil
	})
	if err != nil {
		return err
	}
	if commit <= last {
		return nil
	}
	return &Error{
		Kind: ErrLogDamaged, File: t.name,
		What: fmt.Sprintf("it can be read to entry %d, at byte %d, and behind that it says that entry %d was committed", last, t.at, commit),
		Why:  "an engine would repair it by forgetting what was committed: take another survivor or a backup",
	}
}

// commitAfter gives the highest commit index that whole records after an
// offset tell, 0 where there are none. A record counts when its checksum
// follows from the one before it.
func commitAfter(content []byte, from int64) uint64 {
	const align = 8 // every record begins at a multiple of it
	written := int64(len(bytes.TrimRight(content, "\x00")))
	for off := from/align*align + align; off+align < written; off += align {
		rest := content[off:]
		// The lower 56 bits of its first word are a record's length: this
		// spares a decoder for what can't be one.
		if n := binary.LittleEndian.Uint64(rest) & (1<<56 - 1); n == 0 || n > uint64(len(rest)) {
			continue
		}
		if commit, ok := follow(rest); ok {
			return commit
		}
	}
	return 0
}

// follow reads records from one whose own checksum can't be verified, for what
// was before it is unknown.
func follow(content []byte) (commit uint64, ok bool) {
	decoder := wal.NewDecoderAdvanced(true, memoryFile{bytes.NewReader(content), memoryInfo{size: int64(len(content))}})
	rec := &walpb.Record{}
	_ = decoder.Decode(rec)
	if rec.Type < wal.MetadataType || rec.Type > wal.SnapshotType || rec.Crc == 0 {
		return 0, false
	}
	decoder.UpdateCRC(rec.Crc)
	for decoder.Decode(rec) == nil {
		ok = true
		var s raftpb.HardState
		if rec.Type == wal.StateType && s.Unmarshal(rec.Data) == nil {
			commit = max(commit, s.Commit)
		}
	}
	return commit, ok
}

// memoryFile is the end of a log file, for etcd's decoder.
type memoryFile struct {
	*bytes.Reader
	info memoryInfo
}

// FileInfo is what the decoder asks for the size.
func (f memoryFile) FileInfo() (fs.FileInfo, error) { return f.info, nil }

type memoryInfo struct {
	fs.FileInfo // nil: the decoder asks for size and name only
	size        int64
}

func (i memoryInfo) Size() int64  { return i.size }
func (i memoryInfo) Name() string { return fileWAL }
