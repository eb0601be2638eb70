package lab

import (
	"syscall"
	"testing"
)

func TestInotifyInstancesAreCounted(t *testing.T) {
	own := func() int { return inotifyOf("/proc/self/fd/*") }
	before := own()
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatalf("this machine lets nobody watch files: %v", err)
	}
	if now := own(); now != before+1 {
		t.Errorf("with one more instance %d are counted, before %d", now, before)
	}
	if err := syscall.Close(fd); err != nil {
		t.Fatal(err)
	}
	if now := own(); now != before {
		t.Errorf("after it was closed %d are counted, before %d", now, before)
	}
}
