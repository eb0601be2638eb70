package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestADirectoryIsRemovedWhileItIsWritten: a command of a killed Up makes its files
// a moment longer, and the removal is not given up for it.
func TestADirectoryIsRemovedWhileItIsWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "upper", "etc", "ssh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i, until := 0, time.Now().Add(300*time.Millisecond); time.Now().Before(until); i++ {
			if os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), nil, 0o600) != nil {
				return // it is gone
			}
		}
	}()
	if err := removeTree(t.Context(), filepath.Dir(filepath.Dir(dir))); err != nil {
		t.Error(err)
	}
	<-ended
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("it is left: %v", err)
	}
}
