package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// tarBlock is what a tar archive is made of; mostPax bounds what describes one entry.
const (
	tarBlock = 512
	mostPax  = 16 << 20
)

// ListTar reads a tar archive to its end and counts its entries, of which it keeps
// nothing: an archive that lists is one that can be unpacked. An end without its mark is
// a cut. Where a file's holes are is not read: archive/tar refuses files with tens of
// thousands of them, as databases and images of disks have.
func ListTar(r io.Reader) (entries int64, err error) {
	in := tarLister{r: r, size: -1}
	for {
		over, err := in.next()
		if err != nil {
			return in.entries, badArchive("the archive can't be read", err)
		}
		if over {
			break
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return in.entries, badArchive("the archive can't be read to its end", err)
	}
	return in.entries, nil
}

type tarLister struct {
	r       io.Reader
	entries int64
	size    int64 // of the next entry, where it does not fit into its header; else -1
}

var zeroBlock = make([]byte, tarBlock)

// next reads an entry, or what describes the one after it.
func (l *tarLister) next() (over bool, err error) {
	var b [tarBlock]byte
	if _, err := io.ReadFull(l.r, b[:]); err != nil {
		return false, early(err)
	}
	if bytes.Equal(b[:], zeroBlock) {
		return true, l.end()
	}
	size, err := tarNumber(b[124:136])
	if err != nil || size < 0 || !tarSum(b[:]) {
		return false, errors.New("a header is damaged")
	}
	switch kind := b[156]; kind {
	case 'x':
		return false, l.pax(size)
	case 'g', 'L', 'K': // of no entry, or names
		return false, l.skip(size)
	case '1', '2', '3', '4', '5', '6': // links, devices, directories, pipes
		size = 0
	default:
		if l.size >= 0 {
			size = l.size
		}
		for more := kind == 'S' && b[482] != 0; more; more = b[504] != 0 { // an older form of holes
			if _, err := io.ReadFull(l.r, b[:]); err != nil {
				return false, early(err)
			}
		}
	}
	l.entries, l.size = l.entries+1, -1
	return false, l.skip(size)
}

// end reads the second block of the end mark.
func (l *tarLister) end() error {
	var b [tarBlock]byte
	if _, err := io.ReadFull(l.r, b[:]); err != nil {
		return early(err)
	}
	if !bytes.Equal(b[:], zeroBlock) {
		return errors.New("its end mark is damaged")
	}
	return nil
}

// skip reads past what is stored of an entry.
func (l *tarLister) skip(size int64) error {
	if size > 1<<62 {
		return errors.New("a header is damaged")
	}
	_, err := io.CopyN(io.Discard, l.r, (size+tarBlock-1)/tarBlock*tarBlock)
	return early(err)
}

// pax reads what describes the next entry, of which only a size matters.
func (l *tarLister) pax(size int64) error {
	if size > mostPax {
		return fmt.Errorf("an entry is described in %d bytes", size)
	}
	text := make([]byte, (size+tarBlock-1)/tarBlock*tarBlock)
	if _, err := io.ReadFull(l.r, text); err != nil {
		return early(err)
	}
	for text = text[:size]; len(text) > 0; {
		length, _, found := bytes.Cut(text, []byte(" "))
		n, err := strconv.Atoi(string(length))
		if !found || err != nil || n <= len(length)+1 || n > len(text) || text[n-1] != '\n' {
			return errors.New("what describes an entry is damaged")
		}
		if value, is := bytes.CutPrefix(text[len(length)+1:n-1], []byte("size=")); is {
			if l.size, err = strconv.ParseInt(string(value), 10, 64); err != nil || l.size < 0 {
				return errors.New("what describes an entry is damaged")
			}
		}
		text = text[n:]
	}
	return nil
}

// early makes of an end that comes too early what it is.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// tarNumber reads a number of a header: octal digits, or a binary number where they do
// not suffice.
func tarNumber(field []byte) (int64, error) {
	if field[0]&0x80 == 0 {
		return strconv.ParseInt(string(bytes.Trim(field, " \x00")), 8, 64)
	}
	n := int64(field[0] & 0x7f)
	for _, c := range field[1:] {
		if n >= 1<<54 {
			return 0, strconv.ErrRange
		}
		n = n<<8 | int64(c)
	}
	return n, nil
}

// tarSum tells whether a header's checksum holds.
func tarSum(b []byte) bool {
	want, err := tarNumber(b[148:156])
	sum := int64(8 * ' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return err == nil && sum == want
}
