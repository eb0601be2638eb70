package apply

import "os"

// WithFault lets a test cut or break journal writes.
func WithFault(q Request, f func(stage, recordType string) error) Request {
	q.fault = f
	return q
}

// SkipSync lets the tests' thousands of journals not wait for the disk.
func SkipSync() { syncFile = func(*os.File) error { return nil } }
