package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"sort"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// objectStore keeps objects in a bucket of an object storage. What it holds
// appears whole or not at all, and is durable as soon as it appears.
type objectStore struct {
	service service
	prefix  string // of every key: "" or "some/path/"
	most    int64  // bytes that an object takes, in the parts that are used; 0 for any number
	// dial gives the bucket; it may read the credentials' usual places, and
	// contacts nothing that it can put off.
	dial func(context.Context) (*blob.Bucket, error)
	// before is called by listings, to see what the server answered.
	before func(as func(any) bool) error
	// writing gives what sets up the library's upload; nil where nothing has to be.
	writing func(*blob.Bucket) func(as func(any) bool) error
	// parts ends the uploads below a prefix that left calls left over; nil
	// where the service lets them expire by itself.
	parts func(ctx context.Context, b *blob.Bucket, prefix string, left func(key string, begun time.Time) bool) ([]string, error)

	mu     sync.Mutex
	bucket *blob.Bucket
}

// opened gives the bucket. A failure is not kept: credentials may come.
func (s *objectStore) opened(ctx context.Context) (*blob.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket != nil {
		return s.bucket, nil
	}
	// What is opened outlives this call: tokens are refreshed much later.
	b, err := s.dial(context.WithoutCancel(ctx))
	if err != nil {
		return nil, s.service.explain(err)
	}
	s.bucket = b
	return b, nil
}

func (s *objectStore) open(ctx context.Context, key string) (io.ReadCloser, error) {
	bucket, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	var r *blob.Reader
	err = s.there(ctx, bucket, key, func() (err error) {
		r, err = bucket.NewReader(ctx, s.prefix+key, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &resuming{ctx: ctx, store: s, key: key, in: r, size: r.Size(), modified: r.ModTime()}, nil
}

// there does something with an object, and gives fs.ErrNotExist only when a
// listing shows that the object is not there. The libraries also say "not
// found" of a bucket that is not there, of one that may not be read, of a host
// without an address (safety rule 4). An object that is listed all the same was
// made in between, or is about to go, and is tried again.
func (s *objectStore) there(ctx context.Context, bucket *blob.Bucket, key string, do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if gcerrors.Code(err) != gcerrors.NotFound {
			return s.service.explain(err)
		}
		listed, lookErr := s.listed(ctx, bucket, key)
		switch {
		case lookErr != nil:
			return lookErr
		case !listed:
			return fmt.Errorf("%s: %w", key, fs.ErrNotExist)
		case attempt == 5:
			return s.service.explain(err)
		}
		if err := sleep(ctx, jitter()); err != nil {
			return err
		}
	}
}

func (s *objectStore) listed(ctx context.Context, bucket *blob.Bucket, key string) (bool, error) {
	found, err := s.each(ctx, bucket, &blob.ListOptions{Prefix: s.prefix + key})
	for _, o := range found {
		if o.Key == s.prefix+key {
			return true, err
		}
	}
	return false, err
}

// each collects a listing.
func (s *objectStore) each(ctx context.Context, bucket *blob.Bucket, o *blob.ListOptions) ([]*blob.ListObject, error) {
	o.BeforeList = s.before
	var list []*blob.ListObject
	for it := bucket.List(o); ; {
		next, err := it.Next(ctx)
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, s.service.explain(err)
		}
		list = append(list, next)
	}
}

func (s *objectStore) list(ctx context.Context, prefix string) ([]object, error) {
	bucket, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.each(ctx, bucket, &blob.ListOptions{Prefix: s.prefix + prefix})
	if err != nil {
		return nil, err
	}
	var found []object
	for _, o := range all {
		key := strings.TrimPrefix(o.Key, s.prefix)
		if strings.HasSuffix(key, "/") {
			continue // a "folder" that a console made
		}
		found = append(found, object{key: key, size: o.Size, modified: o.ModTime})
	}
	sort.Slice(found, func(i, j int) bool { return found[i].key < found[j].key })
	return found, nil
}

func (s *objectStore) names(ctx context.Context, prefix string) ([]string, error) {
	bucket, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.each(ctx, bucket, &blob.ListOptions{Prefix: s.prefix + prefix, Delimiter: "/"})
	if err != nil {
		return nil, err
	}
	var list []string
	for _, o := range all {
		if key := strings.TrimPrefix(o.Key, s.prefix+prefix); key != "" {
			list = append(list, path.Base(key))
		}
	}
	sort.Strings(list)
	return list, nil
}

func (s *objectStore) remove(ctx context.Context, key string) error {
	bucket, err := s.opened(ctx)
	if err != nil {
		return err
	}
	err = s.there(ctx, bucket, key, func() error { return bucket.Delete(ctx, s.prefix+key) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// settle has nothing to do: an object that was acknowledged is durable.
func (s *objectStore) settle(context.Context, string) error { return nil }

// tidy has nothing to do: a prefix is there only while an object has it.
func (s *objectStore) tidy(context.Context, string) error { return nil }

// sweepParts ends uploads that a killed process left open. It gives the keys
// that they were to become. Where that may not be done, as few grant it, a
// lifecycle rule of the bucket's does it.
func (s *objectStore) sweepParts(ctx context.Context, prefix string, left func(key string, begun time.Time) bool) ([]string, error) {
	if s.parts == nil {
		return nil, nil
	}
	bucket, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	ended, err := s.parts(ctx, bucket, s.prefix+prefix, func(key string, begun time.Time) bool {
		return left(strings.TrimPrefix(key, s.prefix), begun)
	})
	for i := range ended {
		ended[i] = strings.TrimPrefix(ended[i], s.prefix)
	}
	if a, ok := answered(err); notBuilt(err) || (ok && a.status == http.StatusForbidden) {
		return ended, nil
	}
	return ended, s.service.explain(err)
}

func (s *objectStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket == nil {
		return nil
	}
	err := s.bucket.Close()
	s.bucket = nil
	return err
}
