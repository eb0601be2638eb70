//go:build lab

package apply

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// With the build tag lab, RQ_TESTONLY_KILL_AFTER_JOURNAL_WRITE=N makes the
// process kill itself with SIGKILL right after its Nth journal write is on the
// disk. The end-to-end tests build the program so; a release has none of this.
func init() {
	at, err := strconv.Atoi(os.Getenv("RQ_TESTONLY_KILL_AFTER_JOURNAL_WRITE"))
	if err != nil {
		return
	}
	sync, writes := syncFile, 0
	syncFile = func(f *os.File) error {
		if err := sync(f); err != nil || filepath.Base(f.Name()) != "journal" {
			return err
		}
		if writes++; writes == at {
			fmt.Fprintf(os.Stderr, "testonly: killed after journal write %d\n", at)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}
}
