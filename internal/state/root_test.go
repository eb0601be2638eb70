package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"testing"
)

func TestRootCADigest(t *testing.T) {
	first := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("first")})
	second := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("second")})
	sum := sha256.Sum256([]byte("first"))
	want := hex.EncodeToString(sum[:])
	for name, text := range map[string]string{
		"alone":               string(first),
		"with a second":       string(first) + string(second),
		"with spaces around":  "\n\n" + string(first) + "\n",
		"with something else": string(pem.EncodeToMemory(&pem.Block{Type: "OTHER", Bytes: []byte("x")})) + string(first),
	} {
		if got := RootCADigest([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, text := range []string{"", "nonsense", "-----BEGIN CERTIFICATE-----\nAA"} {
		if got := RootCADigest([]byte(text)); got != "" {
			t.Errorf("%q: %q", text, got)
		}
	}
}
