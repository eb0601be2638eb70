//go:build lab

package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// torture tells whether every kill point is tried, not a sample.
func torture() bool { return os.Getenv("RQ_TORTURE") != "" }

// reported runs a subtest and writes its outcome to the report of make torture,
// from which a torture that was cut goes on: what passed is not tried again.
func reported(t *testing.T, name string, f func(*testing.T)) {
	file := os.Getenv("RQ_TORTURE_REPORT")
	line := t.Name() + "/" + name
	if file != "" {
		done, _ := os.ReadFile(file)
		if strings.Contains(string(done), "ok   "+line+"\n") {
			t.Logf("%s passed before, by %s", line, file)
			return
		}
	}
	begin, ran := time.Now(), false
	ok := t.Run(name, func(t *testing.T) {
		ran = true
		f(t)
	})
	if file == "" || !ran { // go test -run left it out
		return
	}
	out, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Error(err)
		return
	}
	defer out.Close()
	word := "ok  "
	if !ok {
		word = "FAIL"
	}
	fmt.Fprintf(out, "# %s, %.0f s\n%s %s\n", begin.UTC().Format(time.RFC3339), time.Since(begin).Seconds(), word, line)
}
