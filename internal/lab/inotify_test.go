package lab

import (
	"syscall"
	"testing"
)

func TestInotifyUsedCountsInstances(t *testing.T) {
	before := inotifyUsed()
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		t.Skipf("no inotify here: %v", err)
	}
	if now := inotifyUsed(); now <= 0 || now < before {
		t.Errorf("with one more instance %d are counted, before %d", now, before)
	}
	if err := syscall.Close(fd); err != nil {
		t.Fatal(err)
	}
}
