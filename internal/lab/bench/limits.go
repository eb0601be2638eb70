package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	inotifyLimit = "/proc/sys/fs/inotify/max_user_instances"
	inotifyWant  = 1024 // for fifty times systemd
)

// raiseInotify lets the kernel give fifty nodes what each of them watches its
// files with. What it gives back puts the machine's own limit back.
func (b *bench) raiseInotify() (func(), error) {
	before, err := os.ReadFile(inotifyLimit)
	if err != nil {
		return nil, err
	}
	if limit, err := strconv.Atoi(strings.TrimSpace(string(before))); err != nil || limit >= inotifyWant {
		return func() {}, err
	}
	b.say("raising fs.inotify.max_user_instances from %s to %d, until the end", strings.TrimSpace(string(before)), inotifyWant)
	if err := os.WriteFile(inotifyLimit, fmt.Appendln(nil, inotifyWant), 0); err != nil {
		return nil, err
	}
	return func() {
		if err := os.WriteFile(inotifyLimit, before, 0); err != nil {
			b.say("fs.inotify.max_user_instances can't be put back to %s: %v", strings.TrimSpace(string(before)), err)
		}
	}, nil
}
