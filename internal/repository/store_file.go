package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

const (
	fileMode = 0o600
	dirMode  = 0o700
)

// fileStore keeps objects in a directory. fileblob writes and reads them;
// listing is done here, because fileblob passes over what it can't read.
type fileStore struct {
	root string // absolute

	mu     sync.Mutex
	bucket *blob.Bucket // opened at first need, so that looking makes no directory
	above  string       // the highest directory whose entries a write may have changed
}

func newFileStore(root string) *fileStore { return &fileStore{root: root} }

func (s *fileStore) path(key string) string {
	return filepath.Join(s.root, filepath.FromSlash(key))
}

// opened gives the bucket; make says whether its directory may be created.
func (s *fileStore) opened(make bool) (*blob.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.above == "" {
		s.above = existing(filepath.Dir(s.root))
	}
	if s.bucket != nil {
		return s.bucket, nil
	}
	b, err := fileblob.OpenBucket(s.root, &fileblob.Options{
		CreateDir: make, DirFileMode: dirMode, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, err
	}
	s.bucket = b
	return b, nil
}

func (s *fileStore) create(ctx context.Context, key string) (objectWriter, error) {
	bucket, err := s.opened(true)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &fileWriter{abort: cancel}
	w.blob, err = bucket.NewWriter(ctx, key, &blob.WriterOptions{
		DisableContentTypeDetection: true,
		BeforeWrite: func(as func(any) bool) error {
			if !as(&w.file) {
				return errors.New("fileblob gave no file to sync")
			}
			return w.file.Chmod(fileMode)
		},
	})
	if err != nil {
		cancel()
		return nil, err
	}
	return w, nil
}

type fileWriter struct {
	blob  *blob.Writer
	file  *os.File
	abort context.CancelFunc
}

func (w *fileWriter) Write(p []byte) (int, error) { return w.blob.Write(p) }

// commit syncs the bytes before the rename that makes them an object.
func (w *fileWriter) commit() error {
	if err := w.file.Sync(); err != nil {
		w.cancel()
		return err
	}
	err := w.blob.Close()
	w.abort()
	if err != nil {
		w.removeTemp()
	}
	return err
}

// cancel ends fileblob's context before Close, which otherwise would make an
// object of what was written so far.
func (w *fileWriter) cancel() {
	w.abort()
	_ = w.blob.Close()
	w.removeTemp()
}

// removeTemp is for a close(2) that failed: fileblob then leaves the file.
func (w *fileWriter) removeTemp() { _ = os.Remove(w.file.Name()) }

func (s *fileStore) open(ctx context.Context, key string) (io.ReadCloser, error) {
	bucket, err := s.opened(false)
	if err != nil {
		return nil, err
	}
	r, err := bucket.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (s *fileStore) list(ctx context.Context, prefix string) ([]object, error) {
	var found []object
	if err := s.walk(ctx, strings.TrimSuffix(prefix, "/"), &found); err != nil {
		return nil, err
	}
	sort.Slice(found, func(i, j int) bool { return found[i].key < found[j].key })
	return found, nil
}

// walk adds the files below a directory. What vanishes meanwhile was removed;
// any other failure is the caller's to know.
func (s *fileStore) walk(ctx context.Context, dir string, found *[]object) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		key := dir + "/" + e.Name()
		info, err := os.Stat(s.path(key))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.IsDir():
			if err := s.walk(ctx, key, found); err != nil {
				return err
			}
		default:
			*found = append(*found, object{key: key, size: info.Size(), modified: info.ModTime()})
		}
	}
	return nil
}

func (s *fileStore) names(_ context.Context, prefix string) ([]string, error) {
	entries, err := os.ReadDir(s.path(prefix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list, nil
}

func (s *fileStore) remove(_ context.Context, key string) error {
	err := os.Remove(s.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// existing is the lowest directory at or above path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// settle syncs the directory and those above it, up to the one that was there
// before the root was made.
func (s *fileStore) settle(_ context.Context, prefix string) error {
	s.mu.Lock()
	above := s.above
	s.mu.Unlock()
	for dir := s.path(prefix); ; dir = filepath.Dir(dir) {
		err := syncDir(dir)
		inside := strings.HasPrefix(dir, s.root)
		if err != nil && (inside || !errors.Is(err, fs.ErrPermission)) {
			return err
		}
		if dir == above || dir == filepath.Dir(dir) || (above == "" && dir == s.root) {
			return nil
		}
	}
}

// syncDir makes a directory's entries durable. A file system that can't sync
// directories (EINVAL: some of FUSE and CIFS) writes them by itself.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

func (s *fileStore) tidy(_ context.Context, prefix string) error {
	dir := s.path(prefix)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(entries) > 0 {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func (s *fileStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket == nil {
		return nil
	}
	err := s.bucket.Close()
	s.bucket = nil
	return err
}
