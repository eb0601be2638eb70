package raftdir_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

func TestFingerprint(t *testing.T) {
	key := raftdir.Fingerprint([]byte(raftdirtest.UnlockKey))
	if len(key) != 32 || strings.Trim(key, "0123456789abcdef") != "" {
		t.Errorf("fingerprint %q is not 16 bytes in hex", key)
	}
	// Manifests hold fingerprints: this one must never change.
	if want := "f24a80f1fd71288d7bd7b0551cd3e8cf"; key != want {
		t.Errorf("fingerprint %q, want %q", key, want)
	}
	for _, same := range []string{raftdirtest.UnlockKey + "\n", raftdirtest.UnlockKey + "\r\n", " " + raftdirtest.UnlockKey} {
		if got := raftdir.Fingerprint([]byte(same)); got != key {
			t.Errorf("Fingerprint(%q) = %q, want %q", same, got, key)
		}
	}
	if got := raftdir.Fingerprint([]byte(raftdirtest.OtherUnlockKey)); got == key {
		t.Error("two keys have one fingerprint")
	}
	if got := raftdir.Fingerprint([]byte("\n")); got != "" {
		t.Errorf("no key has the fingerprint %q", got)
	}
}
