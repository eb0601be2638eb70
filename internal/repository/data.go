package repository

import (
	"context"
	"io"
	"slices"

	"github.com/requeen/requeen/internal/state"
)

// PutAhead stores an archive under the ID of a backup that is still to be made, in place
// of what a cut earlier try left of it. Several may be stored side by side. Continue reads
// them back, when nobody is down for them any more, and makes them a part of the backup;
// without that they are leftovers of a cut upload.
func (r *Repository) PutAhead(ctx context.Context, id, name string, src io.Reader, progress func(int64)) (state.StoredObject, error) {
	w, there, err := r.writer(ctx, id)
	if err != nil {
		return state.StoredObject{}, err
	}
	w.later = true
	key := r.key(id, storedName(name, r.sealer.plaintext))
	for _, o := range there {
		if o.key == key {
			if err := r.store.remove(ctx, key); err != nil {
				return state.StoredObject{}, r.notRemoved(id, err)
			}
		}
	}
	return w.Put(ctx, name, src, progress)
}

// Continue is Create for a backup of which objects were stored ahead: they are a part of
// it, each as it was stored, and what else lies under its ID is removed. Abort leaves
// them, so that the backup can be tried again.
func (r *Repository) Continue(ctx context.Context, id string, ahead []state.StoredObject) (*Writer, error) {
	w, there, err := r.writer(ctx, id)
	if err != nil {
		return nil, err
	}
	w.ahead, w.stored = ahead, slices.Clone(ahead)
	if err := w.removeOthers(ctx, there); err != nil {
		return nil, err
	}
	if problem := checkSizes(r.backupPrefix(id), ahead, there); problem != nil {
		return nil, r.refuse(ErrDigest, problem.Text, "What was read of the applications is not there any more", problem.Remedy, nil)
	}
	for _, o := range ahead {
		if err := r.checkStored(ctx, id, o); err != nil {
			return nil, failed(r.url, "reading "+o.Name+" of backup "+id+" back failed", "The backup does not exist", "mend what the message names, then run it again", err)
		}
	}
	return w, nil
}

// writer is one of a backup that has no manifest, with what lies under its ID.
func (r *Repository) writer(ctx context.Context, id string) (*Writer, []object, error) {
	if _, err := ParseID(id); err != nil {
		return nil, nil, r.refuse(ErrManifest, "a backup can't be stored under this ID", "", "use an ID that requeen made", err)
	}
	if r.sealer == nil {
		return nil, nil, r.refuse(ErrRecipients, "neither recipients nor plaintext is set",
			"requeen never stores a cluster's keys in clear unless told so", "set recipients in the repository block", nil)
	}
	if _, err := signer(r.opts); err != nil {
		return nil, nil, err
	}
	there, err := r.store.list(ctx, r.backupPrefix(id))
	if err != nil {
		return nil, nil, failed(r.url, "it can't be listed", "No backup can be stored there", "mend what the message names, then run it again", err)
	}
	if hasManifest(r.backupPrefix(id), there) {
		return nil, nil, r.occupied(id, there)
	}
	return &Writer{repo: r, id: id, busy: map[string]bool{}}, there, nil
}

// removeOthers removes what lies under the ID and was not stored ahead.
func (w *Writer) removeOthers(ctx context.Context, there []object) error {
	r := w.repo
	for _, o := range there {
		if slices.ContainsFunc(w.ahead, func(a state.StoredObject) bool { return r.key(w.id, a.Name) == o.key }) {
			continue
		}
		if err := r.store.remove(ctx, o.key); err != nil {
			return r.notRemoved(w.id, err)
		}
	}
	return nil
}
