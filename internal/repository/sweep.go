package repository

import (
	"context"
	"path"
	"strings"
	"time"
)

// RemoveIncomplete removes what lies under a backup's ID, and refuses when a
// manifest is there.
func (r *Repository) RemoveIncomplete(ctx context.Context, id string) error {
	if _, err := ParseID(id); err != nil {
		return r.refuse(ErrNotFound, "there is nothing to remove", "", "use an ID that requeen made", err)
	}
	_, err := r.removeIncomplete(ctx, id)
	return err
}

func (r *Repository) removeIncomplete(ctx context.Context, id string) ([]string, error) {
	prefix := r.backupPrefix(id)
	there, err := r.store.list(ctx, prefix)
	if err != nil {
		return nil, r.notRemoved(id, err)
	}
	if hasManifest(prefix, there) {
		return nil, r.occupied(id, there)
	}
	var removed []string
	for _, o := range there {
		if err := r.store.remove(ctx, o.key); err != nil {
			return removed, r.notRemoved(id, err)
		}
		removed = append(removed, o.key)
	}
	if err := r.store.tidy(ctx, prefix); err != nil {
		return removed, r.notRemoved(id, err)
	}
	return removed, nil
}

func (r *Repository) notRemoved(id string, err error) error {
	return failed(r.url, "leftovers under "+id+" can't be removed", "They take room, but count as no backup", "mend what the message names; requeen apply removes them later", err)
}

// Sweep removes the leftovers of uploads that were cut: places without a
// manifest, and unfinished files beside one. What keep claims, or what changed
// within olderThan before now, stays: it may be an upload under way. It gives
// the keys that it removed, also with an error.
func (r *Repository) Sweep(ctx context.Context, keep func(id string) bool, olderThan time.Duration, now time.Time) ([]string, error) {
	objects, err := r.store.list(ctx, r.clusterPrefix())
	var found []string
	if err == nil {
		found, err = r.store.names(ctx, r.clusterPrefix())
	}
	if err != nil {
		return nil, failed(r.url, "it can't be listed", "Leftovers stay where they are", "mend what the message names", err)
	}
	limit := now.Add(-olderThan)
	places, newest := map[string][]object{}, map[string]time.Time{}
	for _, place := range found { // also those with nothing in them
		places[place] = nil
		newest[place], _ = ParseID(place)
	}
	for _, o := range objects {
		place, _, _ := strings.Cut(strings.TrimPrefix(o.key, r.clusterPrefix()), "/")
		places[place] = append(places[place], o)
		if o.modified.After(newest[place]) {
			newest[place] = o.modified
		}
	}
	var removed []string
	for place, there := range places {
		gone, err := r.sweepPlace(ctx, place, there, newest[place].Before(limit), keep, limit)
		removed = append(removed, gone...)
		if err != nil {
			return removed, err
		}
	}
	gone, err := r.sweepParts(ctx, keep, now.Add(-max(olderThan, longUpload)))
	return append(removed, gone...), err
}

// longUpload is how old an upload must be that is ended: one under way shows no
// sign of life to others.
const longUpload = 24 * time.Hour

// sweepParts ends uploads that a killed process left open, where the store has
// such: nothing lists them, and they take room.
func (r *Repository) sweepParts(ctx context.Context, keep func(string) bool, limit time.Time) ([]string, error) {
	s, ok := r.store.(interface {
		sweepParts(ctx context.Context, prefix string, left func(key string, begun time.Time) bool) ([]string, error)
	})
	if !ok {
		return nil, nil
	}
	ended, err := s.sweepParts(ctx, r.clusterPrefix(), func(key string, begun time.Time) bool {
		id, _, _ := strings.Cut(strings.TrimPrefix(key, r.clusterPrefix()), "/")
		_, err := ParseID(id)
		return err == nil && begun.Before(limit) && (keep == nil || !keep(id))
	})
	if err != nil {
		return ended, failed(r.url, "uploads that were cut can't be ended", "Their parts take room, but count as no backup",
			"mend what the message names, or let the bucket's lifecycle rule end them", err)
	}
	return ended, nil
}

func (r *Repository) sweepPlace(ctx context.Context, place string, there []object, old bool, keep func(string) bool, limit time.Time) ([]string, error) {
	_, err := ParseID(place)
	isBackup := err == nil
	if !isBackup && place != lockDir {
		return nil, nil // not requeen's
	}
	if isBackup && keep != nil && keep(place) {
		return nil, nil
	}
	if isBackup && !hasManifest(r.backupPrefix(place), there) {
		if !old {
			return nil, nil
		}
		return r.removeIncomplete(ctx, place)
	}
	var removed []string
	for _, o := range there {
		if !unfinished.MatchString(path.Base(o.key)) || !o.modified.Before(limit) {
			continue
		}
		if err := r.store.remove(ctx, o.key); err != nil {
			return removed, r.notRemoved(place, err)
		}
		removed = append(removed, o.key)
	}
	return removed, nil
}
