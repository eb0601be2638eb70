package observe

import (
	"os"
	"testing"

	"github.com/requeen/requeen/internal/repository"
)

// TestMain lets this program be the process that removes private directories.
func TestMain(m *testing.M) {
	repository.RunJanitorIfAsked()
	os.Exit(m.Run())
}
