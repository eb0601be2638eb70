package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// putInto stores a backup of nothing in the repository of a URL, signed where there is a
// key.
func putInto(t *testing.T, url, id, private string, verify ...string) (*repository.Repository, state.Backup) {
	t.Helper()
	repo, err := repository.Open(t.Context(), repository.Options{Name: "nas", URL: url, Cluster: "prod", Plaintext: true, VerifyKeys: verify,
		SignKey: repository.SignKey{Text: func() string { return private }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	w, err := repo.Create(t.Context(), id)
	if err == nil {
		_, err = w.Put(t.Context(), "config.tar", bytes.NewReader(make([]byte, 1024)), nil)
	}
	if err == nil {
		taken, _ := repository.ParseID(id)
		err = w.Commit(t.Context(), state.Backup{Kind: state.KindRegular, TakenAt: taken, UploadedAt: time.Now()})
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := repo.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return repo, b
}

// Where nobody compares signatures, one that was left out is not passed over: that is how
// a backup of somebody else's would get in.
func TestASignatureThatIsLeftOut(t *testing.T) {
	private, public, err := repository.NewSignKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	url := "file://" + t.TempDir()
	slipped, b := putInto(t, url, "20260302T031000Z-0a1b2c", "")
	said := new(bytes.Buffer)
	a := &app{err: said}
	if err := a.unverified(t.Context(), slipped, b, "latest"); err != nil || said.Len() > 0 {
		t.Errorf("nothing there is signed: %v, %s", err, said)
	}
	_, signed := putInto(t, url, "20260301T031000Z-0a1b2c", private, public)
	var told diag.Diagnostic
	if err := a.unverified(t.Context(), slipped, b, "latest"); !errors.As(err, &told) || told.Code != diag.BackupNotSigned || !strings.Contains(told.Remedy, "-verify-key") {
		t.Errorf("the newest, which is not signed: %v", err)
	}
	if err := a.unverified(t.Context(), slipped, b, b.ID); err != nil || !strings.Contains(said.String(), "is not signed, and others there are") {
		t.Errorf("the one that was named: %v, %s", err, said)
	}
	said.Reset()
	if err := a.unverified(t.Context(), slipped, signed, "latest"); err != nil || !strings.Contains(said.String(), "nobody has compared") {
		t.Errorf("one that is signed: %v, %s", err, said)
	}
}
