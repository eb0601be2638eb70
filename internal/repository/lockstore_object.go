package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/requeen/requeen/internal/diag"
)

// createOnce is a conditional write: the server refuses it when the object is
// there. A refusal may be of this call's own object, when the answer to an
// earlier attempt was lost on the way; the bytes tell.
func (s *objectStore) createOnce(ctx context.Context, key string, data []byte) error {
	bucket, err := s.opened(ctx)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		err := putNew(ctx, bucket, s.prefix+key, data)
		switch {
		case err == nil:
			return nil
		case gcerrors.Code(err) == gcerrors.FailedPrecondition:
			return s.whose(ctx, key, data)
		case ctx.Err() != nil:
			return ctx.Err()
		case notBuilt(err):
			return s.untrusted(err)
		case !conflicts(err) || attempt == 5:
			return s.service.explain(err)
		}
		if err := sleep(ctx, jitter()); err != nil {
			return err
		}
	}
}

// putNew hands the object over whole: a writer of Azure's library crashes when the
// server refuses what was written to it.
func putNew(ctx context.Context, bucket *blob.Bucket, key string, data []byte) error {
	return bucket.Upload(ctx, key, bytes.NewReader(data), &blob.WriterOptions{
		IfNotExist: true, ContentType: "application/octet-stream", DisableContentTypeDetection: true,
	})
}

// whose tells of an object that is in the way whether this call made it.
func (s *objectStore) whose(ctx context.Context, key string, data []byte) error {
	got, err := readAll(ctx, s, key, int64(len(data)))
	switch {
	case err == nil && bytes.Equal(got, data):
		return nil
	case err == nil, errors.Is(err, errTooLong), errors.Is(err, fs.ErrNotExist): // the last was removed meanwhile
		return fmt.Errorf("%s: %w", key, fs.ErrExist)
	}
	return err
}

// untrusted is for a server that does not know conditional writes and says so;
// one that silently ignores them is found out by the lock's self-test.
func (s *objectStore) untrusted(cause error) error {
	return &Error{
		Kind: ErrLockUntrusted, Code: diag.RepositoryUnusable, URL: s.service.url,
		What:   "it does not know conditional writes (If-None-Match: *)",
		Why:    "Two runs would both believe that they hold the lock",
		Remedy: lockRemedy, Cause: s.service.explain(cause),
	}
}

// lockRemedy is what helps where a store can't hold a lock.
const lockRemedy = "move the repository to storage that honours conditional creation; until then -lock=false recovers a swarm without this lock"
