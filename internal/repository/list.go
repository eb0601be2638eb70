package repository

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

const manifestLimit = 8 << 20

// List tells the cluster's backups, newest first. One whose manifest can't be
// read, or that lacks an object, has a Problem and counts for nothing; a place
// without a manifest is no backup and is left out.
func (r *Repository) List(ctx context.Context) ([]state.Backup, error) {
	objects, err := r.store.list(ctx, r.clusterPrefix())
	if err != nil {
		return nil, failed(r.url, "it can't be listed", "Which backups there are is unknown, which is not the same as none", "mend what the message names", err)
	}
	places := map[string][]object{}
	for _, o := range objects {
		id, _, _ := strings.Cut(strings.TrimPrefix(o.key, r.clusterPrefix()), "/")
		if _, err := ParseID(id); err == nil {
			places[id] = append(places[id], o)
		}
	}
	list := r.readEach(ctx, places)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	sortNewestFirst(list)
	return list, nil
}

// manifestsAtOnce is how many manifests are read side by side: each takes a server's
// answer, and a repository may hold thousands.
const manifestsAtOnce = 8

// readEach reads the manifests of the places that have one, in no order.
func (r *Repository) readEach(ctx context.Context, places map[string][]object) (list []state.Backup) {
	var all sync.WaitGroup
	var mu sync.Mutex
	turn := make(chan struct{}, manifestsAtOnce)
	for id, there := range places {
		if !hasManifest(r.backupPrefix(id), there) {
			continue
		}
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			b, err := r.read(ctx, id, there)
			if err != nil {
				b = unreadable(id, r.cluster, err)
			}
			mu.Lock()
			defer mu.Unlock()
			list = append(list, b)
		})
	}
	all.Wait()
	return list
}

func sortNewestFirst(list []state.Backup) {
	sort.Slice(list, func(i, j int) bool {
		if a, b := takenAt(list[i]), takenAt(list[j]); !a.Equal(b) {
			return a.After(b)
		}
		return list[i].ID > list[j].ID
	})
}

// takenAt falls back on the ID, for a manifest that tells no time.
func takenAt(b state.Backup) time.Time {
	if !b.TakenAt.IsZero() {
		return b.TakenAt
	}
	t, _ := ParseID(b.ID)
	return t
}

func unreadable(id, cluster string, err error) state.Backup {
	return state.Backup{ID: id, Cluster: cluster, Problem: &state.Problem{
		Code: diag.BackupDamaged, Text: "its manifest can't be read: " + err.Error(),
		Remedy: "find out what changed the repository; the objects may still open by hand",
	}}
}

// Get gives one backup as List does. A manifest that is not there is
// ErrNotFound, one that can't be read ErrManifest.
func (r *Repository) Get(ctx context.Context, id string) (state.Backup, error) {
	missing := func() error {
		return r.refuse(ErrNotFound, "there is no backup "+id+" of cluster "+r.cluster, "", "requeen backup list shows what there is", nil)
	}
	if _, err := ParseID(id); err != nil {
		return state.Backup{}, missing()
	}
	there, err := r.store.list(ctx, r.backupPrefix(id))
	if err != nil {
		return state.Backup{}, failed(r.url, "backup "+id+" can't be listed", "Whether it is there is unknown", "mend what the message names", err)
	}
	if !hasManifest(r.backupPrefix(id), there) {
		return state.Backup{}, missing()
	}
	b, err := r.read(ctx, id, there)
	var silent *unread
	if errors.As(err, &silent) {
		return state.Backup{}, failed(r.url, "the manifest of backup "+id+" can't be read", "What the backup holds is unknown, which is not the same as damaged", "mend what the message names", silent.error)
	}
	if err != nil {
		return state.Backup{}, r.refuse(ErrManifest, "the manifest of backup "+id+" can't be read",
			"It tells what the backup holds, and without it nothing is verified", "use another backup; the objects may still open by hand", err)
	}
	return b, nil
}

// unread is why the storage gave no manifest's bytes: it says nothing of what they are.
type unread struct{ error }

func (u *unread) Unwrap() error { return u.error }

// read decodes a manifest and compares it with what is there.
func (r *Repository) read(ctx context.Context, id string, there []object) (state.Backup, error) {
	data, err := readAll(ctx, r.store, r.key(id, manifestName), manifestLimit)
	if err != nil && !errors.Is(err, errTooLong) && !errors.Is(err, fs.ErrNotExist) {
		err = &unread{err}
	}
	if err != nil {
		return state.Backup{}, err
	}
	b, forged, err := r.decodeManifest(data)
	if err != nil {
		return state.Backup{}, err
	}
	if err := checkManifest(b, id, r.cluster); err != nil {
		return state.Backup{}, err
	}
	b.Problem = checkSizes(r.backupPrefix(id), b.Stored, there)
	if forged != "" {
		b.Problem = notSigned(forged)
	}
	return b, nil
}

// checkManifest refuses what this program did not write like this: names that
// lead elsewhere, another backup's manifest, a newer format.
func checkManifest(b state.Backup, id, cluster string) error {
	switch {
	case b.FormatVersion > FormatVersion:
		return fmt.Errorf("its format is %d and this program reads up to %d: use a newer requeen", b.FormatVersion, FormatVersion)
	case b.FormatVersion < 1:
		return fmt.Errorf("it is no backup's manifest: format version %d", b.FormatVersion)
	case b.ID != id:
		return fmt.Errorf("it is the manifest of backup %q", b.ID)
	case b.Cluster != cluster:
		return fmt.Errorf("it is a backup of cluster %q", b.Cluster)
	case b.TakenAt.IsZero():
		return fmt.Errorf("it does not say when it was taken")
	case len(b.Stored) == 0:
		return fmt.Errorf("it names no object")
	}
	seen := map[string]bool{}
	for _, o := range b.Stored {
		digest, err := hex.DecodeString(o.SHA256)
		if !isStoredName(o.Name) || seen[plainName(o.Name)] || o.Size < 0 || err != nil || len(digest) != 32 {
			return fmt.Errorf("it names an object that can't be one: %q", o.Name)
		}
		if strings.HasSuffix(o.Name, plainSuffix) != b.PlainStored {
			return fmt.Errorf("it says of %q that it is encrypted, or not, and the name says otherwise", o.Name)
		}
		seen[plainName(o.Name)] = true
	}
	return nil
}

// checkSizes tells what of a manifest's objects is missing or of another size.
func checkSizes(prefix string, want []state.StoredObject, there []object) *state.Problem {
	sizes := map[string]int64{}
	for _, o := range there {
		sizes[strings.TrimPrefix(o.key, prefix)] = o.size
	}
	var faults []string
	for _, o := range want {
		switch size, ok := sizes[o.Name]; {
		case !ok:
			faults = append(faults, o.Name+" is missing")
		case size != o.Size:
			faults = append(faults, fmt.Sprintf("%s has %d bytes, and was stored with %d", o.Name, size, o.Size))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &state.Problem{
		Code: diag.BackupDamaged, Text: strings.Join(faults, "; "),
		Remedy: "don't rely on this backup; find out what changed the repository",
	}
}

func hasManifest(prefix string, there []object) bool {
	for _, o := range there {
		if o.key == prefix+manifestName {
			return true
		}
	}
	return false
}
