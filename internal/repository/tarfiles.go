package repository

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"time"
)

// File is a small file of an archive, such as config.tar's config/<file>.
type File struct {
	Name string // with slashes
	Data []byte
	Mode fs.FileMode // permissions
}

// smallFiles bounds what ReadTar takes into memory.
const smallFiles = 64 << 20

// WriteTar writes files as a tar stream, the same bytes for the same files in
// any order: sorted, without owners, times or anything else of this machine.
func WriteTar(w io.Writer, files []File) error {
	sorted := append([]File(nil), files...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	out := tar.NewWriter(w)
	for i, f := range sorted {
		name, err := cleanName(f.Name)
		if err == nil && (name != f.Name || name == "." || (i > 0 && sorted[i-1].Name == name)) {
			err = fmt.Errorf("%q is no name of a file, or is there twice", f.Name)
		}
		if err != nil {
			return badArchive("the archive can't be made", err)
		}
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: name, Size: int64(len(f.Data)), Mode: int64(f.Mode.Perm()),
			ModTime: time.Unix(0, 0).UTC(), Format: tar.FormatPAX,
		}
		if err := out.WriteHeader(h); err != nil {
			return badArchive("the archive can't be made", err)
		}
		if _, err := out.Write(f.Data); err != nil {
			return badArchive("the archive can't be made", err)
		}
	}
	if err := out.Close(); err != nil {
		return badArchive("the archive can't be made", err)
	}
	return nil
}

// ReadTar reads what WriteTar wrote.
func ReadTar(r io.Reader) ([]File, error) {
	var (
		files []File
		total int64
		in    = tar.NewReader(r)
	)
	for {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, badArchive("the archive can't be read", err)
		}
		name, err := cleanName(h.Name)
		if total += h.Size; err == nil && (h.Typeflag != tar.TypeReg || total > smallFiles) {
			err = fmt.Errorf("%q is not a small file", h.Name)
		}
		var data []byte
		if err == nil {
			data, err = io.ReadAll(in)
		}
		if err != nil {
			return nil, badArchive("the archive can't be read", err)
		}
		files = append(files, File{Name: name, Data: data, Mode: fs.FileMode(h.Mode).Perm()})
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, badArchive("the archive can't be read to its end", err)
	}
	return files, nil
}
