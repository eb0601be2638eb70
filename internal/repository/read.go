package repository

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

const (
	// maxWindow is what zstd -d accepts without being asked to.
	maxWindow = 128 << 20
	// checkFirst is up to what size an object that does not open is read
	// whole, to tell damage from a wrong identity.
	checkFirst = 64 << 20
)

// OpenObject gives an archive of a backup as plain tar bytes: name is
// "swarm.tar" or the stored name. The stored bytes' digest is compared when
// they end, and a difference is ErrDigest in place of io.EOF: what was read
// must not be used before io.EOF was seen.
func (r *Repository) OpenObject(ctx context.Context, id, name string) (io.ReadCloser, error) {
	b, err := r.Get(ctx, id)
	if err == nil {
		err = r.trusted(b)
	}
	if err != nil {
		return nil, err
	}
	object, ok := find(b, name)
	if !ok {
		return nil, r.refuse(ErrNotFound, "backup "+id+" has no "+plainName(name), "", "requeen backup show "+id+" tells what it holds", nil)
	}
	var ids []age.Identity
	if !b.PlainStored {
		if ids, err = loadIdentity(r.identity); err != nil {
			return nil, err
		}
	}
	in, err := r.openStored(ctx, id, object)
	if err != nil {
		return nil, err
	}
	out := &objectReader{repo: r, id: id, want: object, in: in, sum: &summing{w: io.Discard, hash: sha256.New()}}
	out.raw = io.TeeReader(&counting{ctx: ctx, r: in}, out.sum)
	if err := out.open(ids); err != nil {
		_ = out.Close()
		return nil, err
	}
	return out, nil
}

func find(b state.Backup, name string) (state.StoredObject, bool) {
	for _, o := range b.Stored {
		if o.Name == name || plainName(o.Name) == name {
			return o, true
		}
	}
	return state.StoredObject{}, false
}

func (r *Repository) openStored(ctx context.Context, id string, o state.StoredObject) (io.ReadCloser, error) {
	in, err := r.store.open(ctx, r.key(id, o.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, r.refuse(ErrDigest, o.Name+" of backup "+id+" is missing", "The backup can't be restored", "use another backup; find out what changed the repository", nil)
	}
	if err != nil {
		return nil, failed(r.url, o.Name+" of backup "+id+" can't be opened", "The backup can't be read", "mend what the message names", err)
	}
	return in, nil
}

// objectReader decrypts and decompresses, and sums what it reads on the way.
type objectReader struct {
	repo *Repository
	id   string
	want state.StoredObject
	in   io.Closer
	raw  io.Reader // stored bytes, summed
	sum  *summing
	zstd *zstd.Decoder
	end  error // what every further Read gives
}

func (o *objectReader) open(ids []age.Identity) error {
	plain := o.raw
	if ids != nil {
		var err error
		if plain, err = age.Decrypt(o.raw, ids...); err != nil {
			return o.notOpened(err)
		}
	}
	z, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return o.damaged(err)
	}
	o.zstd = z
	return nil
}

// notOpened tells a wrong identity from a damaged header, which looks alike.
func (o *objectReader) notOpened(err error) error {
	var none *age.NoIdentityMatchError
	if !errors.As(err, &none) || o.want.Size <= checkFirst {
		if damage := o.drain(); damage != nil {
			return damage
		}
	}
	return decryptError(o.repo.identity, err)
}

func (o *objectReader) Read(p []byte) (int, error) {
	if o.end != nil {
		return 0, o.end
	}
	n, err := o.zstd.Read(p)
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		o.end = io.EOF
		if damage := o.drain(); damage != nil {
			o.end = damage
		}
	default:
		o.end = o.damaged(err)
	}
	return n, o.end
}

// drain reads the rest of the stored bytes and compares their digest.
func (o *objectReader) drain() error {
	if _, err := io.Copy(io.Discard, o.raw); err != nil {
		return o.unread(err)
	}
	return o.repo.compare(o.id, o.want, o.sum.size, o.sum.hex())
}

// damaged explains a stream that does not decode: by its digest where that
// differs, else it was written like that.
func (o *objectReader) damaged(err error) error {
	if damage := o.drain(); damage != nil {
		return damage
	}
	return &Error{
		Kind: ErrDigest, Code: diag.BackupDamaged, URL: o.repo.url, Cause: err,
		What:   o.want.Name + " of backup " + o.id + " does not decode",
		Why:    "Its bytes are those that were stored, so it was damaged before",
		Remedy: "use another backup, and report this as a bug",
	}
}

func (o *objectReader) unread(err error) error {
	return failed(o.repo.url, o.want.Name+" of backup "+o.id+" can't be read to its end", "The backup can't be used until it can", "mend what the message names", err)
}

func (o *objectReader) Close() error {
	if o.zstd != nil {
		o.zstd.Close()
	}
	if o.end == nil {
		o.end = fs.ErrClosed
	}
	return o.in.Close()
}

// VerifyObjects reads all stored bytes of a backup and compares their digests.
// It needs no identity, and names everything that is damaged.
func (r *Repository) VerifyObjects(ctx context.Context, id string) error {
	b, err := r.Get(ctx, id)
	if err == nil {
		err = r.trusted(b)
	}
	if err != nil {
		return err
	}
	var faults []error
	for _, o := range b.Stored {
		err := r.checkStored(ctx, id, o)
		if errors.Is(err, fs.ErrNotExist) {
			_, err = r.openStored(ctx, id, o)
		}
		if err != nil {
			faults = append(faults, failed(r.url, o.Name+" of backup "+id+" can't be read", "The backup can't be used until it can", "mend what the message names", err))
		}
	}
	return errors.Join(faults...)
}
