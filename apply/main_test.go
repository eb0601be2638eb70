package apply_test

import (
	"os"
	"testing"

	"github.com/requeen/requeen/apply"
)

func TestMain(m *testing.M) {
	apply.SkipSync()
	os.Exit(m.Run())
}
