package repository

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownerFile is locked (flock) by the process that a directory belongs to.
type ownerFile = *os.File

const (
	ownerName   = "owner"
	contentName = "data"
)

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// NewPrivate makes a directory in memory; prefix, such as a backup's name,
// shows in its path. Of the places there are, the one with the most room is
// taken. ctx bounds the making only.
func NewPrivate(ctx context.Context, prefix string) (*Private, error) {
	if !prefixForm.MatchString(prefix) {
		return nil, noPrivate(fmt.Sprintf("%q can't be part of its name", prefix), nil)
	}
	if os.Getenv(janitorVar) != "" {
		return nil, noPrivate("This process was started as a janitor, but never called RunJanitorIfAsked", nil)
	}
	place, err := choosePlace()
	if err != nil {
		return nil, err
	}
	dir, owner, err := makeOwned(place, prefix)
	if err != nil {
		return nil, noPrivate("The directory can't be made", err)
	}
	p := &Private{dir: dir, owner: owner}
	if p.janitor, err = startJanitor(ctx, dir); err == nil {
		err = os.Mkdir(p.Dir(), dirMode)
	}
	if err != nil {
		_ = p.Close()
		return nil, noPrivate("Without the process that removes it, it could outlive this one", err)
	}
	return p, nil
}

// Dir is the directory to use: empty at first, mode 0700.
func (p *Private) Dir() string { return filepath.Join(p.dir, contentName) }

// Close removes the directory and all that is in it.
func (p *Private) Close() error {
	err := os.RemoveAll(p.dir)
	if p.janitor != nil {
		p.janitor.dismiss()
		p.janitor = nil
	}
	if closed := p.owner.Close(); err == nil && closed != nil && !errors.Is(closed, os.ErrClosed) {
		err = closed
	}
	if err != nil {
		return noPrivate("Plaintext may be left in "+p.dir, err)
	}
	return nil
}

// EnsureRoom tells whether so many bytes more fit: in the file system, and in
// the memory that it is made of.
func (p *Private) EnsureRoom(bytes int64) error {
	free, err := freeBytes(p.dir)
	if err != nil {
		return noPrivate("Its room can't be told", err)
	}
	if free < bytes {
		return noRoom(p.dir, bytes, free, "its file system")
	}
	if memory, ok := availableMemory(); ok && memory < bytes {
		return noRoom(p.dir, bytes, memory, "the machine's memory")
	}
	return nil
}

// places are where a directory in memory may be.
func places() []string {
	var list []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		list = append(list, filepath.Clean(dir))
	}
	return append(list, "/dev/shm", "/run")
}

// choosePlace takes the usable place with the most room, and otherwise says of
// each what is wrong with it.
func choosePlace() (string, error) {
	var faults []string
	best, room := "", int64(-1)
	for _, dir := range places() {
		if err := usable(dir); err != nil {
			faults = append(faults, err.Error())
			continue
		}
		if free, err := freeBytes(dir); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", dir, err))
		} else if free > room {
			best, room = dir, free
		}
	}
	if best == "" {
		return "", noPrivate("Decrypted state must not reach a disk", errors.New(strings.Join(faults, "; ")))
	}
	return best, nil
}

// usable: a tmpfs or ramfs in which this user may make a directory, and in
// which nobody else can rename it away.
func usable(dir string) error {
	if !inMemory(dir) {
		return fmt.Errorf("%s is no tmpfs or ramfs", dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || (stat.Uid != 0 && int(stat.Uid) != os.Geteuid()) {
		return fmt.Errorf("%s belongs to another user", dir)
	}
	open := info.Mode().Perm()&0o022 != 0
	if open && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%s is writable for others and not sticky", dir)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s can't be written: %w", dir, err)
	}
	return nil
}

func inMemory(dir string) bool {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return false
	}
	kind := uint32(s.Type) //nolint:gosec // the type's width differs between architectures
	return kind == unix.TMPFS_MAGIC || kind == unix.RAMFS_MAGIC
}

// freeBytes is what a user may still write; a file system without a limit, such
// as ramfs, says 0 blocks and is bounded by memory only.
func freeBytes(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	if s.Blocks == 0 {
		return math.MaxInt64, nil
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // widths differ between architectures
}

func availableMemory() (int64, bool) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) >= 2 && words[0] == "MemAvailable:" {
			kilo, err := strconv.ParseInt(words[1], 10, 64)
			return kilo << 10, err == nil
		}
	}
	return 0, false
}

// makeOwned makes the directory and locks its owner file. A sweep that looks in
// between takes it for abandoned, so what it took is made again.
func makeOwned(place, prefix string) (string, *os.File, error) {
	for range 10 {
		dir, err := os.MkdirTemp(place, privatePrefix+prefix+"-")
		if err != nil {
			return "", nil, err
		}
		owner, err := lockOwner(dir, os.O_CREATE|os.O_EXCL)
		if err == nil {
			return dir, owner, nil
		}
		_ = os.RemoveAll(dir)
		if !errors.Is(err, errOwned) && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
	}
	return "", nil, errors.New("it was removed ten times while it was made")
}

var errOwned = errors.New("another process owns it")

// lockOwner opens a directory's owner file and locks it. The lock ends with the
// process, however it ends.
func lockOwner(dir string, flags int) (*os.File, error) {
	path := filepath.Join(dir, ownerName)
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|flags, fileMode)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errOwned
		}
		return nil, err
	}
	held, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Lstat(path); err == nil && !os.SameFile(held, there) {
			err = fs.ErrNotExist // removed before it was locked
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
