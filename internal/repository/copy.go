package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// CopyProgress is how far a copy has come.
type CopyProgress struct {
	Object string // that is being copied, by its stored name
	Bytes  int64  // of it so far: stored bytes, or where it is encrypted anew, clear ones
	Total  int64  // stored bytes of it
}

// Copy stores another repository's backup in this one, under the same ID, and reads
// it once. Where the recipients are the same, or this one names none, the very
// objects and the very manifest are stored; else each object is opened with from's
// identity and encrypted anew. Every digest is compared on the way, and the manifest
// is written last: a copy that is cut is no backup, and is made anew by calling Copy
// again. Of a backup that is there already and whole nothing is written.
//
// What no key vouches for is never signed: where this repository declares verify
// keys, the manifest's signature has to hold for from's or for this one's.
func (r *Repository) Copy(ctx context.Context, from *Repository, id string, progress func(CopyProgress)) (state.Backup, error) {
	b, raw, err := r.toCopy(ctx, from, id)
	if err != nil {
		return b, err
	}
	if there, err := r.Get(ctx, id); err == nil {
		return r.copied(b, there)
	} else if !errors.Is(err, ErrNotFound) {
		return state.Backup{}, err
	}
	if err := r.holdsAll(b); err != nil {
		return state.Backup{}, err
	}
	w, err := r.copier(ctx, id)
	if err != nil {
		return state.Backup{}, err
	}
	if progress == nil {
		progress = func(CopyProgress) {}
	}
	if r.takesAsIs(b) {
		err = w.copyAsIs(ctx, from, b, raw, progress)
	} else {
		err = w.copyAnew(ctx, from, b, progress)
	}
	if err != nil {
		return state.Backup{}, errors.Join(err, w.Abort(context.WithoutCancel(ctx)))
	}
	return r.Get(ctx, id)
}

// toCopy is the backup that is to be copied, and its manifest's bytes, where it is
// whole and this repository would count it.
func (r *Repository) toCopy(ctx context.Context, from *Repository, id string) (state.Backup, []byte, error) {
	b, err := from.Get(ctx, id)
	if err == nil {
		err = from.trusted(b)
	}
	if err != nil {
		return b, nil, err
	}
	if b.Problem != nil {
		return b, nil, from.refuse(ErrDigest, "backup "+id+" is damaged: "+b.Problem.Text, "A copy of it would be, too", "copy another one", nil)
	}
	if b.Cluster != r.cluster {
		return b, nil, r.refuse(ErrManifest, "backup "+id+" is of cluster "+b.Cluster, "Here is cluster "+r.cluster+"'s place", "report this as a bug", nil)
	}
	raw, err := readAll(ctx, from.store, from.key(id, manifestName), manifestLimit)
	if err != nil {
		return b, nil, failed(from.url, "the manifest of backup "+id+" can't be read", "It can't be copied", "mend what the message names", err)
	}
	if raw, err = withoutChecks(raw); err != nil {
		return b, nil, err
	}
	b, err = r.vouched(from, b, raw)
	return b, raw, err
}

// withoutChecks is a manifest without what was proved of the objects where they lay
// before. One that this program would write otherwise stays as it is.
func withoutChecks(raw []byte) ([]byte, error) {
	var m state.Backup
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if same, err := encodeManifest(m); err != nil || !bytes.Equal(same, raw) {
		return raw, err
	}
	m.Checked = nil
	return encodeManifest(m)
}

// vouched refuses a backup that nobody's key vouches for where this repository asks
// for a signature: signing it here would make anybody's swarm this cluster's. What it
// gives was read out of the very bytes that are signed: nothing else is signed anew.
func (r *Repository) vouched(from *Repository, b state.Backup, raw []byte) (state.Backup, error) {
	keys := from
	if len(from.verify) == 0 {
		keys = r
	}
	signed, forged, err := keys.decodeManifest(raw)
	if err == nil && forged == "" {
		err = checkManifest(signed, b.ID, r.cluster)
	}
	if err != nil || forged == "" {
		return signed, err
	}
	if keys == from { // it is another one than a moment ago
		signed.Problem = notSigned(forged)
		return b, from.trusted(signed)
	}
	return b, &Error{Kind: ErrSignature, Code: diag.BackupNotSigned, URL: from.url,
		What:   fmt.Sprintf("backup %s can't be copied into repository %s: %s", b.ID, r.name, forged),
		Why:    "That repository has a verify_key, and a backup that no key vouches for is never signed afterwards",
		Remedy: "if it was signed, set verify_key in the repository that it comes from; else take a new backup into the one that it goes to"}
}

// takesAsIs tells whether the stored objects of a backup serve here as they are.
func (r *Repository) takesAsIs(b state.Backup) bool {
	switch {
	case r.sealer == nil:
		return true
	case b.PlainStored || r.sealer.plaintext:
		return b.PlainStored && r.sealer.plaintext
	}
	return SameRecipients(b.Recipients, r.sealer.texts)
}

// SameRecipients tells whether two lists name the same public keys; the comment of an
// ssh key names nobody.
func SameRecipients(a, b []string) bool {
	keys := func(list []string) []string {
		var out []string
		for _, s := range list {
			parts := strings.Fields(s)
			out = append(out, strings.Join(parts[:min(2, len(parts))], " "))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(keys(a), keys(b))
}

// copied judges what is there under the ID already.
func (r *Repository) copied(b, there state.Backup) (state.Backup, error) {
	if err := r.trusted(there); err != nil {
		return there, err
	}
	same := there.SwarmID == b.SwarmID && there.Backup == b.Backup && there.Kind == b.Kind && there.TakenAt.Equal(b.TakenAt)
	switch {
	case there.Problem != nil:
		return there, r.refuse(ErrExists, "backup "+b.ID+" is there already, and damaged: "+there.Problem.Text, "Nothing is written over, and what is left of it may be of use",
			"move its directory away by hand, then copy it again", nil)
	case !same:
		return there, r.refuse(ErrExists, "another backup is there under the ID "+b.ID, "Nothing is written over", "find out what changed the repository", nil)
	}
	return there, nil
}

// copier begins a copy, also in a repository of which no recipients are known. What a
// cut copy left goes first.
func (r *Repository) copier(ctx context.Context, id string) (*Writer, error) {
	if err := r.RemoveIncomplete(ctx, id); err != nil {
		return nil, err
	}
	return &Writer{repo: r, id: id, busy: map[string]bool{}}, nil
}

// copyAsIs stores the very bytes.
func (w *Writer) copyAsIs(ctx context.Context, from *Repository, b state.Backup, raw []byte, progress func(CopyProgress)) error {
	data, err := w.manifestAsIs(b, raw)
	if err != nil {
		return err
	}
	for _, o := range b.Stored {
		if err := w.putAsIs(ctx, from, o, progress); err != nil {
			return failed(w.repo.url, "copying "+o.Name+" of backup "+w.id+" failed", "The copy does not exist; the backup that it is of stays as it is",
				"mend what the message names, then run it again", err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.commit(ctx, data); err != nil {
		return failed(w.repo.url, "writing the manifest of backup "+w.id+" failed", "The copy does not exist", "mend what the message names, then run it again", err)
	}
	w.done = true
	return nil
}

// manifestAsIs is the manifest that is stored: as it was signed, or where its key is
// none of this repository's, signed by this one's.
func (w *Writer) manifestAsIs(b state.Backup, raw []byte) ([]byte, error) {
	if len(w.repo.verify) == 0 {
		return raw, nil
	}
	if _, forged, err := w.repo.decodeManifest(raw); err != nil || forged == "" {
		return raw, err
	}
	key, err := signer(w.repo.opts)
	if err != nil {
		return nil, err
	}
	b.Checked, b.Problem, b.Opening = nil, nil, nil
	return sign(b, key)
}

func (w *Writer) putAsIs(ctx context.Context, from *Repository, o state.StoredObject, progress func(CopyProgress)) error {
	in, err := from.openStored(ctx, w.id, o)
	if err != nil {
		return err
	}
	defer in.Close()
	key := w.repo.key(w.id, o.Name)
	out, err := w.repo.store.create(ctx, key)
	if err != nil {
		return err
	}
	sum := &summing{w: out, hash: sha256.New()}
	tell := func(n int64) { progress(CopyProgress{Object: o.Name, Bytes: n, Total: o.Size}) }
	_, err = io.Copy(sum, &counting{ctx: ctx, r: in, tell: tell})
	if err == nil {
		err = from.compare(w.id, o, sum.size, sum.hex())
	}
	if err != nil {
		out.cancel()
		return err
	}
	if err := out.commit(); err != nil {
		_ = w.drop(ctx, key)
		return err
	}
	if err := w.repo.checkStored(ctx, w.id, o); err != nil {
		_ = w.drop(ctx, key)
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stored = append(w.stored, o)
	return nil
}

// copyAnew opens every object and stores it as this repository's own are.
func (w *Writer) copyAnew(ctx context.Context, from *Repository, b state.Backup, progress func(CopyProgress)) error {
	if _, err := signer(w.repo.opts); err != nil {
		return err
	}
	if w.repo.sealer.plaintext && b.KeyEscrowed() {
		return w.repo.refuse(ErrRecipients, "backup "+w.id+" has the unlock key beside it, and this repository stores in clear",
			"The key would lie beside what it opens, for whoever reads the repository", "copy it into a repository with recipients", nil)
	}
	b.Data = slices.Clone(b.Data)
	for _, o := range b.Stored {
		stored, err := w.putAnew(ctx, from, o, progress)
		if err != nil {
			return err
		}
		for i := range b.Data {
			if b.Data[i].Object == o.Name {
				b.Data[i].Object = stored.Name // one that is encrypted is called otherwise
			}
		}
	}
	b.Checked, b.OpenedAt, b.Opening, b.Stored = nil, time.Time{}, nil, nil
	return w.Commit(ctx, b)
}

func (w *Writer) putAnew(ctx context.Context, from *Repository, o state.StoredObject, progress func(CopyProgress)) (state.StoredObject, error) {
	in, err := from.OpenObject(ctx, w.id, o.Name)
	if err != nil {
		return state.StoredObject{}, err
	}
	defer in.Close()
	return w.Put(ctx, plainName(o.Name), in, func(n int64) { progress(CopyProgress{Object: o.Name, Bytes: n, Total: o.Size}) })
}
