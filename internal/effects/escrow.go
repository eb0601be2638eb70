package effects

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// escrowName is the key's file in its archive.
const escrowName = "unlock-key/unlock-key"

// putKey stores the unlock key beside the backup where that is declared; in clear it
// is stored nowhere.
func (w *World) putKey(ctx context.Context, writer *repository.Writer, manifest *state.Backup, key []byte) error {
	if len(key) == 0 || manifest.PlainStored || !w.o.Escrow[manifest.Backup] {
		return nil
	}
	var archive bytes.Buffer
	err := repository.WriteTar(&archive, []repository.File{{Name: escrowName, Data: append(bytes.TrimSpace(key), '\n'), Mode: 0o600}})
	if err != nil {
		return err
	}
	stored, err := writer.Put(ctx, state.EscrowObject, &archive, nil)
	manifest.Stored = append(manifest.Stored, stored)
	return err
}

// keyOf gives the unlock key of the backup's time: the configured one where it is
// that, else the one that lies beside the backup. Where neither is, it gives what is
// configured, of which keyOfItsTime says what is wrong.
func keyOf(ctx context.Context, repo *repository.Repository, b state.Backup, configured []byte) ([]byte, error) {
	if !b.Autolocked || !b.KeyEscrowed() || keyOfItsTime(b, configured) == nil {
		return configured, nil
	}
	key, err := escrowedKey(ctx, repo, b)
	if err != nil {
		return nil, fmt.Errorf("the unlock key beside backup %s: %w", b.ID, err)
	}
	return key, nil
}

func escrowedKey(ctx context.Context, repo *repository.Repository, b state.Backup) (_ []byte, err error) {
	stream, err := repo.OpenObject(ctx, b.ID, state.EscrowObject)
	if err != nil {
		return nil, err
	}
	files, err := repository.ReadTar(stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return nil, err
	}
	for _, f := range files {
		if key := bytes.TrimSpace(f.Data); f.Name == escrowName && raftdir.Fingerprint(key) == b.KeySHA256 {
			return key, nil
		}
	}
	return nil, errors.New("it is not the one that the manifest names")
}

// escrowed is the key that lay beside the backup which a recovery restores.
func (w *World) escrowed(backup string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.besides[backup]
}

// rememberKey gives the unlock key of a backup that is restored, and keeps one that
// lay beside it for the steps to come, in memory only.
func (w *World) rememberKey(ctx context.Context, repo *repository.Repository, b state.Backup) error {
	configured, _ := w.o.ConfiguredKey()
	key, err := keyOf(ctx, repo, b, []byte(configured))
	if err != nil || string(key) == configured {
		return errors.Join(err, w.keyOfBackup(b))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.besides[b.ID] = key
	return nil
}
