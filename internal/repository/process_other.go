//go:build !linux

package repository

// thisProcess is zero: here no process is provably gone, and a dead holder is
// superseded when its heartbeat stood still.
func thisProcess() process { return process{} }

func processGone(int, uint64) bool { return false }
