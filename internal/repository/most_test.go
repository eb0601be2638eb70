package repository

import (
	"errors"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
)

// A copy that the storage could not take in the end is refused before a byte is read.
func TestCopyOfWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	from, _ := newRepository(t)
	b := storedIn(t, from)
	to, _ := beside(t, from, nil)
	memory := newMemoryStore("")
	to.store = memory
	memory.most = b.Stored[0].Size - 1
	_, err := to.Copy(ctx, from, testID, nil)
	var told diag.Diagnostic
	if !errors.As(err, &told) || !strings.Contains(err.Error(), b.Stored[0].Name+" is larger than") || !strings.Contains(told.Remedy, "divide") {
		t.Errorf("%v; %+v", err, told)
	}
	if there, err := memory.list(ctx, ""); err != nil || len(there) > 0 {
		t.Errorf("something was written: %v (%v)", there, err)
	}
	memory.most = max(b.Stored[0].Size, b.Stored[1].Size)
	if _, err := to.Copy(ctx, from, testID, nil); err != nil {
		t.Error(err)
	}
}

// An upload that comes to the limit says so, and what helps.
func TestUploadThatIsTooLarge(t *testing.T) {
	t.Parallel()
	said := errors.New("exceeded total allowed MaxUploadParts (10000). Adjust PartSize to fit in this limit")
	err := failed("s3://b", "storing it failed", "", "mend it", service{}.explain(said))
	var told diag.Diagnostic
	if !errors.As(err, &told) || !strings.Contains(err.Error(), "larger than 48 GiB") || !strings.Contains(told.Remedy, "divide") || !errors.Is(err, said) {
		t.Errorf("%v; %+v", err, told)
	}
}
