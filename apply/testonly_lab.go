//go:build lab

package apply

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The end-to-end tests build the program with the build tag lab; a release has
// none of this. There
//
//   - RQ_TESTONLY_KILL_AFTER_JOURNAL_WRITE=N makes the process kill itself with
//     SIGKILL right after its Nth journal write is on the disk;
//   - RQ_TESTONLY_PAUSE_AFTER_JOURNAL_WRITE=N:FILE makes it write FILE there, and
//     go on once somebody has removed it.
func init() {
	killAt, _ := strconv.Atoi(os.Getenv("RQ_TESTONLY_KILL_AFTER_JOURNAL_WRITE"))
	at, file, _ := strings.Cut(os.Getenv("RQ_TESTONLY_PAUSE_AFTER_JOURNAL_WRITE"), ":")
	pauseAt, _ := strconv.Atoi(at)
	if killAt == 0 && pauseAt == 0 {
		return
	}
	sync, writes := syncFile, 0
	syncFile = func(f *os.File) error {
		if err := sync(f); err != nil || filepath.Base(f.Name()) != "journal" {
			return err
		}
		switch writes++; writes {
		case killAt:
			fmt.Fprintf(os.Stderr, "testonly: killed after journal write %d\n", writes)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		case pauseAt:
			fmt.Fprintf(os.Stderr, "testonly: paused after journal write %d\n", writes)
			pause(file)
		}
		return nil
	}
}

func pause(file string) {
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(file); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
