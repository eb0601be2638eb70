package effects

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// Levels of a check of a backup at rest that need no host.
const (
	LevelObjects = state.LevelObjects
	LevelRaft    = state.LevelRaft
)

// Checked is what a check of a backup at rest proved.
type Checked struct {
	Level  string           `json:"level"`
	Report state.RaftReport `json:"raft"`
	// Short says why a higher level was not tried, empty when it was reached.
	Short string `json:"short,omitempty"`
}

// Check reads a stored backup again: first every object's digest, then, with
// an identity, the swarm directory itself on a private copy. unlockKey is
// needed for a backup of an auto-locked swarm.
func Check(ctx context.Context, repo *repository.Repository, b state.Backup, identity bool, unlockKey []byte) (Checked, error) {
	if err := repo.VerifyObjects(ctx, b.ID); err != nil {
		return Checked{}, err
	}
	return opens(ctx, repo, b, identity, unlockKey)
}

// opens is Check of a backup whose stored bytes were read back by whoever stored them: to
// read hundreds of gigabytes of data once more would prove nothing.
func opens(ctx context.Context, repo *repository.Repository, b state.Backup, identity bool, unlockKey []byte) (Checked, error) {
	done := Checked{Level: LevelObjects}
	switch {
	case !identity && !b.PlainStored:
		done.Short = "the repository block names no identity, so nothing was opened"
		return done, nil
	case b.Autolocked && len(unlockKey) == 0 && !b.KeyEscrowed():
		done.Short = fmt.Sprintf("the swarm was auto-locked: cluster.unlock_key must give the unlock key of that time (fingerprint %s)", b.KeySHA256)
		return done, nil
	}
	unlockKey, err := keyOf(ctx, repo, b, unlockKey)
	if err == nil {
		err = keyOfItsTime(b, unlockKey)
	}
	if err != nil {
		return done, err
	}
	report, err := openRaft(ctx, repo, b, unlockKey, nil)
	if err != nil {
		return done, err
	}
	return Checked{Level: LevelRaft, Report: report}, sameAsManifest(report, b)
}

// openRaft opens all of a backup on a private copy and proves its raft log; also, where
// it is given, reads the proved directory further while it is there.
func openRaft(ctx context.Context, repo *repository.Repository, b state.Backup, unlockKey []byte, also func(dir string) error) (state.RaftReport, error) {
	return openObjects(ctx, repo, b, b.Stored, unlockKey, also)
}

// openSwarm is openRaft of the swarm's archive alone: it proves nothing of the others,
// which hold the applications' data and may take hours to read.
func openSwarm(ctx context.Context, repo *repository.Repository, b state.Backup, unlockKey []byte, also func(dir string) error) (state.RaftReport, error) {
	swarm := slices.DeleteFunc(slices.Clone(b.Stored), func(o state.StoredObject) bool { return !isSwarm(o.Name) })
	return openObjects(ctx, repo, b, swarm, unlockKey, also)
}

func isSwarm(object string) bool { return strings.HasPrefix(object, "swarm.tar") }

func openObjects(ctx context.Context, repo *repository.Repository, b state.Backup, objects []state.StoredObject, unlockKey []byte, also func(dir string) error) (report state.RaftReport, err error) {
	private, err := repository.NewPrivate(ctx, "check")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, private.Close()) }()
	// Each object is opened in a directory of its own, so that none can stand for a
	// part of another.
	swarm := ""
	for _, object := range objects {
		if isData(b, object.Name) {
			if err := listData(ctx, repo, b, object.Name); err != nil {
				return report, err
			}
			continue
		}
		dir := filepath.Join(private.Dir(), object.Name)
		if err := unpack(ctx, repo, b.ID, object.Name, dir); err != nil {
			return report, err
		}
		if isSwarm(object.Name) {
			swarm = filepath.Join(dir, "swarm")
		}
	}
	if swarm == "" {
		return report, diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + b.ID + " has no swarm archive",
			Detail: "Its manifest names no swarm.tar, so there is nothing to restore from.", Remedy: "use another backup"}
	}
	if len(unlockKey) == 0 {
		unlockKey = nil
	}
	report, err = raftdir.Verify(ctx, swarm, raftdir.Options{UnlockKey: unlockKey, MinIndex: b.Raft.Index})
	if err != nil || also == nil {
		return report, err
	}
	return report, also(swarm)
}

func unpack(ctx context.Context, repo *repository.Repository, id, object, dir string) (err error) {
	stream, err := repo.OpenObject(ctx, id, object)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	_, err = repository.ExtractTar(stream, dir)
	return err
}

// sameAsManifest compares what was read with what the manifest says.
func sameAsManifest(r state.RaftReport, b state.Backup) error {
	if r.ClusterID == b.SwarmID && r.Index == b.Raft.Index && r.Term == b.Raft.Term && r.Objects == b.Raft.Objects {
		return nil
	}
	return diag.Diagnostic{Severity: diag.Error, Summary: "The archive is not the one that the manifest describes",
		Detail: fmt.Sprintf("The manifest says swarm %s, term %d, index %d; the archive holds swarm %s, term %d, index %d.",
			b.SwarmID, b.Raft.Term, b.Raft.Index, r.ClusterID, r.Term, r.Index),
		Remedy: "somebody changed the repository: don't restore from this backup"}
}
