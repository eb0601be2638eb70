package repository

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// roles are what the test binary does when it is started again as another
// process, named by the environment.
var roles = map[string]func(){}

const roleVar = "REQUEEN_TEST_ROLE"

// elsewhereVar is the URL of an object storage in which the tests that know no
// directory are to run as well; internal/lab/objectstore sets it.
const elsewhereVar = "REQUEEN_TEST_REPOSITORY"

// newURL is a place that no other test uses: a directory, or a prefix elsewhere.
func newURL(t *testing.T) string {
	t.Helper()
	base := os.Getenv(elsewhereVar)
	if base == "" {
		return "file://" + t.TempDir()
	}
	where, parameters, _ := strings.Cut(base, "?")
	return where + "/" + rand.Text() + "?" + parameters
}

// rounds is a number of repetitions: elsewhere, where each takes longer, fewer.
func rounds(n int) int {
	if os.Getenv(elsewhereVar) != "" {
		return n / 10
	}
	return n
}

func TestMain(m *testing.M) {
	RunJanitorIfAsked()
	if name := os.Getenv(roleVar); name != "" {
		role, ok := roles[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "no role", name)
			os.Exit(2)
		}
		role()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came about: " + what)
		}
	}
}

func absent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}
