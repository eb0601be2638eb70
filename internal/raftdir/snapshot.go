package raftdir

import (
	"path/filepath"

	"github.com/moby/swarmkit/v2/manager/encryption"
	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
)

const whySnapshot = "most of the swarm's state is in it"

// readSnapshot reads the newest snapshot, which is the one that an engine
// loads, nil when none was made yet. Where an engine renames a broken one and
// falls back in silence to an older, this is an error.
func readSnapshot(dir string, d encryption.Decrypter) (*raftpb.Snapshot, error) {
	snapDir := filepath.Join(dir, filepath.FromSlash(fileSnap))
	names, err := storage.ListSnapshots(snapDir)
	if err != nil {
		return nil, fileError(fileSnap, whySnapshot, err)
	}
	if len(names) == 0 {
		return nil, nil
	}
	file := fileSnap + "/" + names[0]
	failure := Error{Kind: ErrSnapshotDamaged, File: file, What: "it can't be decoded", Why: whySnapshot}
	var s *raftpb.Snapshot
	err = guarded(failure, func() error {
		var err error
		s, err = snap.Read(zap.NewNop(), filepath.Join(snapDir, names[0]))
		if err != nil {
			failure.Err = err
			return &failure
		}
		if s.Data, err = encryption.Decrypt(s.Data, d); err != nil {
			return &Error{Kind: ErrLogKey, File: file, What: "it does not open with the log key in " + fileNodeKey, Why: whyNodeKey}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
