package apply

import (
	"os"
	"testing"
	"time"
)

// WithFault lets a test cut or break journal writes.
func WithFault(q Request, f func(stage, recordType string) error) Request {
	q.fault = f
	return q
}

// SkipSync lets the tests' thousands of journals not wait for the disk.
func SkipSync() { syncFile = func(*os.File) error { return nil } }

// AskLockFor bounds the asking for a lock in one test.
func AskLockFor(t *testing.T, d time.Duration) {
	was := lockTime
	lockTime = d
	t.Cleanup(func() { lockTime = was })
}
