package repository

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// roles are what the test binary does when it is started again as another
// process, named by the environment.
var roles = map[string]func(){}

const roleVar = "REQUEEN_TEST_ROLE"

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
