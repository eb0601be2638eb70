package effects

import (
	"bytes"
	"testing"

	"github.com/requeen/requeen/internal/repository"
)

// A variable file from elsewhere must not keep a backup from being stored, which
// would be noticed only after the manager was stopped.
func TestConfigFilesFromElsewhere(t *testing.T) {
	w := New(Options{Files: []File{{Name: "prod.rq.hcl"}, {Name: "../shared/x.rqvars"}, {Name: "../../y.rqvars"}, {Name: "a../z.rqvars"}}})
	var archive bytes.Buffer
	if err := repository.WriteTar(&archive, w.configFiles()); err != nil {
		t.Fatal(err)
	}
	files, err := repository.ReadTar(&archive)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"config/a../z.rqvars", "config/outside/outside/y.rqvars", "config/outside/shared/x.rqvars", "config/prod.rq.hcl"} {
		if files[i].Name != want {
			t.Errorf("%q, want %q", files[i].Name, want)
		}
	}
}
