package repository

import (
	"runtime/debug"
	"sync"
)

// leanPercent is how much garbage may lie beside what is in use while an upload
// is under way. S3's library reads the first 16 MB into a buffer that it grows,
// which with Go's usual 100 takes the process to 116 MB, and with this to 102.
const leanPercent = 20

var lean struct {
	sync.Mutex
	uploads int
	before  int // what was set before the first of them
}

// leanly keeps memory small until what it gives is called.
func leanly() (done func()) {
	lean.Lock()
	defer lean.Unlock()
	if lean.uploads++; lean.uploads == 1 {
		lean.before = debug.SetGCPercent(leanPercent)
		if lean.before >= 0 && lean.before < leanPercent {
			debug.SetGCPercent(lean.before)
		}
	}
	return func() {
		lean.Lock()
		defer lean.Unlock()
		if lean.uploads--; lean.uploads == 0 {
			debug.SetGCPercent(lean.before)
		}
	}
}
