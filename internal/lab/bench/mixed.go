package main

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// mixed is what a directory holds that is to be archived: the kinds of data that
// volumes have, each with its share of the bytes. All of it is drawn from fixed seeds,
// so that two machines archive the same, and nothing is there twice, since that would be a gift to
// a program that looks for repetitions and tell nothing of the others.
var mixed = []struct {
	name  string
	share int // of a hundred
	make  func(dir string, size int64) error
}{
	{"logs", 20, inFiles(64<<20, logs)},
	{"prose", 15, inFiles(64<<20, prose)},
	{"tables", 20, inFiles(256<<20, tables)},
	{"noise", 15, inFiles(128<<20, noise)},
	{"gzipped", 14, inFiles(32<<20, gzipped)},
	{"small", 14, smallFiles},
	{"sparse", 2, sparse},
}

// fillDirectory makes the mixed data below dir. Size counts content: the holes of the
// sparse file come on top.
func fillDirectory(dir string, size int64) error {
	for _, kind := range mixed {
		below := filepath.Join(dir, kind.name)
		if err := os.MkdirAll(below, 0o700); err != nil {
			return err
		}
		if err := kind.make(below, size*int64(kind.share)/100); err != nil {
			return err
		}
	}
	return nil
}

// inFiles makes files of at most each bytes of a stream.
func inFiles(each int64, stream func(io.Writer, *rand.Rand) error) func(string, int64) error {
	return func(dir string, size int64) error {
		for i := 0; size > 0; i++ {
			if err := fileOf(filepath.Join(dir, fmt.Sprintf("%03d", i)), min(each, size), seeded(dir, i), stream); err != nil {
				return err
			}
			size -= each
		}
		return nil
	}
}

// seeded is the source of one file: the kind's name and the number are its seed.
func seeded(dir string, i int) *rand.Rand {
	var seed [32]byte
	copy(seed[8:], filepath.Base(dir))
	binary.LittleEndian.PutUint64(seed[:], uint64(i))
	return rand.New(rand.NewChaCha8(seed))
}

// fileOf writes what stream gives, up to size, to a new file.
func fileOf(path string, size int64, r *rand.Rand, stream func(io.Writer, *rand.Rand) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = stream(&upTo{w, size}, r); err == errEnough {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// errEnough ends a stream that would never end by itself.
var errEnough = fmt.Errorf("the file has its size")

// upTo takes so many bytes and then says that they are enough.
type upTo struct {
	w    io.Writer
	left int64
}

func (u *upTo) Write(p []byte) (int, error) {
	n, err := u.w.Write(p[:min(int64(len(p)), u.left)])
	u.left -= int64(n)
	if err == nil && u.left == 0 {
		err = errEnough
	}
	return n, err
}

// noise can't be compressed, as what is encrypted.
func noise(w io.Writer, r *rand.Rand) error {
	block := make([]byte, 64<<10)
	for {
		for i := 0; i < len(block); i += 8 {
			binary.LittleEndian.PutUint64(block[i:], r.Uint64())
		}
		if _, err := w.Write(block); err != nil {
			return err
		}
	}
}

// gzipped is text that was compressed before.
func gzipped(w io.Writer, r *rand.Rand) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	return logs(z, r)
}

// sparse is one file with sixteen times its content in size: a page, then a hole.
func sparse(dir string, size int64) error {
	f, err := os.OpenFile(filepath.Join(dir, "image"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	const extent, times = 1 << 20, 16
	r := seeded(dir, 0)
	for at := int64(0); at < size; at += extent {
		if _, err := f.Seek(at*times, io.SeekStart); err != nil {
			return err
		}
		if err := tables(&upTo{f, min(extent, size-at)}, r); err != errEnough {
			return err
		}
	}
	return f.Truncate(size * times)
}

// smallFiles are many: from some hundred bytes to some ten thousand, in directories of
// a hundred.
func smallFiles(dir string, size int64) error {
	r := seeded(dir, 0)
	for i := 0; size > 0; i++ {
		below := filepath.Join(dir, fmt.Sprintf("%03d", i/100))
		if i%100 == 0 {
			if err := os.Mkdir(below, 0o700); err != nil {
				return err
			}
		}
		n := min(int64(256)<<r.IntN(8)+r.Int64N(4096), size)
		if err := fileOf(filepath.Join(below, fmt.Sprintf("%02d.conf", i%100)), n, r, prose); err != nil {
			return err
		}
		size -= n
	}
	return nil
}
