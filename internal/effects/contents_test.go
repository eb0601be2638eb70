package effects

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// withData stores the backup of a repository again under another ID, with an archive of
// a volume beside the swarm's, and damages the volume's as it lies there.
func withData(t *testing.T) (*repository.Repository, state.Backup) {
	t.Helper()
	repo, b, path := stored(t, raftdirtest.Options{}, func(string) {})
	in, err := repo.OpenObject(t.Context(), b.ID, "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var volume bytes.Buffer
	out := tar.NewWriter(&volume)
	if err := errors.Join(out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o700}), out.Close()); err != nil {
		t.Fatal(err)
	}
	b.ID, b.Stored = "20260302T040000Z-0a1b2c", nil
	w, err := repo.Create(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Put(t.Context(), "swarm.tar", in, nil)
	object, err2 := w.Put(t.Context(), "volume-pgdata.tar", &volume, nil)
	b.Data = []state.BackupData{{Kind: state.DataVolume, Name: "pgdata", Node: "w1", Object: object.Name, Files: 1}}
	if err := errors.Join(err, err2, w.Commit(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(filepath.Dir(filepath.Dir(path)), b.ID, object.Name)
	if err := os.WriteFile(at, bytes.Repeat([]byte{0}, int(object.Size)), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err = repo.Get(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	return repo, b
}

// What a backup holds of the swarm is told out of the swarm's archive alone; that the
// data beside it is whole is claimed by a check, which reads it.
func TestContentsReadTheSwarmsArchiveAlone(t *testing.T) {
	repo, b := withData(t)
	if list, _, err := Contents(t.Context(), repo, b, nil, nil); err != nil || len(list) == 0 {
		t.Errorf("%d objects are told (%v)", len(list), err)
	}
	if list, err := Specs(t.Context(), repo, b, nil); err != nil || len(list) == 0 {
		t.Errorf("%d specs are told (%v)", len(list), err)
	}
	if done, err := Check(t.Context(), repo, b, true, nil); !errors.Is(err, repository.ErrDigest) || done.Level != "" {
		t.Errorf("it proved %q (%v)", done.Level, err)
	}
	if o := Open(t.Context(), repo, b, nil); !o.Damaged {
		t.Errorf("a restore would begin: %+v", o)
	}
}
