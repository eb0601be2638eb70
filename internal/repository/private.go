package repository

import (
	"fmt"
	"strings"
)

// Private is a directory in memory for plaintext that must not reach a disk
// (safety rule 23). It is gone after Close, and also when this process is
// killed: a small child process, the janitor, waits for that.
type Private struct {
	dir     string // what the owner file and the content are in
	owner   ownerFile
	janitor *janitor
}

// privatePrefix begins the names of all such directories.
const privatePrefix = "requeen-private-"

func noPrivate(why string, cause error) error {
	return &Error{
		Kind: ErrNoPrivate, What: "no private directory in memory can be made", Cause: cause, Why: why,
		Remedy: "mount a tmpfs on /dev/shm (in a container: --tmpfs /dev/shm or --shm-size), or set XDG_RUNTIME_DIR to a directory on one; requeen never falls back to a disk",
	}
}

func noRoom(dir string, want, have int64, where string) error {
	return &Error{
		Kind: ErrNoRoom,
		What: fmt.Sprintf("%s has room for %s in %s, and %s are needed", dir, size(have), where, size(want)),
		Why:  "Opening and verifying a backup needs its plaintext in memory, never on a disk",
		Remedy: "mount -o remount,size=" + strings.ReplaceAll(size(2*want), " ", "") + " on that tmpfs, free memory, " +
			"or run it on a machine with more",
	}
}

// size is a number of bytes in mount's unit, rounded up.
func size(n int64) string {
	const mega = 1 << 20
	return fmt.Sprintf("%d M", (max(n, 0)+mega-1)/mega)
}
