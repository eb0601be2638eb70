package repository

import (
	"fmt"
	"os"
	"testing"
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
