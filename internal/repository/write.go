package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// Writer makes one backup. It is a backup once Commit has returned nil, and
// not before; what is given up must be Aborted.
type Writer struct {
	repo *Repository
	id   string

	mu     sync.Mutex
	busy   map[string]bool
	stored []state.StoredObject
	ahead  []state.StoredObject // of stored, what was there before
	later  bool                 // what is put is read back by Continue
	done   bool
}

// Create begins a backup under an ID of NewID. It refuses an ID under which
// something lies already: a backup is never written over, and the leftovers of
// an upload that was cut go by RemoveIncomplete first.
func (r *Repository) Create(ctx context.Context, id string) (*Writer, error) {
	if _, err := ParseID(id); err != nil {
		return nil, r.refuse(ErrManifest, "a backup can't be stored under this ID", "", "use an ID that requeen made", err)
	}
	if r.sealer == nil {
		return nil, r.refuse(ErrRecipients, "neither recipients nor plaintext is set",
			"requeen never stores a cluster's keys in clear unless told so", "set recipients in the repository block", nil)
	}
	if _, err := signer(r.opts); err != nil {
		return nil, err
	}
	objects, err := r.store.list(ctx, r.backupPrefix(id))
	if err != nil {
		return nil, failed(r.url, "it can't be listed", "No backup can be stored there", "mend what the message names, then run it again", err)
	}
	if len(objects) > 0 {
		return nil, r.occupied(id, objects)
	}
	return &Writer{repo: r, id: id, busy: map[string]bool{}}, nil
}

func (r *Repository) occupied(id string, objects []object) error {
	if hasManifest(r.backupPrefix(id), objects) {
		return r.refuse(ErrExists, "backup "+id+" exists already", "A backup is never written over", "plan again: nothing more needs to be done for this one", nil)
	}
	return r.refuse(ErrIncomplete, "leftovers of a cut upload lie under "+id, "They are no backup, and must not become part of one", "run requeen apply again: it removes them and uploads anew", nil)
}

// Put stores an archive, name such as "swarm.tar": compressed, encrypted where
// the repository has recipients, made durable and read back. progress, which
// may be nil, is told how many bytes of src were taken so far. When Put fails
// nothing of the object is left, and it may be called again.
func (w *Writer) Put(ctx context.Context, name string, src io.Reader, progress func(int64)) (state.StoredObject, error) {
	if err := w.reserve(name); err != nil {
		return state.StoredObject{}, err
	}
	object, err := w.put(ctx, name, src, progress)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, name)
	if err != nil {
		return state.StoredObject{}, failed(w.repo.url, "storing "+name+" of backup "+w.id+" failed",
			"The backup does not exist; what was written of this object is removed", "mend what the message names, then run it again", err)
	}
	w.stored = append(w.stored, object)
	return object, nil
}

func (w *Writer) reserve(name string) error {
	if err := checkObject(name); err != nil {
		return w.repo.refuse(ErrManifest, "this object can't be part of a backup", "", "rename the volume or directory block", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.busy[name]
	for _, o := range w.stored {
		taken = taken || plainName(o.Name) == name
	}
	if taken || w.done {
		return w.repo.refuse(ErrExists, name+" of backup "+w.id+" was stored already", "", "give each archive a name of its own", nil)
	}
	w.busy[name] = true
	return nil
}

func (w *Writer) put(ctx context.Context, name string, src io.Reader, progress func(int64)) (state.StoredObject, error) {
	r := w.repo
	stored := state.StoredObject{Name: storedName(name, r.sealer.plaintext)}
	key := r.key(w.id, stored.Name)
	out, err := r.store.create(ctx, key)
	if err != nil {
		return stored, err
	}
	sum := &summing{w: out, hash: sha256.New()}
	if err := r.sealer.copy(sum, &counting{ctx: ctx, r: src, tell: progress}); err != nil {
		out.cancel()
		return stored, err
	}
	if err := out.commit(); err != nil {
		_ = w.drop(ctx, key) // what stays without a manifest is no backup
		return stored, err
	}
	stored.Size, stored.SHA256 = sum.size, sum.hex()
	if w.later {
		return stored, nil
	}
	if err := r.checkStored(ctx, w.id, stored); err != nil {
		_ = w.drop(ctx, key)
		return stored, err
	}
	return stored, nil
}

// drop removes an object that must not stay, also when ctx has ended.
func (w *Writer) drop(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	return w.repo.store.remove(ctx, key)
}

const cleanupTime = 30 * time.Second

// Abort removes what was put. Nothing happens after a Commit that succeeded.
func (w *Writer) Abort(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if len(w.ahead) > 0 {
		there, err := w.repo.store.list(ctx, w.repo.backupPrefix(w.id))
		if err == nil {
			err = w.removeOthers(ctx, there)
		}
		w.stored = w.ahead
		return err
	}
	if err := w.repo.RemoveIncomplete(ctx, w.id); err != nil {
		return err
	}
	w.stored = nil
	return nil
}

// summing hashes and counts what passes to a writer.
type summing struct {
	w    io.Writer
	hash hash.Hash
	size int64
}

func (s *summing) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	return n, err
}

func (s *summing) hex() string { return hex.EncodeToString(s.hash.Sum(nil)) }

// counting tells how much was read, and ends with its context.
type counting struct {
	ctx  context.Context
	r    io.Reader
	tell func(int64)
	n    int64
}

func (c *counting) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if n > 0 && c.tell != nil {
		c.tell(c.n)
	}
	return n, err
}

// checkStored reads an object's stored bytes and compares them.
func (r *Repository) checkStored(ctx context.Context, id string, want state.StoredObject) error {
	in, err := r.store.open(ctx, r.key(id, want.Name))
	if err != nil {
		return err
	}
	defer in.Close()
	sum := &summing{w: io.Discard, hash: sha256.New()}
	if _, err := io.Copy(sum, &counting{ctx: ctx, r: in}); err != nil {
		return err
	}
	return r.compare(id, want, sum.size, sum.hex())
}

func (r *Repository) compare(id string, want state.StoredObject, size int64, digest string) error {
	if size == want.Size && digest == want.SHA256 {
		return nil
	}
	return r.refuse(ErrDigest, fmt.Sprintf("%s of backup %s is damaged: %d bytes with SHA-256 %s were read, %d bytes with %s were written",
		want.Name, id, size, digest, want.Size, want.SHA256),
		"A cluster restored from it could be wrong without a sign", "use another backup or another copy, and look at the disk and memory of the repository's machine", nil)
}

// sameBytes reads a small object back.
func (r *Repository) sameBytes(ctx context.Context, key string, want []byte) error {
	got, err := readAll(ctx, r.store, key, int64(len(want)))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return r.refuse(ErrDigest, "the manifest reads back otherwise than it was written", "The repository's storage can't be trusted", "look at the disk and memory of the repository's machine", nil)
	}
	return nil
}
