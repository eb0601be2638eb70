package repository

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
)

// unreachable is a store that lists and then does not answer.
type unreachable struct{ store }

func (unreachable) open(context.Context, string) (io.ReadCloser, error) {
	return nil, &trouble{"the server is too busy (503 SlowDown)", "run it again later", nil}
}

// That a server does not answer says nothing of the manifest: nobody is told that the
// backup is damaged, or to use another one.
func TestAManifestThatIsNotGivenIsNotDamaged(t *testing.T) {
	t.Parallel()
	r, _ := newRepository(t)
	storedIn(t, r)
	r.store = unreachable{r.store}
	_, err := r.Get(ctx, testID)
	var told diag.Diagnostic
	if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrManifest) || !errors.As(err, &told) || told.Code == diag.BackupDamaged || !strings.Contains(told.Remedy, "run it again later") {
		t.Errorf("%v; %+v", err, told)
	}
}
