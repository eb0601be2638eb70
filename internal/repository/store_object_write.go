package repository

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"gocloud.dev/blob"
)

// An upload holds partSize in memory for each part under way and for the one
// that is being filled, whatever the object's size. An object has at most
// 10,000 parts at S3.
const (
	partSize    = 5 << 20
	partsAtOnce = 1
)

// abortGrace is how long an upload that is given up may take to take its parts
// back.
const abortGrace = 20 * time.Second

var errCancelled = errors.New("the upload was given up")

// blobWriter feeds an upload. The upload's own context outlives the caller's,
// so that an upload which is given up can still take back its parts; nothing of
// it is ever seen, since the last request is what makes the object.
type blobWriter struct {
	service service
	ctx     context.Context // the caller's
	pipe    *io.PipeWriter
	ended   chan struct{}
	err     error // of the upload, once ended
	abort   context.CancelFunc
	gentle  bool
	unwatch func() bool
	once    sync.Once
}

func (s *objectStore) create(ctx context.Context, key string) (objectWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	bucket, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	options := &blob.WriterOptions{
		BufferSize: partSize, MaxConcurrency: partsAtOnce,
		ContentType: "application/octet-stream", DisableContentTypeDetection: true,
	}
	if s.writing != nil {
		options.BeforeWrite = s.writing(bucket)
	}
	own, abort := context.WithCancel(context.WithoutCancel(ctx))
	out, in := io.Pipe()
	w := &blobWriter{service: s.service, ctx: ctx, pipe: in, ended: make(chan struct{}), abort: abort, gentle: s.service.gentle}
	go func() {
		defer close(w.ended)
		defer leanly()()
		w.err = bucket.Upload(own, s.prefix+key, out, options)
		_ = out.CloseWithError(errors.Join(w.err, errCancelled))
	}()
	w.unwatch = context.AfterFunc(ctx, func() { w.giveUp(ctx.Err()) })
	return w, nil
}

// giveUp ends an upload so that no object comes of it. Where the service takes
// back the parts of an upload whose source failed, the source fails; elsewhere
// that would make an object of what was written so far, and the context ends.
func (w *blobWriter) giveUp(cause error) {
	w.once.Do(func() {
		if w.gentle {
			time.AfterFunc(abortGrace, w.abort)
		} else {
			w.abort()
		}
		_ = w.pipe.CloseWithError(cause)
	})
}

func (w *blobWriter) Write(p []byte) (int, error) {
	n, err := w.pipe.Write(p)
	if err != nil {
		if ended := w.ctx.Err(); ended != nil {
			return n, ended
		}
		<-w.ended // the upload ended before its source did, and says why
		if w.err != nil {
			err = w.service.explain(w.err)
		}
	}
	return n, err
}

// commit ends the source and waits for the object. Once all is handed over, a
// context that ends cuts the upload at once.
func (w *blobWriter) commit() error {
	defer w.abort()
	if err := w.ctx.Err(); err != nil {
		w.cancel()
		return err
	}
	w.unwatch()
	stop := context.AfterFunc(w.ctx, w.abort)
	defer stop()
	_ = w.pipe.Close()
	<-w.ended
	if err := w.ctx.Err(); err != nil && w.err != nil {
		return err
	}
	return w.service.explain(w.err)
}

func (w *blobWriter) cancel() {
	w.unwatch()
	w.giveUp(errCancelled)
	<-w.ended
	w.abort()
}
