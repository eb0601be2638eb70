package repository

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/state"
)

// Commit makes what was put a backup: it settles the objects, then writes the
// manifest. ID, cluster, format version, recipients, stored objects and the
// time of upload are filled in here, and it is signed where verify keys are
// declared. After an error there is no manifest, and
// Commit may be called again or the Writer aborted; only where the storage died
// between writing the manifest and taking it back may there be one, and then
// the backup is complete.
func (w *Writer) Commit(ctx context.Context, manifest state.Backup) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.repo
	if w.done || len(w.busy) > 0 {
		return r.refuse(ErrManifest, "backup "+w.id+" can't be committed: it is already, or an object is still being stored", "", "report this as a bug", nil)
	}
	key, err := signer(r.opts)
	if err != nil {
		return err
	}
	data, err := w.manifest(manifest, key)
	if err != nil {
		return r.refuse(ErrManifest, "the manifest of backup "+w.id+" is not complete", "A backup that can't be told apart from others is none", "report this as a bug", err)
	}
	if err := w.commit(ctx, data); err != nil {
		return failed(r.url, "writing the manifest of backup "+w.id+" failed", "The backup does not exist",
			"mend what the message names, then run it again", err)
	}
	w.done = true
	return nil
}

func (w *Writer) commit(ctx context.Context, data []byte) error {
	r, prefix := w.repo, w.repo.backupPrefix(w.id)
	if err := w.complete(ctx); err != nil {
		return err
	}
	if err := r.store.settle(ctx, prefix); err != nil {
		return err
	}
	key := prefix + manifestName
	err := writeAll(ctx, r.store, key, data)
	if err == nil {
		err = r.sameBytes(ctx, key, data)
	}
	if err == nil {
		err = r.store.settle(ctx, prefix)
	}
	if err == nil {
		return nil
	}
	if stays := w.drop(ctx, key); stays != nil {
		return failed(r.url, "writing the manifest of backup "+w.id+" failed, and it can't be removed either: "+stays.Error(),
			"Whether the backup exists is not known; if requeen backup list shows it, all of it is there", "mend what the message names, then plan again", err)
	}
	return err
}

// complete looks once more that what was put, and nothing else, is there.
func (w *Writer) complete(ctx context.Context) error {
	r := w.repo
	objects, err := r.store.list(ctx, r.backupPrefix(w.id))
	if err != nil {
		return err
	}
	if hasManifest(r.backupPrefix(w.id), objects) {
		return r.occupied(w.id, objects)
	}
	if problem := checkSizes(r.backupPrefix(w.id), w.stored, objects); problem != nil {
		return r.refuse(ErrDigest, problem.Text, "Something else changes the repository", problem.Remedy, nil)
	}
	if len(objects) != len(w.stored) {
		return r.refuse(ErrIncomplete, fmt.Sprintf("%d objects lie under %s, %d were stored by this run", len(objects), w.id, len(w.stored)),
			"Something else writes there", "find out what it is; requeen apply uploads anew", nil)
	}
	return nil
}

func (w *Writer) manifest(m state.Backup, key ed25519.PrivateKey) ([]byte, error) {
	var faults []error
	if m.ID != "" && m.ID != w.id {
		faults = append(faults, fmt.Errorf("it is backup %s's", m.ID))
	}
	if m.Cluster != "" && m.Cluster != w.repo.cluster {
		faults = append(faults, fmt.Errorf("it is cluster %s's", m.Cluster))
	}
	if m.Kind != state.KindRegular && m.Kind != state.KindSafety {
		faults = append(faults, fmt.Errorf("its kind is %q", m.Kind))
	}
	if m.TakenAt.IsZero() {
		faults = append(faults, errors.New("the time it was taken is not set"))
	}
	if m.Problem != nil {
		faults = append(faults, errors.New("it has a problem: "+m.Problem.Text))
	}
	if len(w.stored) == 0 {
		faults = append(faults, errors.New("no object was stored"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	m.ID, m.Cluster, m.FormatVersion = w.id, w.repo.cluster, FormatVersion
	m.TakenAt = m.TakenAt.UTC()
	m.UploadedAt = w.repo.clock.now().UTC()
	m.PlainStored, m.Recipients = w.repo.sealer.plaintext, w.repo.sealer.texts
	m.Stored = w.stored
	return sign(m, key)
}
