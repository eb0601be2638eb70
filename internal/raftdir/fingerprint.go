package raftdir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

const (
	fingerprintDomain = "requeen unlock key fingerprint v1\x00"
	fingerprintBytes  = 16
)

// Fingerprint names an unlock key ("SWMKEY-1-…") without telling it: half of a
// SHA-256 over a fixed prefix and the key, in hex. It may stand in a manifest
// in clear, because the engine draws unlock keys from 256 random bits, so that
// there is nothing to guess; it would not do for a password. White space around
// the key is left out; no key has the empty fingerprint.
func Fingerprint(unlockKey []byte) string {
	key := bytes.TrimSpace(unlockKey)
	if len(key) == 0 {
		return ""
	}
	h := sha256.New()
	h.Write([]byte(fingerprintDomain))
	h.Write(key)
	return hex.EncodeToString(h.Sum(nil)[:fingerprintBytes])
}
