package raftdir_test

import (
	"os"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestSurveyRefusesALogInUse: also a lenient reading is of copies only.
func TestSurveyRefusesALogInUse(t *testing.T) {
	b := build(t, raftdirtest.Options{})
	l, err := fileutil.TryLockFile(b.WAL, os.O_WRONLY, 0o600)
	must(t, err)
	defer l.Close()
	_, err = raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{})
	wantKind(t, err, raftdir.ErrInUse)
}
