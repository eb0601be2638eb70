package raftdir_test

import (
	"os"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestVerifyRefusesALogInUse locks the log as a running engine does.
func TestVerifyRefusesALogInUse(t *testing.T) {
	b := build(t, raftdirtest.Options{})
	l, err := fileutil.TryLockFile(b.WAL, os.O_WRONLY, 0o600)
	must(t, err)
	_, err = raftdir.Verify(t.Context(), b.Dir, raftdir.Options{})
	wantKind(t, err, raftdir.ErrInUse)
	must(t, l.Close())
	if _, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{}); err != nil {
		t.Errorf("after the lock was let go: %v", err)
	}
}
