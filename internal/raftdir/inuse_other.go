//go:build !linux

package raftdir

// checkNotInUse can't tell on this system; engines run on Linux.
func checkNotInUse(string) error { return nil }
