package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// limits are the kernel's own that fifty nodes on one machine pass: what each of
// them watches its files with, and the table of neighbours, which all network
// namespaces share and which fifty nodes that know each other overflow.
var limits = []struct {
	name string // as sysctl has it
	want int
}{
	{"fs.inotify.max_user_instances", 1024},
	{"net.ipv4.neigh.default.gc_thresh1", 8192},
	{"net.ipv4.neigh.default.gc_thresh2", 16384},
	{"net.ipv4.neigh.default.gc_thresh3", 32768},
}

// raiseLimits raises them. What it gives back puts the machine's own back.
func (b *bench) raiseLimits() (putBack func(), err error) {
	var undo []func()
	putBack = func() {
		for _, f := range undo {
			f()
		}
	}
	for _, l := range limits {
		file := "/proc/sys/" + strings.ReplaceAll(l.name, ".", "/")
		before, err := os.ReadFile(file)
		if err != nil {
			putBack()
			return nil, err
		}
		had := strings.TrimSpace(string(before))
		if n, err := strconv.Atoi(had); err == nil && n >= l.want {
			continue
		}
		b.say("raising %s from %s to %d, until the end", l.name, had, l.want)
		if err := os.WriteFile(file, fmt.Appendln(nil, l.want), 0); err != nil {
			putBack()
			return nil, err
		}
		undo = append(undo, func() {
			if err := os.WriteFile(file, before, 0); err != nil {
				b.say("%s can't be put back to %s: %v", l.name, had, err)
			}
		})
	}
	return putBack, nil
}
