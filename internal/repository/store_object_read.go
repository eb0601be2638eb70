package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"
)

// resumes is how often in a row a reader begins again without having got one
// more byte.
const resumes = 3

// resuming reads an object and, when the connection breaks, goes on where it
// was: what took an hour to come is not thrown away for one broken connection.
// The bytes are compared with the manifest's digest by whoever reads them.
type resuming struct {
	ctx      context.Context
	store    *objectStore
	key      string
	in       *blob.Reader
	size     int64
	modified time.Time

	at     int64 // the offset of the next byte
	broken int   // how often in a row
	end    error
}

func (r *resuming) Read(p []byte) (int, error) {
	for {
		if r.end != nil {
			return 0, r.end
		}
		n, err := r.in.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.broken = 0
		}
		switch {
		case err == nil:
			return n, nil
		case err == io.EOF && r.at >= r.size:
			r.end = io.EOF
		case err == io.EOF:
			r.resume(io.ErrUnexpectedEOF)
		case r.at >= r.size:
			r.end = r.store.service.explain(err)
		default:
			r.resume(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// resume opens the object again at the next byte, or ends the reading.
func (r *resuming) resume(cause error) {
	if err := r.ctx.Err(); err != nil {
		r.end = err
		return
	}
	if r.broken++; r.broken > resumes {
		r.end = r.store.service.explain(cause)
		return
	}
	if err := sleep(r.ctx, time.Duration(r.broken*r.broken)*pause); err != nil {
		r.end = err
		return
	}
	bucket, err := r.store.opened(r.ctx)
	if err != nil {
		r.end = err
		return
	}
	in, err := bucket.NewRangeReader(r.ctx, r.store.prefix+r.key, r.at, -1, nil)
	if err != nil {
		r.end = r.store.service.explain(errors.Join(err, cause))
		return
	}
	_ = r.in.Close()
	r.in = in
	if in.Size() != r.size || !in.ModTime().Equal(r.modified) {
		r.end = fmt.Errorf("%s was replaced while it was read", r.key)
	}
}

// pause is how long the first new beginning waits; replaced in tests.
var pause = time.Second

func (r *resuming) Close() error { return r.in.Close() }
