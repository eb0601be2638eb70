package raftdir_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

func TestKeyOpens(t *testing.T) {
	open := read(t, build(t, raftdirtest.Options{}), key)
	sealed := read(t, build(t, raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey, PendingKey: true}), key)
	if raftdir.KeySealed(open) || !raftdir.KeySealed(sealed) || raftdir.KeySealed([]byte("x")) || raftdir.KeySealed(nil) {
		t.Error("KeySealed does not tell sealed from open")
	}
	for name, c := range map[string]struct {
		pem    []byte
		unlock string
		kind   error
	}{
		"open, no unlock key":      {open, "", nil},
		"open, any unlock key":     {open, raftdirtest.OtherUnlockKey, nil},
		"sealed, its unlock key":   {sealed, raftdirtest.UnlockKey, nil},
		"sealed, with a newline":   {sealed, raftdirtest.UnlockKey + "\r\n", nil},
		"sealed, no unlock key":    {sealed, "\n", raftdir.ErrLocked},
		"sealed, another's":        {sealed, raftdirtest.OtherUnlockKey, raftdir.ErrWrongUnlockKey},
		"sealed, not the prefix":   {sealed, raftdirtest.UnlockKey[len("SWMKEY-1-"):], raftdir.ErrWrongUnlockKey},
		"sealed, the prefix alone": {sealed, "SWMKEY-1-", raftdir.ErrWrongUnlockKey},
		"sealed, cut short":        {sealed, raftdirtest.UnlockKey[:len(raftdirtest.UnlockKey)-1], raftdir.ErrWrongUnlockKey},
		"no key file":              {nil, raftdirtest.UnlockKey, raftdir.ErrKeyDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			err := raftdir.KeyOpens(c.pem, []byte(c.unlock))
			if c.kind != nil {
				wantKind(t, err, c.kind)
				wantSilence(t, err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestKeyOpensDamaged flips every byte of a sealed key: it must be refused or
// open, and never take the process down.
func TestKeyOpensDamaged(t *testing.T) {
	sealed := read(t, build(t, raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey}), key)
	for i := 0; i < len(sealed); i += 3 {
		damaged := append([]byte(nil), sealed...)
		damaged[i] ^= 1
		_ = raftdir.KeyOpens(damaged, []byte(raftdirtest.UnlockKey))
	}
}

func TestInspectCertificate(t *testing.T) {
	manager := read(t, build(t, raftdirtest.Options{}), crt)
	cluster, role, node, expiry, err := raftdir.InspectCertificate(manager)
	if err != nil || cluster != raftdirtest.ClusterID || role != "manager" || node != raftdirtest.NodeID || time.Until(expiry) < 89*24*time.Hour || expiry.Location() != time.UTC {
		t.Errorf("%s %s %s %s %v", cluster, role, node, expiry, err)
	}
	_, role, _, _, err = raftdir.InspectCertificate(read(t, build(t, raftdirtest.Options{CertRole: "swarm-worker"}), crt))
	if err != nil || role != "worker" {
		t.Errorf("role %q, error %v", role, err)
	}
	b := build(t, raftdirtest.Options{})
	for name, bad := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("x"), "a key": read(t, b, key), "a CA": read(t, b, root),
		"cut": manager[:len(manager)/2], "PEM of nothing": []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
	} {
		if _, _, _, _, err := raftdir.InspectCertificate(bad); err == nil {
			t.Errorf("%s passes for a certificate", name)
		} else {
			wantKind(t, err, raftdir.ErrCertificate)
		}
	}
}

func read(t *testing.T, b raftdirtest.Built, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(b.Dir, file))
	must(t, err)
	return content
}
