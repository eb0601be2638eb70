package repository

import (
	"context"
	"io"
	"time"
)

// store is what the rest of the package needs of a URL's scheme. Keys have
// slashes and no leading one. The contract is contract_test.go.
type store interface {
	// create starts an object that nobody sees before commit.
	create(ctx context.Context, key string) (objectWriter, error)
	// open reads an object; an absent one is fs.ErrNotExist.
	open(ctx context.Context, key string) (io.ReadCloser, error)
	// list tells the objects whose key begins with prefix, which ends in "/",
	// sorted by key. A place that is not there has none; one that can't be
	// read, or only in part, is an error.
	list(ctx context.Context, prefix string) ([]object, error)
	// names tells the names right below a prefix, or below the root for "".
	names(ctx context.Context, prefix string) ([]string, error)
	// remove deletes an object; an absent one is no error.
	remove(ctx context.Context, key string) error
	// settle makes the names below prefix, and prefix itself, durable.
	settle(ctx context.Context, prefix string) error
	// tidy removes prefix where nothing is left in it.
	tidy(ctx context.Context, prefix string) error
	// createOnce makes a small object in one effect, durable, or gives
	// fs.ErrExist when there is one: also between processes and machines. One
	// that holds the very same bytes may count as made by this call, whose
	// answer was lost: bytes that tell who wins are nobody else's.
	createOnce(ctx context.Context, key string, data []byte) error
	close() error
}

// objectWriter is an object in the making. Exactly one of commit and cancel
// ends it. A commit that failed may have taken effect where its answer was
// lost; who made a new object then removes it.
type objectWriter interface {
	io.Writer
	commit() error
	cancel()
}

// object is an entry of a listing.
type object struct {
	key      string
	size     int64
	modified time.Time
}

// readAll reads a small object whole.
func readAll(ctx context.Context, s store, key string, limit int64) ([]byte, error) {
	r, err := s.open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, errTooLong
	}
	return data, nil
}

// writeAll writes a small object whole, over an older one.
func writeAll(ctx context.Context, s store, key string, data []byte) error {
	w, err := s.create(ctx, key)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		w.cancel()
		return err
	}
	return w.commit()
}
