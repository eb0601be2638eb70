package host

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Stage unpacks a prepared swarm directory, a tar archive of files and
// directories whose names begin with "swarm/", beside the one in use; Swap puts
// it into its place. Owners become root's, modes stay. size is what it takes on
// the disk in bytes; 160 MB more and 200 inodes must be free (ErrNoRoom). The
// host need not be held. An upload that was cut is never taken for whole, and a
// second one replaces the first; after Swap there is nothing to stage any more,
// which is no error. Stage reads archive to its end, or until ctx ends.
func (h *Host) Stage(ctx context.Context, s Surgery, size int64, archive io.Reader) error {
	if size < 0 {
		return fmt.Errorf("host: %d bytes to stage", size)
	}
	attempt := make([]byte, 8)
	_, _ = rand.Read(attempt)
	name := hex.EncodeToString(attempt)
	swapped, err := h.operate(ctx, s, "swapped", stageScript, nil, "begin", name, strconv.FormatInt(size, 10))
	if err != nil || swapped != "" {
		return err
	}
	if err := h.upload(ctx, s, name, archive); err != nil {
		return err
	}
	_, err = h.operate(ctx, s, "", stageScript, nil, "finish", name, "0")
	return err
}

var errUploadEnded = errors.New("host: the upload has ended")

func (h *Host) upload(ctx context.Context, s Surgery, attempt string, archive io.Reader) error {
	r, w := io.Pipe()
	sealed := make(chan error, 1)
	go func() {
		err := sealTar(w, archive)
		_ = w.CloseWithError(err)
		sealed <- err
	}()
	_, err := h.operate(ctx, s, "", stageScript, r, "unpack", attempt, "0")
	_ = r.CloseWithError(errUploadEnded)
	select {
	case why := <-sealed:
		if why != nil && !errors.Is(why, errUploadEnded) {
			return fmt.Errorf("%s: the prepared directory can't be sent: %w", h.target.Name, why)
		}
	case <-ctx.Done():
	}
	return err
}

// completeName is the last member of what is uploaded. tar takes an archive that
// ends between two members for whole; where this one is, all came.
const completeName = "swarm/.requeen-complete"

// sealTar copies a tar archive as it is, sparse files too, with completeName
// added; it fails where the archive has no end, or a member that must not be.
func sealTar(w io.Writer, archive io.Reader) error {
	t := &tee{r: archive, w: w}
	for members := tar.NewReader(t); ; {
		t.hold = true
		header, err := members.Next()
		if errors.Is(err, io.EOF) {
			return t.seal()
		}
		if err != nil {
			return err
		}
		if err := checkMember(header); err != nil {
			return err
		}
		if err := t.pass(); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, members); err != nil {
			return err
		}
	}
}

func checkMember(header *tar.Header) error {
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg, tar.TypeDir, tar.TypeGNUSparse:
	default:
		return fmt.Errorf("%q is neither a file nor a directory", header.Name)
	}
	clean := path.Clean(header.Name)
	if clean != "swarm" && !strings.HasPrefix(clean, "swarm/") || clean == completeName ||
		strings.Contains("/"+header.Name+"/", "/../") {
		return fmt.Errorf("%q does not belong into a swarm directory", header.Name)
	}
	return nil
}

// tee writes what is read to w, or keeps it back while hold is set.
type tee struct {
	r    io.Reader
	w    io.Writer
	hold bool
	kept bytes.Buffer
}

// Read reads from r.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if t.hold {
		t.kept.Write(p[:n])
		return n, err
	}
	if _, failed := t.w.Write(p[:n]); failed != nil {
		return n, failed
	}
	return n, err
}

func (t *tee) pass() error {
	t.hold = false
	_, err := t.kept.WriteTo(t.w)
	return err
}

// seal puts completeName before the two empty blocks that end an archive.
func (t *tee) seal() error {
	end := make([]byte, 1024)
	rest, whole := bytes.CutSuffix(t.kept.Bytes(), end)
	if !whole {
		return io.ErrUnexpectedEOF
	}
	var b bytes.Buffer
	b.Write(rest)
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: completeName, Typeflag: tar.TypeReg, Mode: 0o600}); err != nil {
		return err
	}
	b.Write(end)
	if _, err := t.w.Write(b.Bytes()); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, t.r) // the padding of the last record
	return err
}
