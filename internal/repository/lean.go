package repository

import (
	"runtime/debug"
	"sync"
)

// leanBytes is what the runtime may take while an upload is under way before it
// collects garbage whatever the rest of the process is used to: the parts of an upload
// are most of what lives, and with Go's usual pace as much garbage lies beside them.
const leanBytes = 28 << 20

var lean struct {
	sync.Mutex
	uploads int
	before  int64 // what was set before the first of them
}

// leanly keeps memory small until what it gives is called.
func leanly() (done func()) {
	lean.Lock()
	defer lean.Unlock()
	if lean.uploads++; lean.uploads == 1 {
		lean.before = debug.SetMemoryLimit(-1)
		debug.SetMemoryLimit(min(lean.before, leanBytes))
	}
	return func() {
		lean.Lock()
		defer lean.Unlock()
		if lean.uploads--; lean.uploads == 0 {
			debug.SetMemoryLimit(lean.before)
		}
	}
}
