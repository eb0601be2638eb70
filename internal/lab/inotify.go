package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Each boot of systemd holds so many of the kernel's inotify instances, which
// are limited for each user, with all other nodes that run here.
const (
	inotifyOfNode = 9
	inotifyLimit  = "/proc/sys/fs/inotify/max_user_instances"
)

// requireInotify tells when the kernel would not let so many more nodes boot: they
// die without a word.
func requireInotify(nodes int) error {
	data, err := os.ReadFile(inotifyLimit)
	if err != nil {
		return nil // no such limit
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(data)))
	used := inotifyUsed()
	if want := nodes * inotifyOfNode; err == nil && want+used > limit {
		return fmt.Errorf("%d nodes take about %d inotify instances, %d are in use, and this machine allows %d in all; "+
			"take down a lab that is not needed (requeen lab down), or raise the limit: sysctl fs.inotify.max_user_instances=%d",
			nodes, want, used, limit, max(1024, 2*(want+used)))
	}
	return nil
}

// inotifyUsed counts the instances of all processes; one that two processes share
// counts twice, so that the count errs to the careful side.
func inotifyUsed() int { return inotifyOf("/proc/[0-9]*/fd/*") }

// inotifyOf counts those among the open files that a pattern names.
func inotifyOf(pattern string) int {
	used := 0
	fds, _ := filepath.Glob(pattern)
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && target == "anon_inode:inotify" {
			used++
		}
	}
	return used
}
