package repository

import "context"

// Remove removes a backup. Its manifest goes first, and durably: what a cut leaves is
// then no backup and can't be taken for one, and goes by calling Remove again, or by
// Sweep. A backup that is not there is no error.
func (r *Repository) Remove(ctx context.Context, id string) error {
	if _, err := ParseID(id); err != nil {
		return r.refuse(ErrNotFound, "there is nothing to remove", "", "use an ID that requeen made", err)
	}
	prefix := r.backupPrefix(id)
	there, err := r.store.list(ctx, prefix)
	if err != nil {
		return failed(r.url, "backup "+id+" can't be listed", "It stays as it is", "mend what the message names, then run it again", err)
	}
	if hasManifest(prefix, there) {
		err := r.store.remove(ctx, prefix+manifestName)
		if err == nil {
			err = r.store.settle(ctx, prefix)
		}
		if err != nil {
			return failed(r.url, "the manifest of backup "+id+" can't be removed", "Its objects stay, so that the backup is whole where the manifest is still there",
				"mend what the message names, then run it again", err)
		}
	}
	_, err = r.removeIncomplete(ctx, id)
	return err
}
